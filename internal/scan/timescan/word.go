// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package timescan

import "github.com/legato-otel/legato/internal/scan/wordscan"

// digitsIn returns the values of the digits in a word, one per byte. It is not ok if a byte
// differs in kind from the form; separators has 0xff where the form has no digit.
func digitsIn(word, form, separators uint64) (digits uint64, ok bool) {
	digits = word ^ form // a digit's value; 0 for a separator
	const above9 = (0x80 - 10) * wordscan.LowBits
	return digits, digits&separators == 0 && (digits+above9|digits)&wordscan.TopBits == 0
}

// twoDigits returns the decimal number whose digits are in bytes i and i+1.
func twoDigits(digits uint64, i int) int {
	return 10*int(digits>>(8*i)&0xff) + int(digits>>(8*i+8)&0xff)
}
