// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package wordscan reads eight bytes of text as one word, the first byte in the lowest
// place, so that a loop examines eight bytes at once.
package wordscan

const (
	// Size is the number of bytes in a word.
	Size = 8
	// LowBits has the lowest bit of each byte.
	LowBits = 0x01_01_01_01_01_01_01_01
	// TopBits has the highest bit of each byte.
	TopBits = 0x80 * LowBits
)

// Load returns the eight bytes at i. It panics if there are fewer.
func Load(text string, i int) uint64 {
	b := text[i : i+Size] // one check of bounds
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
