// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSnifferSeesHeaders, wherever the stream is cut, and never takes a body for
// one.
func TestSnifferSeesHeaders(t *testing.T) {
	mask := []byte{1, 2, 3, 4}
	frame := func(first byte, length []byte, size int) []byte {
		return append(append(append([]byte{first}, length...), mask...), bytes.Repeat([]byte{0x89}, size)...)
	}
	stream := bytes.Join([][]byte{
		frame(0x81, []byte{0x80 | 5}, 5),
		frame(0x01, []byte{0x80 | 126, 1, 0}, 256), // first of three fragments
		frame(0x00, []byte{0x80}, 0),
		frame(0x80, []byte{0x80 | 3}, 3),
		frame(0x89, []byte{0x80}, 0),
		frame(0x8a, []byte{0x80 | 1}, 1),
		frame(0x82, []byte{0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0}, 65536),
		frame(0x88, []byte{0x80 | 2}, 2),
	}, nil)
	for _, step := range []int{1, 2, 7, 1000, len(stream)} {
		var found []Misuse
		s := sniffer{found: func(m Misuse) { found = append(found, m) }}
		for part := stream; len(part) > 0; {
			n := min(step, len(part))
			s.readBytes(part[:n])
			part = part[n:]
		}
		assert.Equal(t, []Misuse{Fragmented, Ping, Pong, Binary}, found, step)
	}
}
