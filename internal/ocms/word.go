// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "math/bits"

// Eight bytes of text in one word, the first byte in the lowest place: loops over words
// examine eight bytes at once.
const (
	wordSize = 8
	lowBits  = 0x01_01_01_01_01_01_01_01 // of each byte
	topBits  = 0x80 * lowBits
)

// loadWord returns the eight bytes at i.
func loadWord(text string, i int) uint64 {
	b := text[i : i+wordSize] // one check of bounds
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// loadUpToWord returns the eight bytes at i, with zeros behind the end of text.
func loadUpToWord(text string, i int) (w uint64) {
	switch behind := i + wordSize - len(text); {
	case behind <= 0:
		return loadWord(text, i)
	case len(text) >= wordSize:
		return loadWord(text, len(text)-wordSize) >> (8 * behind)
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
	low := w &^ topBits
	return (low + (0x80-':')*lowBits) &^ (low + (0x80-'@'-1)*lowBits) &^ w & topBits
}

// indexSeparator returns the offset of the first byte from ':' to '@', or the length.
func indexSeparator(text string) int {
	i := 0
	for ; i <= len(text)-wordSize; i += wordSize {
		if marked := markSeparators(loadWord(text, i)); marked != 0 {
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
func markZeros(a, b uint64) uint64 { return ((a - lowBits) | (b - lowBits)) &^ a & topBits }

// firstMarked returns the index of the lowest byte whose top bit is set.
func firstMarked(w uint64) int { return bits.TrailingZeros64(w) / 8 }

// isASCII reports whether no byte of text is above 127.
func isASCII(text string) bool {
	const size = 4 * wordSize
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
		all |= loadWord(rest, 0) | loadWord(rest, 8) | loadWord(rest, 16) | loadWord(rest, 24)
	}
	last := text[len(text)-size:] // read twice in part
	all |= loadWord(last, 0) | loadWord(last, 8) | loadWord(last, 16) | loadWord(last, 24)
	return all&topBits == 0
}

// indexCommaOrOpening returns the offset of the first comma, quote or '<', or the length.
func indexCommaOrOpening(text string) int {
	const bit = ',' ^ '<' // the only one in which the two differ
	i := 0
	for ; i <= len(text)-wordSize; i += wordSize {
		w := loadWord(text, i)
		if found := markZeros((w|bit*lowBits)^'<'*lowBits, w^'"'*lowBits); found != 0 {
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
	for ; i <= len(text)-wordSize; i += wordSize {
		w := loadWord(text, i)
		if found := markZeros(w^';'*lowBits, w^'"'*lowBits); found != 0 {
			return i + firstMarked(found)
		}
	}
	for i < len(text) && text[i] != ';' && text[i] != '"' {
		i++
	}
	return i
}
