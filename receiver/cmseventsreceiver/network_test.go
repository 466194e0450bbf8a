// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
)

// network is a network in memory, so that tests run in a bubble of
// testing/synctest, where time passes when everybody waits.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener
	// frames are the frames the clients wrote, by what they are.
	frames  map[string]int
	largest int // payload of a text frame
}

func newNetwork() *network {
	return &network{listeners: make(map[string]*pipeListener), frames: make(map[string]int)}
}

type pipeListener struct {
	address string
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once
}

type pipeAddress string

func (pipeAddress) Network() string  { return "pipe" }
func (a pipeAddress) String() string { return string(a) }

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddress(l.address) }

// listen replaces what listened at the address.
func (n *network) listen(address string) *pipeListener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &pipeListener{address: address, conns: make(chan net.Conn), done: make(chan struct{})}
	n.listeners[address] = l
	return l
}

var errNobody = errors.New("connection refused")

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: errNobody}
	}
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return &watched{Conn: ours, network: n}, nil
	case <-l.done:
	case <-ctx.Done():
	}
	_ = ours.Close()
	_ = theirs.Close()
	return nil, &net.OpError{Op: "dial", Net: "pipe", Err: errNobody}
}

// watched reads along what a client writes.
type watched struct {
	net.Conn
	network *network
	mu      sync.Mutex // guards everything below
	seen    []byte
	socket  bool // the HTTP request was an upgrade
}

func (w *watched) Write(b []byte) (int, error) {
	w.look(b)
	return w.Conn.Write(b)
}

func (w *watched) look(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, b...)
	if !w.socket {
		head, rest, complete := bytes.Cut(w.seen, []byte("\r\n\r\n"))
		if !complete || !bytes.Contains(head, []byte("Upgrade: websocket")) {
			return
		}
		w.socket, w.seen = true, rest
	}
	for w.frame() {
	}
}

// frame takes one frame (RFC 6455, 5.2) off what was seen.
func (w *watched) frame() bool {
	if len(w.seen) < 6 {
		return false
	}
	size, header := int(w.seen[1]&0x7f), 6
	switch size {
	case 126:
		size, header = int(binary.BigEndian.Uint16(w.seen[2:])), 8
	case 127:
		return false
	}
	if len(w.seen) < header+size {
		return false
	}
	what := map[byte]string{0x80 | 1: "text", 0x80 | 8: "close", 0x80 | 10: "pong"}[w.seen[0]]
	if what == "" {
		what = "forbidden"
	}
	w.network.mu.Lock()
	w.network.frames[what]++
	if what == "text" {
		w.network.largest = max(w.network.largest, size)
	}
	w.network.mu.Unlock()
	w.seen = w.seen[header+size:]
	return true
}
