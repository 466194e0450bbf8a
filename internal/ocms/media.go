// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"strconv"
	"strings"
)

// MaxStreams of one MEDIA are read.
const MaxStreams = 64

// Stream is one m= line of a session description (RFC 4566, 5.14).
type Stream struct {
	Text     string
	Type     string // audio, video, application, text, message, image
	Port     int    // 0 if the stream is rejected
	Protocol string
}

// ParseMedia appends the streams of a value, which OCMS joins with semicolons.
func ParseMedia(value string, streams []Stream) (all []Stream, more, ok bool) {
	ok = true
	for text := range strings.SplitSeq(value, ";") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if len(streams) == MaxStreams {
			return streams, true, ok
		}
		stream, good := parseStream(text)
		streams = append(streams, stream)
		ok = ok && good
	}
	return streams, false, ok
}

// parseStream reads <type> <port>[/<number of ports>] <protocol> <formats>.
func parseStream(text string) (s Stream, ok bool) {
	s.Text = text
	kind, rest, ok := strings.Cut(text, " ")
	if !ok {
		return s, false
	}
	s.Type = kind
	port, rest, ok := strings.Cut(rest, " ")
	if !ok {
		return s, false
	}
	port, _, _ = strings.Cut(port, "/")
	s.Port, ok = parsePort(port)
	s.Protocol, _, _ = strings.Cut(rest, " ")
	return s, ok && s.Type != "" && s.Protocol != ""
}

// Sequence is the value of CSeq.
type Sequence struct {
	Number uint32
	Method string
}

// ParseCSeq reads <number> <method>.
func ParseCSeq(value string) (s Sequence, ok bool) {
	digits, method, ok := strings.Cut(value, " ")
	n, err := strconv.ParseUint(digits, 10, 32)
	s.Number, s.Method = uint32(n), strings.TrimSpace(method)
	return s, ok && err == nil && s.Method != ""
}
