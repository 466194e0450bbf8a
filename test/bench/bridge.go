// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// eventBridge is a Call Bridge whose calls have people: it answers their subscriptions, and
// feeds them frames. It runs in the first process, so that nothing of it is in a figure.
type eventBridge struct {
	calls, people int // people of each call
	address       string

	mu      sync.Mutex // guards everything below
	changed *sync.Cond
	http    *http.Server
	clients map[*eventClient]struct{}
	rosters int // that are subscribed to
}

// eventClient is one connection.
type eventClient struct {
	bridge      *eventBridge
	conn        *websocket.Conn
	known       map[int64]bool // indexes
	roster      int64          // index of the first roster
	first       int            // and the call it is of
	sent, acked int64
}

// What clients say that has to be understood.
type eventRequest struct {
	Ack *struct {
		ID int64 `json:"messageId"`
	} `json:"messageAck"`
	Message *struct {
		ID            int64 `json:"messageId"`
		Subscriptions []struct {
			Index int64  `json:"index"`
			Type  string `json:"type"`
			Call  string `json:"call"`
		} `json:"subscriptions"`
	} `json:"message"`
}

func newEventBridge(calls, people int) (*eventBridge, error) {
	b := &eventBridge{calls: calls, people: people, address: "127.0.0.1:0", clients: make(map[*eventClient]struct{})}
	b.changed = sync.NewCond(&b.mu)
	return b, b.start()
}

// start listens, after a stop at the same address.
func (b *eventBridge) start() error {
	listener, err := net.Listen("tcp", b.address)
	if err != nil {
		return err
	}
	b.address = listener.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/authTokens", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Cisco-CMS-Auth-Token", "token") })
	mux.HandleFunc("/api/v1/system/status", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/events/v1", b.serve)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	b.mu.Lock()
	b.http = server
	b.mu.Unlock()
	go func() { _ = server.Serve(listener) }() // until stop
	return nil
}

// stop ends the listener and all connections.
func (b *eventBridge) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.http.Close()
	for c := range b.clients {
		_ = c.conn.Close()
	}
	b.rosters = 0
}

func (b *eventBridge) serve(w http.ResponseWriter, r *http.Request) {
	var upgrader websocket.Upgrader
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has answered
	}
	c := &eventClient{bridge: b, conn: conn, known: make(map[int64]bool)}
	b.mu.Lock()
	b.clients[c] = struct{}{}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.clients, c)
		b.changed.Broadcast()
		b.mu.Unlock()
		_ = conn.Close()
	}()
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		b.mu.Lock()
		err = c.take(text)
		b.changed.Broadcast()
		b.mu.Unlock()
		if err != nil {
			return
		}
	}
}

var acknowledges = []byte(`"messageAck"`)

func (c *eventClient) take(text []byte) error {
	if bytes.Contains(text, acknowledges) {
		c.acked++
		return nil
	}
	var r eventRequest
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	if err := c.write(fmt.Sprintf(`{"type":"messageAck","messageAck":{"messageId":%d,"status":"success"}}`, r.Message.ID)); err != nil {
		return err
	}
	for _, s := range r.Message.Subscriptions {
		if c.known[s.Index] {
			continue
		}
		c.known[s.Index] = true
		if err := c.subscribed(s.Index, s.Type, s.Call); err != nil {
			return err
		}
	}
	return nil
}

// subscribed begins a subscription: its state, and all there is.
func (c *eventClient) subscribed(index int64, kind, call string) error {
	if err := c.message(fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"active"}]`, index)); err != nil {
		return err
	}
	var all []string
	switch kind {
	case "calls":
		for n := range c.bridge.calls {
			all = append(all, fmt.Sprintf(`{"call":%q,"updateType":"add",%s}`, callOf(n), callElements(n, c.bridge.people)))
		}
		return c.message(fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":%d,"updates":[%s]`, index, strings.Join(all, ",")))
	case "callInfo":
		return c.message(fmt.Sprintf(`"type":"callInfoUpdate","subscriptionIndex":%d,"callInfo":{%s}`, index, callElements(0, c.bridge.people)))
	default:
		n := numberOf(call)
		if c.roster == 0 {
			c.roster, c.first = index, n
		}
		for p := range c.bridge.people {
			all = append(all, personAdd(n, p))
		}
		c.bridge.rosters++
		return c.message(fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, index, strings.Join(all, ",")))
	}
}

func (c *eventClient) write(text string) error {
	return c.conn.WriteMessage(websocket.TextMessage, []byte(text))
}

func (c *eventClient) message(content string) error {
	err := c.write(fmt.Sprintf(`{"type":"message","message":{"messageId":%d,%s}}`, c.sent, content))
	c.sent++
	return err
}

// await waits until all calls are subscribed to and everything is acknowledged.
func (b *eventBridge) await() error {
	return b.until(func() bool { return b.rosters >= b.calls && b.quiet() })
}

func (b *eventBridge) quiet() bool {
	for c := range b.clients {
		if c.acked < c.sent {
			return false
		}
	}
	return true
}

// until waits with the lock taken until ok.
func (b *eventBridge) until(ok func() bool) error {
	late := false
	timer := time.AfterFunc(patience, func() {
		b.mu.Lock()
		late = true
		b.changed.Broadcast()
		b.mu.Unlock()
	})
	defer timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for !ok() {
		if late {
			return fmt.Errorf("%d of %d rosters are subscribed to after %s, or something is not acknowledged", b.rosters, b.calls, patience)
		}
		b.changed.Wait()
	}
	return nil
}

// feed sends the one client so many frames, at most window of them
// unacknowledged, and waits until all are acknowledged.
func (b *eventBridge) feed(frames *eventFrames, n, window int) error {
	b.mu.Lock()
	var c *eventClient
	for c = range b.clients {
		break
	}
	b.mu.Unlock()
	if c == nil {
		return errors.New("no client")
	}
	for range n {
		room := func() bool { return c.sent-c.acked < int64(window) }
		b.mu.Lock()
		full := !room()
		b.mu.Unlock()
		if full {
			if err := b.until(room); err != nil {
				return err
			}
		}
		b.mu.Lock()
		err := c.message(frames.next(c.roster, c.first))
		b.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return b.until(b.quiet)
}

func callOf(n int) string { return fmt.Sprintf("50f204d0-0981-49b4-8035-%012d", n) }

func numberOf(call string) (n int) {
	_, _ = fmt.Sscanf(call[strings.LastIndexByte(call, '-')+1:], "%d", &n) // callOf's
	return n
}

func callElements(n, people int) string {
	return fmt.Sprintf(`"name":"Weekly sync %d","participants":%d,"distributedInstances":0,"recording":"inactive","endpointRecording":"inactive",`+
		`"streaming":"inactive","lockState":"notLocked","callType":"coSpace","callCorrelator":"1492c61c-870f-4063-87ae-%012d"`, n, people, n)
}

func personOf(call, person int) string {
	return fmt.Sprintf("383e2b95-73ef-%04d-84ca-%012d", call, person)
}

func personAdd(call, person int) string {
	return fmt.Sprintf(`{"participant":%q,"updateType":"add","name":"Nora Quill %d","uri":"nora.quill.%[2]d","state":"connected","direction":"incoming",`+
		`"audioMuted":false,"videoMuted":false,"importance":null,"layout":"speakerOnly","activeSpeaker":false,"presenter":false,`+
		`"endpointRecording":"inactive","canMove":true,"canMoveToLobby":true}`, personOf(call, person), person)
}

// eventFrames makes frames of one kind. Each frame changes something.
type eventFrames struct {
	kind   string
	people int
	i      int
}

// The kinds of frames.
const (
	frameUpdates = "updates" // of one element, the most there are of
	frameComings = "comings" // somebody leaves, and comes with all elements
)

func (f *eventFrames) next(roster int64, call int) string {
	pair, turn := f.i/2, f.i%2
	person := pair % f.people
	f.i++
	var entry string
	switch {
	case f.kind == frameUpdates:
		name := [...]string{"audioMuted", "activeSpeaker", "presenter", "videoMuted"}[pair%4]
		entry = fmt.Sprintf(`{"participant":%q,"updateType":"update",%q:%t}`, personOf(call, person), name, turn == 0)
	case turn == 0:
		entry = fmt.Sprintf(`{"participant":%q,"updateType":"remove","reason":"remoteTeardown"}`, personOf(call, person))
	default:
		entry = personAdd(call, person)
	}
	return fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, roster, entry)
}
