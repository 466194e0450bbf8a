// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"io"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/cmsevents"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// session is one connection, from its token to its end.
type session struct {
	*socket
	telemetry *metadata.TelemetryBuilder
	conn      *websocket.Conn
	decoder   cmsevents.Decoder
	frame     cmsevents.Frame
	read      []byte
	ack       []byte
	stuck     *time.Timer // ends a connection whose peer reads no acknowledgements

	acks     chan ack
	heard    atomic.Int64 // when the last message came, in Unix nanoseconds
	live     atomic.Bool  // the server announces its calls
	malforms bool         // what cannot be read was logged
}

// ack is the server's answer to a request.
type ack struct {
	id      int64
	success bool
}

// writeTimeout is how long a peer may take to read what is written.
const writeTimeout = 10 * time.Second

// keptRoom is how much room for reading is kept from one message to the next.
const keptRoom = 1 << 20

// run keeps the socket connected until ctx ends.
func (s *socket) run(ctx context.Context) {
	wait := newPauses()
	defer s.state.Store(waiting)
	for {
		began := time.Now()
		failed := s.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		s.state.Store(waiting)
		telemetryOf(s).ReceiverCmseventsReconnects.Add(ctx, 1, reasonOptions[failed.reason]...)
		pause := wait.after(failed, time.Since(began))
		s.link.logger.Debug("No connection for now", zap.Int("socket", s.slot), zap.Duration("wait", pause), zap.Error(failed))
		if s.slot == 0 {
			s.link.health.failed(s.link, failed)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func telemetryOf(s *socket) *metadata.TelemetryBuilder { return s.link.hub.telemetry }

// connect makes a connection and uses it until it ends.
func (s *socket) connect(ctx context.Context) *failure {
	l := s.link
	s.state.Store(token)
	// Each connection has its own: how long one lives is not documented.
	secret, err := l.api.AuthToken(ctx)
	if err != nil {
		return tokenFailure(err)
	}
	s.state.Store(dialing)
	conn, response, err := websocket.Dial( //nolint:bodyclose // the library closes it
		ctx, l.events+url.QueryEscape(secret), &websocket.DialOptions{
			HTTPClient: l.http, CompressionMode: websocket.CompressionDisabled,
		})
	if err != nil {
		return dialFailure(err, response, secret)
	}
	conn.SetReadLimit(l.config.MaxMessageSize)
	c := &session{socket: s, telemetry: telemetryOf(s), conn: conn, acks: make(chan ack, 16)}
	c.stuck = time.AfterFunc(writeTimeout, c.cut)
	c.stuck.Stop()
	c.heard.Store(time.Now().UnixNano())
	s.state.Store(subscribing)
	return c.use(ctx)
}

// use reads until the connection ends.
func (c *session) use(ctx context.Context) *failure {
	c.link.hub.opened(c.link.index, c.slot)
	defer c.link.hub.closed(c.link.index, c.slot)

	inner, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Reading has no end of its own, which would cost more than the
		// reading: the connection is cut instead.
		end(c.readAll(context.WithoutCancel(ctx)))
	}()
	others := make(chan struct{})
	go func() {
		defer close(others)
		if c.slot == 0 {
			c.link.runOthers(inner)
		}
	}()
	failed := c.control(inner)
	end(failed)
	<-others
	if ctx.Err() != nil {
		// In good order, so that the server frees the place at once: there are
		// five for all.
		_ = c.conn.Close(websocket.StatusNormalClosure, "")
	} else {
		c.cut()
	}
	<-done
	c.stuck.Stop()
	return failed
}

// cut ends the connection without a word.
func (c *session) cut() { _ = c.conn.CloseNow() }

// readAll reads and acknowledges messages until it cannot.
func (c *session) readAll(ctx context.Context) *failure {
	for {
		data, err := c.readMessage(ctx)
		if err != nil {
			return readFailure(err)
		}
		now := time.Now()
		c.heard.Store(now.UnixNano())
		err = c.decoder.Decode(data, &c.frame)
		f := &c.frame
		if f.Ack && err == nil {
			c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[acknowledgement][cmsevents.Accepted]...)
			select {
			case c.acks <- ack{f.ID, f.Success()}:
			default: // of requests that nobody made
			}
			continue
		}
		if f.HasID && !f.Ack {
			// Before anything else: without it the server says nothing more.
			if ackErr := c.acknowledge(ctx, f.ID); ackErr != nil {
				return readFailure(ackErr)
			}
		}
		if err != nil {
			if failed := c.malformed(ctx, err, len(data)); failed != nil {
				return failed
			}
			continue
		}
		if failed := c.receive(ctx, now, f); failed != nil {
			return failed
		}
		if cap(c.read) > keptRoom {
			c.read, c.frame, c.decoder = nil, cmsevents.Frame{}, cmsevents.Decoder{}
		}
	}
}

// readMessage reads one message of any type: text is what there should be.
func (c *session) readMessage(ctx context.Context) ([]byte, error) {
	_, r, err := c.conn.Reader(ctx)
	if err != nil {
		return nil, err
	}
	buffer := c.read[:0]
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			c.read = buffer
			return buffer, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (c *session) acknowledge(ctx context.Context, id int64) error {
	c.ack = cmsevents.AppendAck(c.ack[:0], id)
	c.stuck.Reset(writeTimeout)
	err := c.conn.Write(ctx, websocket.MessageText, c.ack)
	c.stuck.Stop()
	if err == nil {
		c.telemetry.ReceiverCmseventsAcknowledgements.Add(ctx, 1)
	}
	return err
}

// malformed counts a message that cannot be read. If it could be acknowledged
// what it said is asked for again; if not, nothing more will come.
func (c *session) malformed(ctx context.Context, err error, size int) *failure {
	c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[c.frame.Type][malformed]...)
	if !c.malforms {
		c.malforms = true
		c.link.logger.Warn("A message cannot be read", zap.Error(err), zap.Int("bytes", size))
	}
	if !c.frame.HasID || c.frame.Ack {
		return fail(unreadable, "a message that cannot be acknowledged: %w", err)
	}
	c.telemetry.ReceiverCmseventsResyncs.Add(ctx, 1, resyncOptions["malformed"]...)
	c.link.hub.resync(c.link.index, c.slot)
	return nil
}

func (c *session) receive(ctx context.Context, now time.Time, f *cmsevents.Frame) *failure {
	outcome, live := c.link.hub.receive(now, c.link.index, c.slot, f)
	c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[f.Type][outcome]...)
	if outcome == cmsevents.Broken {
		return fail(deactivated, "the server ended the list of its calls")
	}
	if live && !c.live.Load() {
		c.live.Store(true)
		c.state.Store(running)
		if c.slot == 0 {
			c.link.health.recovered(c.link)
		}
	}
	return nil
}
