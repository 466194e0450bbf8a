// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/field/syslog/*.log")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, file := range append(files, "../../../testdata/cms-api/syslog-api-trace.log", "../../../testdata/cms-api/syslog-api-trace-rfc3164.log", "../../../testdata/cms-api/malformed-doc-wrapped.log") {
		name := strings.TrimSuffix(filepath.Base(file), ".log")
		t.Run(name, func(t *testing.T) {
			assertGolden(t, name+".txt", read(fixture(t, strings.TrimPrefix(file, "../../../testdata/"))))
		})
	}
}
