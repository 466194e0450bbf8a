// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scanWhole reads data as one value.
func scanWhole(data []byte) error {
	var s Scanner
	s.Reset(data)
	if err := s.Skip(0); err != nil {
		return err
	}
	if s.Next() != 0 || s.Pos() < len(data) {
		return ErrSyntax
	}
	return nil
}

// checkAgainstStdlib compares validity and string content with encoding/json.
func checkAgainstStdlib(t *testing.T, data []byte) {
	t.Helper()
	if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) >= MaxDepth {
		return // encoding/json accepts deeper nesting
	}
	assert.Equal(t, json.Valid(data), scanWhole(data) == nil, "%q", data)
	var want string
	if len(data) == 0 || data[0] != '"' || json.Unmarshal(data, &want) != nil {
		return
	}
	var s Scanner
	s.Reset(data)
	got, err := s.Text()
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
}

var corpus = []string{
	``, `{}`, `[]`, ` {"a" : [1, -0.5e+3, true, false, null, "x"]} `, `{"a":1,}`, `[1,]`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`,
	`01`, `-`, `1.`, `1e`, `1e5`, `-0`, `truth`, `nul`, `"\u00e9\ud83d\ude00\ud83d"`, `"\x"`, `"a` + "\n" + `b"`, "\"\xff\"", `"\u12"`, `"`, `{} {}`, "\x00",
}

func TestOracle(t *testing.T) {
	for _, data := range corpus {
		checkAgainstStdlib(t, []byte(data))
	}
}

func TestDepth(t *testing.T) {
	f := func(depth int, want error) {
		t.Helper()
		assert.Equal(t, want, scanWhole([]byte(strings.Repeat("[", depth)+strings.Repeat("]", depth))))
	}
	f(MaxDepth, nil)
	f(MaxDepth+1, ErrSyntax)
	f(1<<20, ErrSyntax)
}

func TestValid(t *testing.T) {
	var s Scanner
	assert.Equal(t, "é\uFFFD", string(s.Valid([]byte("é\xff"))))
}

func FuzzScanner(f *testing.F) {
	for _, data := range corpus {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkAgainstStdlib(t, data) })
}
