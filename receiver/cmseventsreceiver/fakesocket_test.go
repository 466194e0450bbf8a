// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
)

// fakeSocket is the bridge's side of one event socket.
type fakeSocket struct {
	bridge   *fakeBridge
	conn     *websocket.Conn
	scripted bool
	acked    chan int64
	frames   chan frame // to the client, or from it with a script
	done     chan struct{}

	subs          map[int64]fakeSubscription // guarded by bridge.mu, as are the fields below
	usedIndexes   map[int64]string           // each used index and its target
	nextMessageID int64
}

type fakeSubscription struct{ kind, call string }

// frame is one JSON frame.
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

func (p *fakeSocket) readFrames(ctx context.Context) {
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
			p.bridge.countUp("ack")
			p.acked <- *f.Ack.ID
		case f.Message != nil && f.Message.Type == "subscribeRequest":
			p.bridge.countUp("request")
			p.checkRequest(&f)
			if p.scripted {
				p.frames <- f
			} else {
				p.applyRequest(&f)
			}
		default:
			assert.Fail(p.bridge.t, "not a message of a client", "%s", data)
		}
	}
}

// checkRequest fails the test if a request breaks a rule.
func (p *fakeSocket) checkRequest(f *frame) {
	b := p.bridge
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.LessOrEqual(b.t, len(f.Message.Subscriptions), 100, "subscriptions of one socket")
	b.counts["subscriptions"] = max(b.counts["subscriptions"], len(f.Message.Subscriptions))
	indexes := map[int64]bool{}
	for _, s := range f.Message.Subscriptions {
		assert.False(b.t, indexes[s.Index], "index %d twice in one request", s.Index)
		indexes[s.Index] = true
		target := s.Type + " " + s.Call
		if former, used := p.usedIndexes[s.Index]; used {
			assert.Equal(b.t, former, target, "index %d for something else", s.Index)
		}
		p.usedIndexes[s.Index] = target
	}
}

// applyRequest ends the subscriptions that are not in the request, and activates new ones
// with a snapshot.
func (p *fakeSocket) applyRequest(f *frame) {
	b := p.bridge
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.faults.sendNothing || b.faults.withholdAcks {
		return
	}
	status := "success"
	others := b.faults.refuseFurtherSockets
	for _, s := range f.Message.Subscriptions {
		others = others && s.Type != "calls"
		for _, name := range s.Elements {
			if slices.Contains(b.faults.refusedElements, name) {
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
	wanted := map[int64]fakeSubscription{}
	var states []string
	var fresh []int64
	for _, s := range f.Message.Subscriptions {
		wanted[s.Index] = fakeSubscription{s.Type, s.Call}
		if _, known := p.subs[s.Index]; known {
			continue
		}
		if s.Call != "" && b.calls[s.Call] == nil {
			states = append(states, fmt.Sprintf(`{"index":%d,"state":"deactivated"}`, s.Index))
			delete(wanted, s.Index)
			continue
		}
		b.counts["subscribed "+s.Type]++
		if slices.Contains(b.faults.neverActive, s.Type) {
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
		p.sendMessage(`"type":"subscriptionUpdate","subscriptions":[` + strings.Join(states, ",") + `]`)
	}
	for _, index := range fresh {
		p.sendSnapshot(index)
	}
}

func (p *fakeSocket) sendSnapshot(index int64) {
	b, s := p.bridge, p.subs[index]
	var updates []string
	if slices.Contains(b.faults.damagedSnapshots, s.kind) {
		p.sendMessage(fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":"x","name":"a "quote""}]`, index))
		return
	}
	switch s.kind {
	case "calls":
		for _, id := range b.order {
			updates = append(updates, updateJSON("call", id, "add", b.calls[id].elements))
		}
		p.sendUpdates("callListUpdate", index, updates)
	case "callInfo":
		p.sendCallInfo(index, b.calls[s.call].elements)
	case "callRoster":
		call := b.calls[s.call]
		for _, id := range call.order {
			updates = append(updates, updateJSON("participant", id, "add", call.people[id]))
		}
		p.sendUpdates("rosterUpdate", index, updates)
	}
}

func updateJSON(key, id, updateType string, e elements) string {
	all := elements{key: id, "updateType": updateType}
	maps.Copy(all, e)
	text, _ := json.Marshal(all)
	return string(text)
}

func (p *fakeSocket) sendUpdates(kind string, index int64, updates []string) {
	if len(updates) > 0 {
		p.sendMessage(fmt.Sprintf(`"type":%q,"subscriptionIndex":%d,"updates":[%s]`, kind, index, strings.Join(updates, ",")))
	}
}

func (p *fakeSocket) sendCallInfo(index int64, e elements) {
	text, _ := json.Marshal(e)
	p.sendMessage(fmt.Sprintf(`"type":"callInfoUpdate","subscriptionIndex":%d,"callInfo":%s`, index, text))
}

func (p *fakeSocket) sendMessage(content string) {
	id := p.nextMessageID
	p.nextMessageID++
	p.send(frame{raw: fmt.Appendf(nil, `{"type":"message","message":{"messageId":%d,%s}}`, id, content), id: id})
}

func (p *fakeSocket) send(f frame) {
	select {
	case p.frames <- f:
	default:
		assert.Fail(p.bridge.t, "the bridge's own queue is full")
	}
}

// writeFrames sends each message after the acknowledgement of the one before.
func (p *fakeSocket) writeFrames() {
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
		if faults.sendNothing {
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

func (p *fakeSocket) transmit(raw []byte, f faults) error {
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
