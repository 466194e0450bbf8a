// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"math"
	"strings"
)

// MaxStreams is the largest number of streams that are decoded of one MEDIA.
const MaxStreams = 64

// Stream is one m= line of a session description (RFC 4566, 5.14).
type Stream struct {
	Text     string
	Type     string // audio, video, application, text, message, image
	Port     int    // 0 for a rejected stream
	Protocol string
}

// ParseMedia appends the streams of a value, which OCMS joins with semicolons. ok is
// false if a stream could not be parsed, truncated is true beyond MaxStreams.
func ParseMedia(value string, streams []Stream) (all []Stream, truncated, ok bool) {
	ok = true
	for rest := value; rest != ""; {
		text := rest
		if end := strings.IndexByte(rest, ';'); end >= 0 {
			text, rest = rest[:end], rest[end+1:]
		} else {
			rest = ""
		}
		if text = trimSpace(text); text == "" {
			continue
		}
		if len(streams) == MaxStreams {
			return streams, true, ok
		}
		streams = append(streams, Stream{Text: text})
		ok = streams[len(streams)-1].parse() && ok
	}
	return streams, false, ok
}

// parse parses <type> <port>[/<number of ports>] <protocol> <formats>.
func (s *Stream) parse() (ok bool) {
	kind, rest, ok := cutAt(s.Text, ' ')
	if !ok {
		return false
	}
	s.Type = kind
	port, rest, ok := cutAt(rest, ' ')
	if !ok {
		return false
	}
	port, _, _ = cutAt(port, '/')
	s.Port, ok = parsePort(port)
	s.Protocol, _, _ = cutAt(rest, ' ')
	return ok && s.Type != "" && s.Protocol != ""
}

// cutAt is strings.Cut at a byte. Its loop is faster for short words.
func cutAt(text string, separator byte) (word, rest string, ok bool) {
	for i := range len(text) {
		if text[i] == separator {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// Sequence is the value of CSeq.
type Sequence struct {
	Number uint32
	Method string
}

// ParseCSeq parses <number> <method>.
func ParseCSeq(value string) (s Sequence, ok bool) {
	digits, method, _ := cutAt(value, ' ')
	n, ok := parseDigits(digits, math.MaxUint32)
	s.Number, s.Method = uint32(n), trimSpace(method) //nolint:gosec // at most MaxUint32
	return s, ok && s.Method != ""
}
