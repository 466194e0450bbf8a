// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsevents

import (
	"bytes"
	"strconv"
)

// salvage finds the message id and the subscription index of a frame that is
// damaged, unless they were read. In what is JSON a quoted name with a colon
// behind it is a member's name: in a string the quotes would be escaped.
func salvage(data []byte, f *Frame) {
	if !f.HasID {
		f.ID, f.HasID = memberInteger(data, `"messageId"`)
	}
	if !f.HasIndex {
		f.Index, f.HasIndex = memberInteger(data, `"subscriptionIndex"`)
	}
	f.IsMessage = f.IsMessage || bytes.Contains(data, []byte(`"message"`))
}

// memberInteger returns the whole number, quoted or not, of the first member of
// a name that has one.
func memberInteger(data []byte, name string) (n int64, found bool) {
	const blanks, longest = " \t\r\n", 21
	for {
		_, rest, next := bytes.Cut(data, []byte(name))
		if !next {
			return 0, false
		}
		data = rest
		value, colon := bytes.CutPrefix(bytes.TrimLeft(rest[:min(len(rest), 2*longest)], blanks), []byte(":"))
		value = bytes.TrimPrefix(bytes.TrimLeft(value, blanks), []byte(`"`))
		end := bytes.IndexFunc(value, func(r rune) bool { return r != '-' && (r < '0' || r > '9') })
		if !colon || end < 1 { // a number at the very end may be cut
			continue
		}
		if n, err := strconv.ParseInt(string(value[:end]), 10, 64); err == nil {
			return n, true
		}
	}
}
