// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package timescan

// Eight bytes of text are one word, the first byte in the lowest place.
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

// digitsIn returns the values of the digits in a word, one per byte. It is not ok if a byte
// differs in kind from the form; separators has 0xff where the form has no digit.
func digitsIn(word, form, separators uint64) (digits uint64, ok bool) {
	digits = word ^ form // a digit's value; 0 for a separator
	const above9 = (0x80 - 10) * lowBits
	return digits, digits&separators == 0 && (digits+above9|digits)&topBits == 0
}

// twoDigits returns the decimal number whose digits are in bytes i and i+1.
func twoDigits(digits uint64, i int) int {
	return 10*int(digits>>(8*i)&0xff) + int(digits>>(8*i+8)&0xff)
}
