// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"iter"
	"strconv"
)

// salvageHeader finds the message id, the subscription index and the type of a damaged
// frame unless the decoder read them. In JSON a quoted name with a colon behind it is the
// name of a member, because quotes inside a string are escaped.
func salvageHeader(data []byte, f *Frame) {
	if !f.HasID {
		f.ID, f.HasID = memberInteger(data, `"messageId"`)
	}
	if !f.HasIndex {
		f.Index, f.HasIndex = memberInteger(data, `"subscriptionIndex"`)
	}
	if f.Type == OtherMessage {
		f.Type = memberType(data)
	}
	f.IsMessage = f.IsMessage || bytes.Contains(data, []byte(`"message"`))
}

// memberInteger returns the whole number, quoted or not, of the first member called name
// that has one.
func memberInteger(data []byte, name string) (n int64, found bool) {
	for value := range memberValues(data, name) {
		value = bytes.TrimPrefix(value, []byte(`"`))
		end := bytes.IndexFunc(value, func(r rune) bool { return r != '-' && (r < '0' || r > '9') })
		if end < 1 { // a number at the end of data may be incomplete
			continue
		}
		if n, err := strconv.ParseInt(string(value[:end]), 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}

// memberType returns the first message type that a member "type" has.
func memberType(data []byte) MessageType {
	for value := range memberValues(data, `"type"`) {
		text, quoted := bytes.CutPrefix(value, []byte(`"`))
		text, _, whole := bytes.Cut(text, []byte(`"`))
		if t := messageType(text); quoted && whole && t != OtherMessage {
			return t
		}
	}
	return OtherMessage
}

// maxMemberValue is the number of bytes of a member's value that memberValues yields. Ids,
// indexes and types are shorter, leading blanks included.
const maxMemberValue = 48

// memberValues yields the beginning of the value of each member called name.
func memberValues(data []byte, name string) iter.Seq[[]byte] {
	const blanks = " \t\r\n"
	return func(yield func([]byte) bool) {
		for {
			_, rest, next := bytes.Cut(data, []byte(name))
			if !next {
				return
			}
			data = rest
			value, colon := bytes.CutPrefix(bytes.TrimLeft(rest[:min(len(rest), maxMemberValue)], blanks), []byte(":"))
			if colon && !yield(bytes.TrimLeft(value, blanks)) {
				return
			}
		}
	}
}
