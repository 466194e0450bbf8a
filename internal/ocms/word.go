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

// markZeros sets the top bit of each byte that is zero in w. Bits above the lowest one
// may be wrong.
func markZeros(w uint64) uint64 { return (w - lowBits) &^ w & topBits }

// firstMarked returns the index of the lowest byte whose top bit is set.
func firstMarked(w uint64) int { return bits.TrailingZeros64(w) / 8 }

// isASCII reports whether no byte of text is above 127.
func isASCII(text string) bool {
	i := 0
	for ; i+4*wordSize <= len(text); i += 4 * wordSize {
		block := text[i : i+4*wordSize]
		if (loadWord(block, 0)|loadWord(block, 8)|loadWord(block, 16)|loadWord(block, 24))&topBits != 0 {
			return false
		}
	}
	for ; i < len(text); i += wordSize {
		if loadUpToWord(text, i)&topBits != 0 {
			return false
		}
	}
	return true
}

// indexCommaOrOpening returns the offset of the first comma, quote or '<' from i on, or the
// length.
func indexCommaOrOpening(text string, i int) int {
	const bit = ',' ^ '<' // the only one in which the two differ
	for ; i+wordSize <= len(text); i += wordSize {
		w := loadWord(text, i)
		if found := markZeros((w|bit*lowBits)^'<'*lowBits) | markZeros(w^'"'*lowBits); found != 0 {
			return i + firstMarked(found)
		}
	}
	for i < len(text) && text[i] != ',' && text[i] != '"' && text[i] != '<' {
		i++
	}
	return i
}

// indexParameterEnd returns the offset of the first semicolon or quote from i on, or the
// length.
func indexParameterEnd(text string, i int) int {
	for ; i+wordSize <= len(text); i += wordSize {
		w := loadWord(text, i)
		if found := markZeros(w^';'*lowBits) | markZeros(w^'"'*lowBits); found != 0 {
			return i + firstMarked(found)
		}
	}
	for i < len(text) && text[i] != ';' && text[i] != '"' {
		i++
	}
	return i
}
