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

// network is a network in memory for tests in a synctest bubble.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener
	// frames counts the frames of all clients by kind.
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

// listen replaces the listener of an address.
func (n *network) listen(address string) *pipeListener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &pipeListener{address: address, conns: make(chan net.Conn), done: make(chan struct{})}
	n.listeners[address] = l
	return l
}

var errRefused = errors.New("connection refused")

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: errRefused}
	}
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return &frameRecorder{Conn: ours, network: n}, nil
	case <-l.done:
	case <-ctx.Done():
	}
	_ = ours.Close()
	_ = theirs.Close()
	return nil, &net.OpError{Op: "dial", Net: "pipe", Err: errRefused}
}

// frameRecorder parses the frames that a client writes.
type frameRecorder struct {
	net.Conn
	network  *network
	mu       sync.Mutex // guards everything below
	pending  []byte
	upgraded bool // the HTTP request was a WebSocket upgrade
}

func (w *frameRecorder) Write(b []byte) (int, error) {
	w.record(b)
	return w.Conn.Write(b)
}

func (w *frameRecorder) record(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, b...)
	if !w.upgraded {
		head, rest, complete := bytes.Cut(w.pending, []byte("\r\n\r\n"))
		if !complete || !bytes.Contains(head, []byte("Upgrade: websocket")) {
			return
		}
		w.upgraded, w.pending = true, rest
	}
	for w.nextFrame() {
	}
}

// nextFrame removes one frame (RFC 6455, 5.2) from pending.
func (w *frameRecorder) nextFrame() bool {
	if len(w.pending) < 6 {
		return false
	}
	size, header := int(w.pending[1]&0x7f), 6
	switch size {
	case 126:
		size, header = int(binary.BigEndian.Uint16(w.pending[2:])), 8
	case 127:
		return false
	}
	if len(w.pending) < header+size {
		return false
	}
	kind := map[byte]string{0x80 | 1: "text", 0x80 | 8: "close", 0x80 | 10: "pong"}[w.pending[0]]
	if kind == "" {
		kind = "forbidden"
	}
	w.network.mu.Lock()
	w.network.frames[kind]++
	if kind == "text" {
		w.network.largest = max(w.network.largest, size)
	}
	w.network.mu.Unlock()
	w.pending = w.pending[header+size:]
	return true
}
