// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"iter"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// The pieces of a text add up to what is made of it in one go, wherever they are
// cut.
func TestPiecesAddUp(t *testing.T) {
	for _, text := range []string{
		"", "a", strings.Repeat("no secret, 東京 ", 40),
		strings.Repeat(`<passcode>1234</passcode><a token="x y">b</a> `, 20),
		strings.Repeat(`rtmp://host/key?x=1 https://user:pass@host/path "`, 20),
		`<streamUrl>` + strings.Repeat("x", 500) + `</streamUrl><name>kept</name>`,
		`token="` + strings.Repeat("x", 500) + `" kept`,
		strings.Repeat(`{"password":"a\"b","list":["https://u:p@h/"],"secret":{"a":[1,2]},"b":1} `, 20),
		strings.Repeat("東", 300) + "://" + strings.Repeat("b", 20) + "@c ",
		strings.Repeat("\xff\xfe<", 200),
	} {
		for _, size := range []int{64, 97, 1000} {
			for name, f := range map[string]struct {
				whole  func(string) string
				pieces func(string, int) iter.Seq[string]
			}{"XML": {XML, XMLPieces}, "JSON": {JSON, JSONPieces}} {
				var all strings.Builder
				for piece := range f.pieces(text, size) {
					assert.LessOrEqual(t, len(piece), size)
					assert.Equal(t, utf8.ValidString(text), utf8.ValidString(piece) && utf8.ValidString(text), "%s: a character is cut", name)
					all.WriteString(piece)
				}
				if len(text) < maxRun*size {
					assert.Equal(t, f.whole(text), all.String(), "%s in pieces of %d", name, size)
				}
			}
		}
	}
}

// A run too long to be a URL is not passed on behind the scheme of the first one
// in it, and costs memory for a few pieces only.
func TestPiecesOfALongRun(t *testing.T) {
	const size = 100
	f := func(text, want string) {
		t.Helper()
		var all strings.Builder
		for piece := range XMLPieces(text, size) {
			all.WriteString(piece)
		}
		assert.Equal(t, want, all.String())
	}
	long := strings.Repeat("k", 3000)
	f("rtmp://host/"+long+" <a>", "rtmp://host/REDACTED <a>"[:len("rtmp://")]+"REDACTED <a>")
	f("a="+long+" b", "a="+long+" b")
	f(long+"s://user:password@h c", long+"s://REDACTED@h c")
}

// Nothing is made of the rest for somebody who stops.
func TestPiecesCanBeLeft(t *testing.T) {
	n := 0
	for range XMLPieces(strings.Repeat("a b", 1000), 100) {
		n++
		break
	}
	assert.Equal(t, 1, n)
}
