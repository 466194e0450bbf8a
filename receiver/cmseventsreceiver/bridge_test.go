// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
)

const (
	username = "events"
	password = "correct-horse"
)

// elements are what a call or participant says of itself.
type elements map[string]any

// bridge plays a Call Bridge: API, event sockets, and the rules of both. It
// keeps calls and participants and tells subscribers what happens to them. It
// reports what a client must not do.
type bridge struct {
	t       testing.TB // of whoever plays with it
	address string
	server  *http.Server
	listen  func() net.Listener

	mu       sync.Mutex // guards everything below
	calls    map[string]*bridgeCall
	order    []string
	sockets  map[*peer]struct{}
	tokens   map[string]bool
	made     int
	gone     chan struct{}  // closed when the bridge stops
	counts   map[string]int // of requests and frames, by what they are
	password string
	faults   faults
}

type bridgeCall struct {
	elements elements
	people   map[string]elements
	order    []string
}

// faults a bridge can have.
type faults struct {
	// tokenStatus and socketStatus answer instead, if not zero.
	tokenStatus, socketStatus int
	// expired makes tokens worthless before they are used.
	expired bool
	// sockets is how many there can be at once; 0 means 5.
	sockets int
	// quietAcks withholds the acknowledgements of requests, quiet everything.
	quietAcks, quiet bool
	// dropAfter ends a socket after so many of its messages.
	dropAfter int
	// statusHangs makes the API not answer for the status, tokenHangs not for a
	// token.
	statusHangs, tokenHangs bool
	// ping sends a ping before each message, binary sends messages as binary,
	// fragment in fragments.
	ping, binary, fragment bool
	// deaf reads nothing of what a client writes.
	deaf bool
	// refuses are elements that no request may hold.
	refuses []string
	// refusesOthers takes requests of the socket alone that asks for the calls.
	refusesOthers bool
	// pending are the kinds of subscriptions that never become active.
	pending []string
	// garbled are the kinds of subscriptions whose snapshots come damaged.
	garbled []string
	// bridges are the answers to /callBridges by offset, name that to
	// /system/configuration/cluster; without both are 404.
	bridges map[string]string
	name    string
	// script replaces the bridge's own ways on a socket.
	script func(p *peer)
}

// newBridge starts a bridge that ends with the test.
func newBridge(tb testing.TB, address string, listen func() net.Listener) *bridge {
	tb.Helper()
	b := &bridge{
		t: tb, address: address, listen: listen, calls: map[string]*bridgeCall{}, sockets: map[*peer]struct{}{},
		tokens: map[string]bool{}, counts: map[string]int{}, password: password,
	}
	b.start()
	tb.Cleanup(b.stop)
	return b
}

func (b *bridge) start() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/authTokens", b.token)
	mux.HandleFunc("GET /api/v1/system/status", b.status)
	mux.HandleFunc("GET /api/v1/system/configuration/cluster", b.cluster)
	mux.HandleFunc("GET /api/v1/callBridges", b.callBridges)
	mux.HandleFunc("GET /events/v1", b.socket)
	b.gone = make(chan struct{})
	b.server = &http.Server{Handler: mux}
	server, listener := b.server, b.listen()
	go func() { _ = server.Serve(listener) }()
}

// stop ends the server and all of its sockets.
func (b *bridge) stop() {
	select {
	case <-b.gone:
	default:
		close(b.gone)
	}
	_ = b.server.Close()
	b.drop()
}

// drop ends all sockets without a word.
func (b *bridge) drop() {
	for _, p := range b.peers() {
		_ = p.conn.CloseNow()
	}
}

func (b *bridge) peers() []*peer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.sockets))
}

func (b *bridge) set(change func(f *faults)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.faults)
}

func (b *bridge) count(what string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts[what]
}

func (b *bridge) socket(w http.ResponseWriter, r *http.Request) {
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
	p := &peer{bridge: b, subs: map[int64]subscription{}, used: map[int64]string{}, acked: make(chan int64, 1000), frames: make(chan frame, 10_000), done: make(chan struct{})}
	if status == 0 {
		b.sockets[p] = struct{}{}
		b.counts["sockets at once"] = max(b.counts["sockets at once"], len(b.sockets))
	}
	script, deaf := b.faults.script, b.faults.deaf
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
		OnPingReceived: func(context.Context, []byte) bool { b.note("ping"); return true },
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
		<-b.gone
		return
	}
	if script != nil {
		p.scripted = true
		wg.Go(func() { script(p) })
	} else {
		wg.Go(p.write)
	}
	p.readAll(context.WithoutCancel(r.Context()))
	_ = conn.CloseNow()
}

func (b *bridge) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts[what]++
}

// peer is one event socket, as the bridge sees it.
type peer struct {
	bridge   *bridge
	conn     *websocket.Conn
	scripted bool
	acked    chan int64
	frames   chan frame // to the client, or from it if scripted
	done     chan struct{}

	subs map[int64]subscription // guarded by bridge.mu, as is what follows
	used map[int64]string       // each index that was ever used, and for what
	last int64
}

type subscription struct{ kind, call string }

// frame is a frame of the wire.
type frame struct {
	Type    string `json:"type"`
	Message *struct {
		ID            *int64 `json:"messageId"`
		Type          string `json:"type"`
		Subscriptions []struct {
			Index    int64    `json:"index"`
			Type     string   `json:"type"`
			Call     string   `json:"call"`
			Elements []string `json:"elements"`
		} `json:"subscriptions"`
	} `json:"message,omitempty"`
	Ack *struct {
		ID     *int64 `json:"messageId"`
		Status string `json:"status"`
	} `json:"messageAck,omitempty"`

	raw []byte // to the client
	id  int64  // of raw; negative for an acknowledgement
}

func (p *peer) readAll(ctx context.Context) {
	for {
		kind, data, err := p.conn.Read(ctx)
		if err != nil {
			return
		}
		assert.Equal(p.bridge.t, websocket.MessageText, kind)
		var f frame
		assert.NoError(p.bridge.t, json.Unmarshal(data, &f))
		switch {
		case f.Ack != nil && f.Ack.ID != nil:
			assert.Equal(p.bridge.t, "success", f.Ack.Status)
			p.bridge.note("ack")
			p.acked <- *f.Ack.ID
		case f.Message != nil && f.Message.Type == "subscribeRequest":
			p.bridge.note("request")
			p.check(&f)
			if p.scripted {
				p.frames <- f
			} else {
				p.subscribe(&f)
			}
		default:
			assert.Fail(p.bridge.t, "not a message of a client", "%s", data)
		}
	}
}

// check reports a request that breaks the rules.
func (p *peer) check(f *frame) {
	b := p.bridge
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.LessOrEqual(b.t, len(f.Message.Subscriptions), 100, "subscriptions of one socket")
	b.counts["subscriptions"] = max(b.counts["subscriptions"], len(f.Message.Subscriptions))
	indexes := map[int64]bool{}
	for _, s := range f.Message.Subscriptions {
		assert.False(b.t, indexes[s.Index], "index %d twice in one request", s.Index)
		indexes[s.Index] = true
		what := s.Type + " " + s.Call
		if former, used := p.used[s.Index]; used {
			assert.Equal(b.t, former, what, "index %d for something else", s.Index)
		}
		p.used[s.Index] = what
	}
}

// subscribe does what a request asks: what is not in it ends, what is new
// becomes active and is told in full.
func (p *peer) subscribe(f *frame) {
	b := p.bridge
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.faults.quiet || b.faults.quietAcks {
		return
	}
	status := "success"
	others := b.faults.refusesOthers
	for _, s := range f.Message.Subscriptions {
		others = others && s.Type != "calls"
		for _, name := range s.Elements {
			if slices.Contains(b.faults.refuses, name) {
				status = "failure"
			}
		}
	}
	if others {
		status = "failure"
	}
	p.send(frame{raw: fmt.Appendf(nil, `{"type":"messageAck","messageAck":{"messageId":%d,"status":%q}}`, *f.Message.ID, status), id: -1})
	if status != "success" {
		b.counts["refused"]++
		return
	}
	wanted := map[int64]subscription{}
	var states []string
	var fresh []int64
	for _, s := range f.Message.Subscriptions {
		wanted[s.Index] = subscription{s.Type, s.Call}
		if _, known := p.subs[s.Index]; known {
			continue
		}
		if s.Call != "" && b.calls[s.Call] == nil {
			states = append(states, fmt.Sprintf(`{"index":%d,"state":"deactivated"}`, s.Index))
			delete(wanted, s.Index)
			continue
		}
		b.counts["subscribed "+s.Type]++
		if slices.Contains(b.faults.pending, s.Type) {
			states = append(states, fmt.Sprintf(`{"index":%d,"state":"pending"}`, s.Index))
			continue
		}
		states = append(states, fmt.Sprintf(`{"index":%d,"state":"active"}`, s.Index))
		fresh = append(fresh, s.Index)
	}
	for index := range p.subs {
		if _, kept := wanted[index]; !kept {
			states = append(states, fmt.Sprintf(`{"index":%d,"state":"deactivated"}`, index))
		}
	}
	p.subs = wanted
	if len(states) > 0 {
		p.message(`"type":"subscriptionUpdate","subscriptions":[` + strings.Join(states, ",") + `]`)
	}
	for _, index := range fresh {
		p.snapshot(index)
	}
}

func (p *peer) snapshot(index int64) {
	b, s := p.bridge, p.subs[index]
	var updates []string
	if slices.Contains(b.faults.garbled, s.kind) {
		p.message(fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":"x","name":"a "quote""}]`, index))
		return
	}
	switch s.kind {
	case "calls":
		for _, id := range b.order {
			updates = append(updates, entry("call", id, "add", b.calls[id].elements))
		}
		p.updates("callListUpdate", index, updates)
	case "callInfo":
		p.info(index, b.calls[s.call].elements)
	case "callRoster":
		call := b.calls[s.call]
		for _, id := range call.order {
			updates = append(updates, entry("participant", id, "add", call.people[id]))
		}
		p.updates("rosterUpdate", index, updates)
	}
}

func entry(key, id, updateType string, e elements) string {
	all := elements{key: id, "updateType": updateType}
	maps.Copy(all, e)
	text, _ := json.Marshal(all)
	return string(text)
}

func (p *peer) updates(kind string, index int64, updates []string) {
	if len(updates) > 0 {
		p.message(fmt.Sprintf(`"type":%q,"subscriptionIndex":%d,"updates":[%s]`, kind, index, strings.Join(updates, ",")))
	}
}

func (p *peer) info(index int64, e elements) {
	text, _ := json.Marshal(e)
	p.message(fmt.Sprintf(`"type":"callInfoUpdate","subscriptionIndex":%d,"callInfo":%s`, index, text))
}

func (p *peer) message(content string) {
	id := p.last
	p.last++
	p.send(frame{raw: fmt.Appendf(nil, `{"type":"message","message":{"messageId":%d,%s}}`, id, content), id: id})
}

func (p *peer) send(f frame) {
	select {
	case p.frames <- f:
	default:
		assert.Fail(p.bridge.t, "the bridge's own queue is full")
	}
}

// write sends message after message, each when the one before is acknowledged.
func (p *peer) write() {
	for sent := 0; ; {
		var f frame
		select {
		case f = <-p.frames:
		case <-p.done:
			return
		}
		p.bridge.mu.Lock()
		faults := p.bridge.faults
		p.bridge.mu.Unlock()
		if faults.quiet {
			continue
		}
		if p.transmit(f.raw, faults) != nil {
			return
		}
		if f.id < 0 {
			continue
		}
		select {
		case got := <-p.acked:
			assert.Equal(p.bridge.t, f.id, got, "each message is acknowledged, in order")
		case <-p.done:
			return
		}
		if sent++; faults.dropAfter > 0 && sent >= faults.dropAfter {
			_ = p.conn.CloseNow()
			return
		}
	}
}

func (p *peer) transmit(raw []byte, f faults) error {
	ctx := context.Background()
	if f.ping {
		go func() { _ = p.conn.Ping(ctx) }()
	}
	kind := websocket.MessageText
	if f.binary {
		kind = websocket.MessageBinary
	}
	if !f.fragment {
		return p.conn.Write(ctx, kind, raw)
	}
	w, err := p.conn.Writer(ctx, kind)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(raw, 7) {
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	return w.Close()
}
