// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"unicode/utf8"
)

// A value is encoded as a tag, for text and opaque values with the length in the bits above
// it, and the content. Equal values have equal bytes. Values are stored, so their encoding
// never changes.
const (
	tagText   = iota // uvarint length<<3 | tag, the text
	tagGUID          // 16 bytes: a text that is a GUID in lower case
	tagInt           // zigzag varint
	tagDouble        // 8 bytes, big endian
	tagWhole         // zigzag varint: a double without a fraction
	tagTrue          // or index<<3 | tag: one of commonTexts
	tagFalse
	tagOpaque // as tagText

	// valueSame stands for the last value before it, of an attribute that keeps its history.
	// No other value has this byte.
	valueSame = 1<<tagBits | tagFalse

	tagBits = 3
	tagMask = 1<<tagBits - 1
)

// maxText is the longest text that is kept, in bytes; longer ones are truncated. The record's
// own event has all of it.
const maxText = 4 << 10

const guidText = 36

// appendValue appends a value; ok is false for an opaque value that is too long.
func appendValue(b []byte, v Value) (out []byte, ok bool) {
	switch v.Kind {
	case KindText:
		return appendText(b, v.Text), true
	case KindInt:
		return binary.AppendVarint(append(b, tagInt), v.Int()), true
	case KindDouble:
		return appendDouble(b, v.Double()), true
	case KindBool:
		if v.Bool() {
			return append(b, tagTrue), true
		}
		return append(b, tagFalse), true
	case KindOpaque:
		if len(v.Text) > maxText {
			return b, false
		}
		b = binary.AppendUvarint(b, uint64(len(v.Text))<<tagBits|tagOpaque)
		return append(b, v.Text...), true
	default:
		return b, false
	}
}

// appendCanonical appends an identifier. A GUID is appended in lower case.
func appendCanonical(b []byte, text string) []byte {
	var guid [16]byte
	if len(text) == guidText && parseGUID(&guid, text) != guidNone {
		return append(append(b, tagGUID), guid[:]...)
	}
	return appendText(b, text)
}

func appendText(b []byte, text string) []byte {
	if number := commonTextNumber(text); number != 0 {
		return append(b, number<<tagBits|tagTrue)
	}
	if len(text) == guidText {
		var guid [16]byte
		if parseGUID(&guid, text) == guidLower {
			return append(append(b, tagGUID), guid[:]...)
		}
	}
	text = truncate(text, maxText)
	b = binary.AppendUvarint(b, uint64(len(text))<<tagBits) // | tagText
	return append(b, text...)
}

// truncate returns at most n bytes of a text, without cutting a character.
func truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// appendDouble appends a number; integers take fewer bytes.
func appendDouble(b []byte, n float64) []byte {
	const exact = 1 << 53
	if whole := int64(n); n >= -exact && n <= exact && float64(whole) == n && (whole != 0 || !math.Signbit(n)) {
		return binary.AppendVarint(append(b, tagWhole), whole)
	}
	return binary.BigEndian.AppendUint64(append(b, tagDouble), math.Float64bits(n))
}

// valueLength returns how many bytes of b the first value has; 0 if it is not whole.
func valueLength(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	n := 0
	switch b[0] & tagMask {
	case tagText, tagOpaque:
		length, used := binary.Uvarint(b)
		length >>= tagBits
		if used <= 0 || length > uint64(len(b)) {
			return 0
		}
		n = used + int(length)
	case tagGUID:
		n = 1 + 16
	case tagDouble:
		n = 1 + 8
	case tagInt, tagWhole:
		_, used := binary.Varint(b[1:])
		if used <= 0 {
			return 0
		}
		n = 1 + used
	default:
		n = 1
	}
	if n > len(b) {
		return 0
	}
	return n
}

// textOf returns the bytes of a text or opaque value.
func textOf(raw []byte) []byte {
	_, used := binary.Uvarint(raw)
	return raw[used:]
}

// number returns a numeric value.
func number(raw []byte) (n float64, ok bool) {
	if len(raw) == 0 {
		return 0, false
	}
	switch raw[0] & tagMask {
	case tagInt, tagWhole:
		whole, _ := binary.Varint(raw[1:])
		return float64(whole), true
	case tagDouble:
		return math.Float64frombits(binary.BigEndian.Uint64(raw[1:])), true
	default:
		return 0, false
	}
}

// equalsText reports whether a value is that text.
func equalsText(raw []byte, text string) bool {
	if word := commonTextOf(raw); word != "" {
		return word == text
	}
	return len(raw) > 0 && raw[0]&tagMask == tagText && string(textOf(raw)) == text
}

// appendString appends the content of a text value, nothing for others.
func appendString(b, raw []byte) []byte {
	if len(raw) == 0 {
		return b
	}
	switch raw[0] & tagMask {
	case tagText:
		return append(b, textOf(raw)...)
	case tagGUID:
		return appendGUID(b, (*[16]byte)(raw[1:]))
	default:
		return append(b, commonTextOf(raw)...)
	}
}

// Results of parseGUID.
const (
	guidNone  = iota
	guidAny   // a GUID with upper-case letters
	guidLower // a GUID in lower case
)

// hexDigits maps characters to their value. 16 and above are not hex digits; bit 5 marks
// upper-case letters.
var hexDigits = func() (digits [256]byte) {
	for i := range digits {
		digits[i] = 16
	}
	for i := range byte(10) {
		digits['0'+i] = i
	}
	for i := range byte(6) {
		digits['a'+i] = 10 + i
		digits['A'+i] = 32 | 10 + i
	}
	return digits
}()

// parseGUID parses a text of 36 characters.
func parseGUID(guid *[16]byte, text string) int {
	if len(text) != guidText || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return guidNone
	}
	var seen byte
	at := 0
	for i := range guid {
		if at == 8 || at == 13 || at == 18 || at == 23 {
			at++
		}
		high, low := hexDigits[text[at]], hexDigits[text[at+1]]
		seen |= high | low
		guid[i] = high<<4 | low&15
		at += 2
	}
	switch {
	case seen&16 != 0:
		return guidNone
	case seen&32 != 0:
		return guidAny
	default:
		return guidLower
	}
}

// appendGUID appends a GUID in lower case.
func appendGUID(b []byte, guid *[16]byte) []byte {
	b = hex.AppendEncode(b, guid[0:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, guid[4:6])
	b = append(b, '-')
	b = hex.AppendEncode(b, guid[6:8])
	b = append(b, '-')
	b = hex.AppendEncode(b, guid[8:10])
	b = append(b, '-')
	return hex.AppendEncode(b, guid[10:16])
}

func isTrue(raw []byte) bool { return len(raw) == 1 && raw[0] == tagTrue }

// equalFold reports whether a value is that text without regard to case; senders differ in
// case.
func equalFold(raw []byte, text string) bool {
	if word := commonTextOf(raw); word != "" {
		return strings.EqualFold(word, text)
	}
	return len(raw) > 0 && raw[0]&tagMask == tagText && strings.EqualFold(string(textOf(raw)), text)
}

// value decodes a value. Its text is a copy.
func value(raw []byte) Value {
	switch raw[0] & tagMask {
	case tagInt:
		n, _ := binary.Varint(raw[1:])
		return Int(n)
	case tagWhole:
		n, _ := binary.Varint(raw[1:])
		return Double(float64(n))
	case tagDouble:
		return Value{Kind: KindDouble, bits: binary.BigEndian.Uint64(raw[1:])}
	case tagTrue, tagFalse:
		if word := commonTextOf(raw); word != "" {
			return Text(word)
		}
		return Bool(raw[0]&tagMask == tagTrue)
	case tagOpaque:
		return Opaque(string(textOf(raw)))
	default:
		return Text(text(raw))
	}
}

// text decodes a text value; it returns "" for others.
func text(raw []byte) string {
	if len(raw) > 0 && raw[0]&tagMask == tagGUID {
		var room [guidText]byte
		return string(appendGUID(room[:0], (*[16]byte)(raw[1:])))
	}
	return string(appendString(nil, raw))
}
