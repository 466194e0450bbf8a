// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// maxFrame bounds what a client may send in one frame; a request for a hundred
// subscriptions with all elements is a quarter of it.
const maxFrame = 256 << 10

// socket is one WebSocket of a client.
//
// It is silent for ever when an acknowledgement was withheld, and mute when a
// fault stops all of it.
type socket struct {
	server *server
	number int // of the log
	close  context.CancelFunc
	wake   chan struct{}
	conn   *websocket.Conn // nil before the handshake

	subs       map[int64]*subscription
	byResource map[resource]*subscription
	meant      map[int64]resource // what each index meant last
	ended      map[int64]bool     // indexes of which the server ended a subscription
	requests   map[int64]bool     // answered ones, that no acknowledgement must name

	answers []ack // to send, before anything else
	queue   []item
	next    int64     // the next message's identifier
	sent    time.Time // when the message went that is not acknowledged, else zero
	silent  bool      // sends no messages any more
	mute    bool      // sends nothing any more
}

func (k *socket) blame(kind Misuse, format string, args ...any) {
	k.server.blame(kind, "socket %d: "+format, append([]any{k.number}, args...)...)
}

// nudge lets the writer look again.
func (k *socket) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// read takes frames until the connection ends.
func (k *socket) read(ctx context.Context, conn *websocket.Conn) {
	conn.SetReadLimit(maxFrame)
	for {
		kind, text, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			continue // the sniffer has blamed the client
		}
		k.server.cluster.mu.Lock()
		k.take(text)
		k.server.cluster.mu.Unlock()
	}
}

// take handles a frame.
func (k *socket) take(text []byte) {
	in, err := decode(text)
	switch {
	case err != nil:
		k.blame(Malformed, "%v", err)
	case in.Ack != nil:
		k.acknowledged(*in.Ack.ID, in.Ack.Status)
	case in.Message.Type == "subscribeRequest":
		k.subscribe(*in.Message.ID, in.Message.Subscriptions)
		k.server.cluster.changed()
	default:
		k.blame(UnknownMessage, "%q", in.Message.Type)
		k.answer(*in.Message.ID, statusFailure)
	}
}

// answer acknowledges a message of the client.
func (k *socket) answer(id int64, status string) {
	if len(k.requests) >= maxQueue {
		clear(k.requests)
	}
	k.requests[id] = true
	k.answers = append(k.answers, ack{id, status})
	k.nudge()
}

// acknowledged books the acknowledgement of a message. Only the latest message
// can be without one.
func (k *socket) acknowledged(id int64, status string) {
	waiting := !k.sent.IsZero() && id == k.next-1
	switch {
	case waiting:
		k.sent = time.Time{}
		k.server.account.Acknowledged++
		if status != statusSuccess {
			k.blame(FailedAck, "message %d: %q", id, status)
		}
		k.nudge()
		k.server.cluster.changed()
	case k.requests[id]:
		delete(k.requests, id)
		k.blame(AckOfAck, "request %d", id)
	case id >= 0 && id < k.next:
		k.blame(DuplicateAck, "message %d", id)
	default:
		k.blame(UnknownAck, "message %d", id)
	}
}

// write sends what is queued until the connection ends.
func (k *socket) write(ctx context.Context, conn *websocket.Conn) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		frame, wait := k.due()
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

// due returns the next frame, or how long to wait for one.
func (k *socket) due() ([]byte, time.Duration) {
	c := k.server.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	const idle = time.Hour
	if k.mute {
		return nil, idle
	}
	if len(k.answers) > 0 {
		a := k.answers[0]
		k.answers = k.answers[1:]
		return a.frame(), 0
	}
	if k.silent {
		return nil, idle
	}
	if !k.sent.IsZero() {
		left := c.opts.AckTimeout - time.Since(k.sent)
		if left > 0 {
			return nil, left
		}
		k.blame(WithheldAck, "message %d; nothing more will be sent", k.next-1)
		k.hush()
		return nil, idle
	}
	if len(k.queue) == 0 {
		return nil, idle
	}
	c.embellish(k)
	m := k.pop()
	m.ID = k.next
	k.next++
	k.sent = time.Now()
	k.server.account.Messages++
	return m.frame(), 0
}
