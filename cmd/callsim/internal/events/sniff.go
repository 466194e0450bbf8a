// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
)

// The frames of RFC 6455.
const (
	opText   = 1
	opBinary = 2
	opPing   = 9
	opPong   = 10
)

// sniffer reads the frame headers of a client, which the WebSocket library does not show:
// only they reveal pings and fragments.
type sniffer struct {
	header []byte // of the current frame
	body   uint64 // bytes left of the current frame
	found  func(Misuse)
}

// readBytes reads the next bytes of the stream.
func (s *sniffer) readBytes(p []byte) {
	for len(p) > 0 {
		if s.body > 0 {
			n := min(s.body, uint64(len(p)))
			s.body -= n
			p = p[n:]
			continue
		}
		s.header = append(s.header, p[0])
		p = p[1:]
		if size, whole := headerLength(s.header); whole {
			s.checkFrame(s.header[0])
			s.header, s.body = s.header[:0], size
		}
	}
}

// headerLength returns the length of the body once the header is complete.
func headerLength(h []byte) (size uint64, whole bool) {
	if len(h) < 2 {
		return 0, false
	}
	need := 2
	if h[1]&0x80 != 0 {
		need += 4 // the mask
	}
	switch length := h[1] & 0x7f; length {
	case 126:
		need += 2
		if len(h) < need {
			return 0, false
		}
		return uint64(binary.BigEndian.Uint16(h[2:])), true
	case 127:
		need += 8
		if len(h) < need {
			return 0, false
		}
		return binary.BigEndian.Uint64(h[2:]), true
	default:
		return uint64(length), len(h) == need
	}
}

// checkFrame reports the misuse of a frame by its first byte. Of a fragmented message only
// the first frame counts.
func (s *sniffer) checkFrame(first byte) {
	final, opcode := first&0x80 != 0, first&0x0f
	switch opcode {
	case opPing:
		s.found(Ping)
	case opPong:
		s.found(Pong)
	case opBinary:
		s.found(Binary)
	}
	if !final && (opcode == opText || opcode == opBinary) {
		s.found(Fragmented)
	}
}

// sniffedResponse is a response whose hijacked connection passes through the sniffer.
type sniffedResponse struct {
	http.ResponseWriter
	sniffer *sniffer
}

// Hijack implements http.Hijacker.
func (s sniffedResponse) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	// These bytes will not be read from the connection again.
	early, _ := rw.Peek(rw.Reader.Buffered())
	s.sniffer.readBytes(early)
	return sniffedConn{conn, s.sniffer}, rw, nil
}

type sniffedConn struct {
	net.Conn
	sniffer *sniffer
}

func (c sniffedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.sniffer.readBytes(p[:n])
	return n, err
}
