// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// The pieces join to the text, and are cut between characters.
func TestPieces(t *testing.T) {
	f := func(text string, size int, want ...string) {
		t.Helper()
		assert.Equal(t, want, slices.Collect(Pieces(text, size)))
	}
	f("", 4, "")
	f("abcd", 4, "abcd")
	f("abcde", 4, "abcd", "e")
	f("aüüü", 4, "aü", "üü")
	f("東京", 2, "\xe6\x9d", "\xb1", "\xe4\xba", "\xac")
	f("\xff\xff\xff\xff\xff", 4, "\xff\xff\xff\xff", "\xff")
	f("a token=x b", 12, "a token=", "REDACTED b")
	f("a token=x b", 3, "a t", "oke", "n=R", "EDA", "CTE", "D b")
	for piece := range Pieces(strings.Repeat("token=1 ", 100), 10) {
		assert.Equal(t, "token=", piece, "it stops when the loop ends")
		break
	}
	long := strings.Repeat("<passcode>1</passcode>東", 1000)
	for _, size := range []int{1, 2, 3, 17, 256, 1 << 20} {
		var whole strings.Builder
		for piece := range Pieces(long, size) {
			assert.LessOrEqual(t, len(piece), size)
			assert.True(t, size < utf8.UTFMax || utf8.ValidString(piece))
			whole.WriteString(piece)
		}
		assert.Equal(t, Text(long), whole.String())
	}
}

// The joined pieces equal the result of Text, wherever they are cut.
func TestPiecesAddUp(t *testing.T) {
	for _, text := range []string{
		"", "a", strings.Repeat("no secret, 東京 ", 40),
		strings.Repeat(`<passcode>1234</passcode><a token="x y">b</a> `, 20),
		strings.Repeat(`rtmp://host/key?x=1 https://user:pass@host/path "`, 20),
		`<streamUrl>` + strings.Repeat("x", 500) + `</streamUrl><name>kept</name>`,
		`token="` + strings.Repeat("x", 500) + `" kept`,
		strings.Repeat(`{"password":"a\"b","list":["https://u:p@h/"],"secret":{"a":[1,2]},"b":1} `, 20),
		strings.Repeat("東", 300) + "://" + strings.Repeat("b", 20) + "@c ",
		"rtmp://host/" + strings.Repeat("k", 3000) + " <a>",
		strings.Repeat("k", 3000) + "s://user:password@h c",
		strings.Repeat("\xff\xfe<", 200),
	} {
		for _, size := range []int{64, 97, 1000} {
			var all strings.Builder
			for piece := range Pieces(text, size) {
				assert.LessOrEqual(t, len(piece), size)
				assert.True(t, !utf8.ValidString(text) || utf8.ValidString(piece), "a character is cut")
				all.WriteString(piece)
			}
			assert.Equal(t, Text(text), all.String(), "in pieces of %d", size)
		}
	}
}

// A prefix contains no part of a secret, wherever it is cut.
func TestPrefix(t *testing.T) {
	const text = "see https://user:12345@host.example.test/ and passcode=12345"
	for size := 1; size <= len(text)+8; size++ {
		prefix := Prefix(text, size)
		assert.LessOrEqual(t, len(prefix), size)
		assert.True(t, strings.HasPrefix(Text(text), prefix), prefix)
	}
	assert.Empty(t, Prefix("", 10))
}
