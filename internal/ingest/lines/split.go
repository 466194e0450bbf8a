// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"bufio"
	"bytes"
)

// newSplitFunc returns a function that reads both framings of RFC 6587, even mixed on one
// connection: "27 <14>Mar 5 ..." is a frame of 27 bytes; any other line ends at a line end
// or NUL. Longer lines than limit are split.
func newSplitFunc(limit int) bufio.SplitFunc {
	return func(data []byte, atEOF bool) (advance int, token []byte, err error) {
		if len(data) == 0 {
			return 0, nil, nil
		}
		header, length, state := frameLength(data)
		switch {
		case state == frameIncomplete && !atEOF:
			return 0, nil, nil
		case state == frameComplete && header+length <= limit:
			switch {
			case header+length <= len(data):
				return header + length, data[header : header+length], nil
			case !atEOF:
				return 0, nil, nil
			}
			return len(data), data[header:], nil
		}
		if end := bytes.IndexAny(data[:min(len(data), limit)], "\n\x00"); end >= 0 {
			return end + 1, bytes.TrimSuffix(data[:end], []byte("\r")), nil
		}
		switch {
		case len(data) >= limit:
			return limit, data[:limit], nil
		case atEOF:
			return len(data), data, nil
		default:
			return 0, nil, nil
		}
	}
}

// States of frameLength: the bytes at which data begins.
const (
	frameNone       = iota // a line
	frameIncomplete        // more data is needed to tell
	frameComplete          // the complete length of a frame
)

// maxLengthDigits bounds the digits of a frame's length.
const maxLengthDigits = 9

// frameLength reads "27 <". The bracket distinguishes a frame from a line that begins with
// a number.
func frameLength(data []byte) (header, length, state int) {
	for header < len(data) && header < maxLengthDigits && data[header] >= '0' && data[header] <= '9' {
		length = length*10 + int(data[header]-'0')
		header++
	}
	switch {
	case header == 0 || data[0] == '0':
		return 0, 0, frameNone
	case header == len(data):
		return 0, 0, frameIncomplete
	case data[header] != ' ':
		return 0, 0, frameNone
	case header+1 == len(data):
		return 0, 0, frameIncomplete
	case data[header+1] != '<':
		return 0, 0, frameNone
	default:
		return header + 1, length, frameComplete
	}
}
