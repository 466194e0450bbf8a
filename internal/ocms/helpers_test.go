// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixtures returns the files of the specification and the files from the field.
func fixtures(tb testing.TB) (files []string) {
	tb.Helper()
	for _, pattern := range []string{"../../testdata/ocms/*.log", "../../testdata/field/ocms/*.log"} {
		found, err := filepath.Glob(pattern)
		require.NoError(tb, err)
		require.NotEmpty(tb, found)
		files = append(files, found...)
	}
	return files
}

func lines(tb testing.TB, file string) []string {
	tb.Helper()
	content, err := os.ReadFile(file)
	require.NoError(tb, err)
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}

// decode decodes one line with a new decoder.
func decode(line string) (*Event, error) {
	var d Decoder
	return d.Decode(line)
}

// attributeTexts returns the attributes of a line as name=value.
func attributeTexts(l *Line) (all []string) {
	for i := range l.Len() {
		a := l.Attribute(i)
		all = append(all, a.Name+"="+a.Value)
	}
	return all
}
