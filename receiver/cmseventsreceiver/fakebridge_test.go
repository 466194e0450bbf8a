// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
)

const (
	username = "events"
	password = "correct-horse"
)

// elements are the elements of a call or participant by wire name.
type elements map[string]any

// fakeBridge simulates a Call Bridge: its API, its event sockets and their rules. It holds
// calls and participants, reports changes to subscribers, and fails the test if the client
// breaks a rule.
type fakeBridge struct {
	t       testing.TB // of the running test
	address string
	server  *http.Server
	listen  func() net.Listener

	mu         sync.Mutex // guards everything below
	calls      map[string]*bridgeCall
	order      []string
	sockets    map[*fakeSocket]struct{}
	tokens     map[string]bool
	tokensMade int
	stopped    chan struct{}  // closed when the bridge stops
	counts     map[string]int // of requests and frames, by kind
	password   string
	faults     faults
}

type bridgeCall struct {
	elements elements
	people   map[string]elements
	order    []string
}

// faults change the behavior of a fakeBridge.
type faults struct {
	// tokenStatus and socketStatus are the HTTP status of the answers, if not zero.
	tokenStatus, socketStatus int
	// expired makes every token invalid.
	expired bool
	// sockets is the largest number of open sockets; 0 means 5.
	sockets int
	// withholdAcks suppresses the acknowledgements of requests, sendNothing every message.
	withholdAcks, sendNothing bool
	// dropAfter drops a socket after this number of messages.
	dropAfter int
	// statusHangs and tokenHangs make the API never answer a status or token request.
	statusHangs, tokenHangs bool
	// ping sends a ping before each message, binary sends binary messages, fragment sends
	// fragmented messages.
	ping, binary, fragment bool
	// readNothing stops reading from a socket.
	readNothing bool
	// refusedElements make the bridge refuse a request.
	refusedElements []string
	// refuseFurtherSockets makes the bridge accept requests of the first socket only.
	refuseFurtherSockets bool
	// neverActive are the kinds of subscriptions that stay pending.
	neverActive []string
	// damagedSnapshots are the kinds of subscriptions with a damaged snapshot.
	damagedSnapshots []string
	// callBridges are the answers to /callBridges by offset, uniqueName that to
	// /system/configuration/cluster. Without them the answer is 404.
	callBridges map[string]string
	uniqueName  string
	// script replaces the behavior of a socket.
	script func(p *fakeSocket)
}

// newFakeBridge starts a bridge that stops with the test.
func newFakeBridge(tb testing.TB, address string, listen func() net.Listener) *fakeBridge {
	tb.Helper()
	b := &fakeBridge{
		t: tb, address: address, listen: listen, calls: map[string]*bridgeCall{}, sockets: map[*fakeSocket]struct{}{},
		tokens: map[string]bool{}, counts: map[string]int{}, password: password,
	}
	b.start()
	tb.Cleanup(b.stop)
	return b
}

func (b *fakeBridge) start() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/authTokens", b.serveToken)
	mux.HandleFunc("GET /api/v1/system/status", b.serveStatus)
	mux.HandleFunc("GET /api/v1/system/configuration/cluster", b.serveCluster)
	mux.HandleFunc("GET /api/v1/callBridges", b.serveCallBridges)
	mux.HandleFunc("GET /events/v1", b.serveSocket)
	b.stopped = make(chan struct{})
	b.server = &http.Server{Handler: mux}
	server, listener := b.server, b.listen()
	go func() { _ = server.Serve(listener) }()
}

// stop stops the HTTP server and drops all sockets.
func (b *fakeBridge) stop() {
	select {
	case <-b.stopped:
	default:
		close(b.stopped)
	}
	_ = b.server.Close()
	b.dropSockets()
}

// dropSockets closes all sockets without a close frame.
func (b *fakeBridge) dropSockets() {
	for _, p := range b.peers() {
		_ = p.conn.CloseNow()
	}
}

func (b *fakeBridge) peers() []*fakeSocket {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.sockets))
}

func (b *fakeBridge) setFaults(change func(f *faults)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.faults)
}

func (b *fakeBridge) count(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts[key]
}

func (b *fakeBridge) serveSocket(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("authToken")
	b.mu.Lock()
	b.counts["socket"]++
	limit := b.faults.sockets
	if limit == 0 {
		limit = maxConnections
	}
	status := b.faults.socketStatus
	switch {
	case status != 0:
	case !b.tokens[token]:
		status = http.StatusUnauthorized
	case len(b.sockets) >= limit:
		status = http.StatusServiceUnavailable
	}
	delete(b.tokens, token)
	p := &fakeSocket{bridge: b, subs: map[int64]fakeSubscription{}, usedIndexes: map[int64]string{}, acked: make(chan int64, 1000), frames: make(chan frame, 10_000), done: make(chan struct{})}
	if status == 0 {
		b.sockets[p] = struct{}{}
		b.counts["sockets at once"] = max(b.counts["sockets at once"], len(b.sockets))
	}
	script, deaf := b.faults.script, b.faults.readNothing
	b.mu.Unlock()
	if status != 0 {
		w.Header().Set("Connection", "close")
		w.WriteHeader(status)
		return
	}
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.sockets, p)
	}()
	assert.Empty(b.t, r.Header.Get("Sec-WebSocket-Extensions"), "no extension is offered")
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool { b.countUp("ping"); return true },
	})
	if err != nil {
		return
	}
	conn.SetReadLimit(1 << 20)
	b.mu.Lock()
	p.conn = conn
	b.mu.Unlock()
	defer func() { _ = conn.CloseNow() }()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(p.done)
	if deaf {
		<-b.stopped
		return
	}
	if script != nil {
		p.scripted = true
		wg.Go(func() { script(p) })
	} else {
		wg.Go(p.writeFrames)
	}
	p.readFrames(context.WithoutCancel(r.Context()))
	_ = conn.CloseNow()
}

func (b *fakeBridge) countUp(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts[key]++
}
