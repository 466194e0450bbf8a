// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
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
	os.Exit(m.Run())
}

const (
	// waitFor is longer than the two minutes that callstitch waits after a restart
	// for the ends of what only its session ended.
	waitFor     = 4 * time.Minute
	waitForMore = 15 * time.Second // for records before a kill: all may be there
	tick        = 20 * time.Millisecond
)
