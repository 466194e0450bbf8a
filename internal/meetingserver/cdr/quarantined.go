// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"strings"
	"unicode/utf8"
)

// IndexRange is a range of records whose index alone is readable.
type IndexRange struct {
	First, Last uint64
	// Legacy reports that the numbers are recordIndex, because the start tags have
	// no correlatorIndex.
	Legacy bool
}

const (
	// maxQuarantinedRanges of one malformed part, the limit of a session in the ledger.
	maxQuarantinedRanges = 512
	// maxTagLength bounds the search for the attributes of a damaged start tag, in bytes.
	maxTagLength = 1 << 10
)

// appendIndices appends the indices of the records with start tags in raw. It reads only tags
// with exactly one index in quotes.
func appendIndices(to []IndexRange, raw string) []IndexRange {
	for at := nextTag(raw, recordElement, 0); at >= 0; at = nextTag(raw, recordElement, at+1) {
		tag := tagAt(raw, at)
		index, legacy := parseNumber(tagAttribute(tag, "correlatorIndex")), false
		if index.Text == "" {
			index, legacy = parseNumber(tagAttribute(tag, "recordIndex")), true
		}
		if index.Valid {
			to = appendIndex(to, index.Value, legacy)
		}
	}
	return to
}

func appendIndex(to []IndexRange, index uint64, legacy bool) []IndexRange {
	if n := len(to); n > 0 && to[n-1].Legacy == legacy {
		switch last := &to[n-1]; {
		case index == last.Last+1:
			last.Last = index
			return to
		case index+1 == last.First:
			last.First = index
			return to
		}
	}
	if len(to) == maxQuarantinedRanges {
		return to
	}
	return append(to, IndexRange{First: index, Last: index, Legacy: legacy})
}

// nextTag returns the offset of the next start tag of an element from an offset, or -1.
func nextTag(text, element string, from int) int {
	for from < len(text) {
		i := strings.Index(text[from:], "<"+element)
		if i < 0 {
			return -1
		}
		from += i
		if isTag(text, element, from) {
			return from
		}
		from++
	}
	return -1
}

// isTag reports whether a start tag of the element begins at offset at.
func isTag(text, element string, at int) bool {
	rest, found := strings.CutPrefix(text[at:], "<"+element)
	return found && rest != "" && (isBlank(rest[0]) || rest[0] == '>' || rest[0] == '/')
}

// tagAt returns the start tag at a '<', up to the next one at most.
func tagAt(text string, at int) string {
	tag := text[at:min(len(text), at+maxTagLength)]
	if end := strings.IndexByte(tag[1:], '<'); end >= 0 {
		tag = tag[:1+end]
	}
	return tag
}

// tagAttribute returns an attribute's value in a start tag that may be damaged. It returns ""
// unless the tag has the attribute exactly once.
func tagAttribute(tag, name string) string {
	before, after, found := strings.Cut(tag, name)
	if !found || !isBlank(before[len(before)-1]) || strings.Contains(after, name) {
		return ""
	}
	after, found = strings.CutPrefix(trimBlanks(after), "=")
	if after = trimBlanks(after); !found || after == "" || after[0] != '"' && after[0] != '\'' {
		return ""
	}
	value, _, found := strings.Cut(after[1:], after[:1])
	if !found {
		return ""
	}
	return value
}

// quarantineBody makes a body that cannot be decoded one malformed part. It reads the session
// and the indices, so that the ledger does not report the body's records as missing.
func (d *Decoder) quarantineBody(err error) {
	text := d.body
	if isUTF16(text) {
		text = asciiOf(text)
	}
	if at := nextTag(text, rootElement, 0); at >= 0 {
		d.batch.Session = withoutBlanks(tagAttribute(tagAt(text, at), "session"))
	}
	d.batch.Unreadable = true
	d.batch.Malformed = append(d.batch.Malformed, Malformed{Raw: d.body, Err: err, Indices: appendIndices(nil, text)})
}

// isUTF16 reports whether a body begins with a byte order mark or a tag in UTF-16.
func isUTF16(body string) bool {
	const littleEndian, bigEndian = "\xff\xfe", "\xfe\xff"
	return strings.HasPrefix(body, littleEndian) || strings.HasPrefix(body, bigEndian) ||
		strings.HasPrefix(body, "<\x00") || strings.HasPrefix(body, "\x00<")
}

// asciiOf returns the ASCII characters of a body in UTF-16, of both byte orders, and '?' for
// each other one. Start tags have ASCII characters only.
func asciiOf(body string) string {
	ascii := make([]byte, 0, len(body)/2)
	for i := 0; i+1 < len(body); i += 2 {
		switch low, high := body[i], body[i+1]; {
		case high == 0 && low < utf8.RuneSelf:
			ascii = append(ascii, low)
		case low == 0 && high < utf8.RuneSelf:
			ascii = append(ascii, high)
		default:
			ascii = append(ascii, '?')
		}
	}
	return string(ascii)
}
