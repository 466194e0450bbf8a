// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// maxFrame is the largest frame that a client may send; a request for a hundred
// subscriptions with all elements is a quarter of it.
const maxFrame = 256 << 10

// socket is one WebSocket of a client. It becomes silent when the client withholds an
// acknowledgement, and mute by a fault.
type socket struct {
	server *server
	number int // for the log
	close  context.CancelFunc
	wake   chan struct{}
	conn   *websocket.Conn // nil before the handshake

	subs         map[int64]*subscription
	byResource   map[resource]*subscription
	lastResource map[int64]resource // last resource of each index
	ended        map[int64]bool     // indexes whose subscription the server ended
	requests     map[int64]bool     // acknowledged requests, which no acknowledgement of the client may name

	pendingAcks []ack // sent before messages
	queue       []item
	next        int64     // id of the next message
	sentAt      time.Time // of the message without an acknowledgement; zero: none
	silent      bool      // sends no more messages
	mute        bool      // sends nothing
}

func (k *socket) recordMisuse(kind Misuse, format string, args ...any) {
	k.server.recordMisuse(kind, "socket %d: "+format, append([]any{k.number}, args...)...)
}

// wakeWriter makes writeFrames look for frames.
func (k *socket) wakeWriter() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// readFrames handles frames until the connection ends.
func (k *socket) readFrames(ctx context.Context, conn *websocket.Conn) {
	conn.SetReadLimit(maxFrame)
	for {
		kind, text, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			continue // the sniffer has recorded the misuse
		}
		k.server.cluster.mu.Lock()
		k.handleFrame(text)
		k.server.cluster.mu.Unlock()
	}
}

// handleFrame handles one frame.
func (k *socket) handleFrame(text []byte) {
	in, err := decode(text)
	switch {
	case err != nil:
		k.recordMisuse(Malformed, "%v", err)
	case in.Ack != nil:
		k.handleAck(*in.Ack.ID, in.Ack.Status)
	case in.Message.Type == "subscribeRequest":
		k.applyRequest(*in.Message.ID, in.Message.Subscriptions)
		k.server.cluster.notifyWaiters()
	default:
		k.recordMisuse(UnknownMessage, "%q", in.Message.Type)
		k.queueAck(*in.Message.ID, statusFailure)
	}
}

// queueAck acknowledges a request of the client.
func (k *socket) queueAck(id int64, status string) {
	if len(k.requests) >= maxQueue {
		clear(k.requests)
	}
	k.requests[id] = true
	k.pendingAcks = append(k.pendingAcks, ack{id, status})
	k.wakeWriter()
}

// handleAck handles the acknowledgement of a message. Only the latest message can be
// unacknowledged.
func (k *socket) handleAck(id int64, status string) {
	waiting := !k.sentAt.IsZero() && id == k.next-1
	switch {
	case waiting:
		k.sentAt = time.Time{}
		k.server.account.Acknowledged++
		if status != statusSuccess {
			k.recordMisuse(FailedAck, "message %d: %q", id, status)
		}
		k.wakeWriter()
		k.server.cluster.notifyWaiters()
	case k.requests[id]:
		delete(k.requests, id)
		k.recordMisuse(AckOfAck, "request %d", id)
	case id >= 0 && id < k.next:
		k.recordMisuse(DuplicateAck, "message %d", id)
	default:
		k.recordMisuse(UnknownAck, "message %d", id)
	}
}

// writeFrames sends frames until the connection ends.
func (k *socket) writeFrames(ctx context.Context, conn *websocket.Conn) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		frame, wait := k.nextFrame()
		if frame != nil {
			if conn.Write(ctx, websocket.MessageText, frame) != nil {
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-timer.C:
		}
	}
}

// nextFrame returns the next frame, or how long to wait for one.
func (k *socket) nextFrame() ([]byte, time.Duration) {
	c := k.server.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	const idle = time.Hour
	if k.mute {
		return nil, idle
	}
	if len(k.pendingAcks) > 0 {
		a := k.pendingAcks[0]
		k.pendingAcks = k.pendingAcks[1:]
		return a.frame(), 0
	}
	if k.silent {
		return nil, idle
	}
	if !k.sentAt.IsZero() {
		left := c.opts.AckTimeout - time.Since(k.sentAt)
		if left > 0 {
			return nil, left
		}
		k.recordMisuse(WithheldAck, "message %d; nothing more will be sent", k.next-1)
		k.silence()
		return nil, idle
	}
	if len(k.queue) == 0 {
		return nil, idle
	}
	c.insertOdd(k)
	m := k.nextMessage()
	m.ID = k.next
	k.next++
	k.sentAt = time.Now()
	k.server.account.Messages++
	return m.frame(), 0
}
