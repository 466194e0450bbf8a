// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// root of the repository, absolute.
var root = func() string {
	directory, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return directory
}()

func binary(name string) string { return filepath.Join(root, "dist", name) }

// long says that the tests have the time of make scale.
var long = os.Getenv("LEGATO_SCALE") != ""

// either returns the first in the short form, the second in the long one.
func either[T any](inShort, inLong T) T {
	if long {
		return inLong
	}
	return inShort
}

const (
	waitFor = 5 * time.Minute
	tick    = 50 * time.Millisecond
)

// TestMain builds what is missing.
func TestMain(m *testing.M) {
	for _, name := range []string{"otelcol-legato", "callsim"} {
		if _, err := os.Stat(binary(name)); err != nil {
			build := exec.Command("make", "-C", root, "build")
			build.Stdout, build.Stderr = os.Stderr, os.Stderr
			if err := build.Run(); err != nil {
				fmt.Fprintln(os.Stderr, "make build:", err)
				os.Exit(1)
			}
		}
	}
	code := m.Run()
	postgres.StopShared()
	os.Exit(code)
}
