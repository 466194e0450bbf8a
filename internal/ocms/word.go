// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"math/bits"

	"github.com/legato-otel/legato/internal/scan/wordscan"
)

// loadUpToWord returns the eight bytes at i, with zeros behind the end of text.
func loadUpToWord(text string, i int) (w uint64) {
	switch behind := i + wordscan.Size - len(text); {
	case behind <= 0:
		return wordscan.Load(text, i)
	case len(text) >= wordscan.Size:
		return wordscan.Load(text, len(text)-wordscan.Size) >> (8 * behind)
	default:
		for k := len(text) - 1; k >= i; k-- {
			w = w<<8 | uint64(text[k])
		}
		return w
	}
}

// markSeparators sets the top bit of each byte from ':' to '@', among which are the
// separators of URIs.
func markSeparators(w uint64) uint64 {
	low := w &^ wordscan.TopBits
	return (low + (0x80-':')*wordscan.LowBits) &^ (low + (0x80-'@'-1)*wordscan.LowBits) &^ w & wordscan.TopBits
}

// indexSeparator returns the offset of the first byte from ':' to '@', or the length.
func indexSeparator(text string) int {
	i := 0
	for ; i <= len(text)-wordscan.Size; i += wordscan.Size {
		if marked := markSeparators(wordscan.Load(text, i)); marked != 0 {
			return i + firstMarked(marked)
		}
	}
	for i < len(text) && (text[i] < ':' || text[i] > '@') {
		i++
	}
	return i
}

// markZeros sets the top bit of each byte that is zero in a or in b. Bits above the lowest
// one may be wrong. The top bits of a and b must agree.
func markZeros(a, b uint64) uint64 {
	return ((a - wordscan.LowBits) | (b - wordscan.LowBits)) &^ a & wordscan.TopBits
}

// firstMarked returns the index of the lowest byte whose top bit is set.
func firstMarked(w uint64) int { return bits.TrailingZeros64(w) / 8 }

// isASCII reports whether no byte of text is above 127.
func isASCII(text string) bool {
	const size = 4 * wordscan.Size
	if len(text) < size {
		for i := range len(text) {
			if text[i] >= 0x80 {
				return false
			}
		}
		return true
	}
	var all uint64
	for rest := text; len(rest) >= size; rest = rest[size:] {
		all |= wordscan.Load(rest, 0) | wordscan.Load(rest, 8) | wordscan.Load(rest, 16) | wordscan.Load(rest, 24)
	}
	last := text[len(text)-size:] // read twice in part
	all |= wordscan.Load(last, 0) | wordscan.Load(last, 8) | wordscan.Load(last, 16) | wordscan.Load(last, 24)
	return all&wordscan.TopBits == 0
}

// indexCommaOrOpening returns the offset of the first comma, quote or '<', or the length.
func indexCommaOrOpening(text string) int {
	const bit = ',' ^ '<' // the only one in which the two differ
	i := 0
	for ; i <= len(text)-wordscan.Size; i += wordscan.Size {
		w := wordscan.Load(text, i)
		if found := markZeros((w|bit*wordscan.LowBits)^'<'*wordscan.LowBits, w^'"'*wordscan.LowBits); found != 0 {
			return i + firstMarked(found)
		}
	}
	for i < len(text) && text[i] != ',' && text[i] != '"' && text[i] != '<' {
		i++
	}
	return i
}

// indexParameterEnd returns the offset of the first semicolon or quote, or the length.
func indexParameterEnd(text string) int {
	i := 0
	for ; i <= len(text)-wordscan.Size; i += wordscan.Size {
		w := wordscan.Load(text, i)
		if found := markZeros(w^';'*wordscan.LowBits, w^'"'*wordscan.LowBits); found != 0 {
			return i + firstMarked(found)
		}
	}
	for i < len(text) && text[i] != ';' && text[i] != '"' {
		i++
	}
	return i
}
