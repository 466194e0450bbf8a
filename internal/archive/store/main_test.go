// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.StopShared()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}
