// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/scan/wordscan"
)

// The loops over words find the same bytes as loops over bytes, wherever a text begins and
// ends, and whatever bytes are beside the wanted ones.
func TestWords(t *testing.T) {
	d := rand.New(rand.NewPCG(7, 8))
	for range 50_000 {
		text := make([]byte, d.IntN(40))
		for i := range text {
			if text[i] = byte(d.IntN(256)); d.IntN(4) > 0 {
				text[i] = "aZ09-.,\";<=>?@:+!#\xff\x00\x80/9A"[d.IntN(24)]
			}
		}
		s := string(text)
		start := d.IntN(len(s) + 1)
		indexAny := func(wanted string) int {
			if n := strings.IndexAny(s[start:], wanted); n >= 0 {
				return n
			}
			return len(s) - start
		}
		require.Equal(t, indexAny(",\"<"), indexCommaOrOpening(s[start:]), "%q", s[start:])
		require.Equal(t, indexAny(";\""), indexParameterEnd(s[start:]), "%q", s[start:])
		require.Equal(t, indexAny(":;<=>?@"), indexSeparator(s[start:]), "%q", s[start:])
		require.Equal(t, strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0, isASCII(s), "%q", s)
		var want, got []int
		for i := start; i < min(start+wordscan.Size, len(s)); i++ {
			if s[i] >= ':' && s[i] <= '@' {
				want = append(want, i)
			}
		}
		for marked := markSeparators(loadUpToWord(s, start)); marked != 0; marked &= marked - 1 {
			got = append(got, start+firstMarked(marked))
		}
		require.Equal(t, want, got, "%q from %d", s, start)
	}
}

func TestParseDigits(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "007": 7, "9223372036854775807": math.MaxInt64, "0000000000000000000000001": 1} {
		got, ok := parseDigits(text, math.MaxInt64)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "+1", " 1", "1x", "9223372036854775808", "18446744073709551617", "99999999999999999999999"} {
		got, ok := parseDigits(text, math.MaxInt64)
		assert.False(t, ok, text)
		assert.Zero(t, got, text)
	}
	_, ok := parseDigits("65536", math.MaxUint16)
	assert.False(t, ok)
}
