// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// session is one connection, from its token to its end.
type session struct {
	*socket
	telemetry *metadata.TelemetryBuilder
	conn      *websocket.Conn
	decoder   events.Decoder
	frame     events.Frame
	read      []byte
	ack       []byte
	stuck     *time.Timer // ends a connection whose peer reads no acknowledgements

	acks        chan ack
	heard       atomic.Int64 // when the last message came, in Unix nanoseconds
	live        atomic.Bool  // the server announces its calls
	usefulSince atomic.Int64 // when it began to be of use, in Unix nanoseconds; 0: it has not
	network     net.Conn     // below the socket and TLS
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
	wait := newPauses(&s.link.config.Reconnect)
	defer s.state.Store(waiting)
	for {
		failed, used := s.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		s.state.Store(waiting)
		telemetryOf(s).ReceiverCmseventsReconnects.Add(ctx, 1, reasonOptions[failed.reason]...)
		pause := wait.after(failed, used)
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

// connect makes a connection and uses it until it ends. It returns for how long it
// was of use.
func (s *socket) connect(ctx context.Context) (failed *failure, used time.Duration) {
	l := s.link
	s.state.Store(token)
	// Each connection has its own: how long one lives is not documented.
	secret, err := l.account.token(ctx)
	if err != nil {
		return tokenFailure(err), 0
	}
	if s.slot == 0 {
		l.learnIdentity(ctx)
	}
	s.state.Store(dialing)
	var network net.Conn
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { network = info.Conn }})
	conn, response, err := websocket.Dial( //nolint:bodyclose // the library closes it
		traced, l.events+url.QueryEscape(secret), &websocket.DialOptions{
			HTTPClient: l.http, CompressionMode: websocket.CompressionDisabled,
		})
	if err != nil {
		return dialFailure(err, response, secret), 0
	}
	conn.SetReadLimit(l.config.MaxMessageSize)
	c := &session{socket: s, telemetry: telemetryOf(s), conn: conn, acks: make(chan ack, 16), network: network}
	c.stuck = time.AfterFunc(writeTimeout, c.cut)
	c.stuck.Stop()
	c.heard.Store(time.Now().UnixNano())
	s.state.Store(subscribing)
	failed = c.use(ctx)
	if since := c.usefulSince.Load(); since != 0 {
		used = time.Since(time.Unix(0, since))
	}
	return failed, used
}

// nowUseful says that the connection does what it is for.
func (c *session) nowUseful() {
	c.state.Store(running)
	c.usefulSince.CompareAndSwap(0, time.Now().UnixNano())
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
	failed := c.control(inner)
	end(failed)
	if ctx.Err() != nil {
		c.leave()
	} else {
		c.cut()
	}
	<-done
	c.stuck.Stop()
	return failed
}

// leaveTimeout is how much of shutdown_timeout a server may take to answer that a
// socket is closed.
func leaveTimeout(config *Config) time.Duration { return min(config.ShutdownTimeout/3, 5*time.Second) }

// leave closes the connection in good order, so that the server frees the place at
// once: there are five for all. A server that does not answer is not waited for
// for long.
func (c *session) leave() {
	cut := time.AfterFunc(leaveTimeout(c.link.config), func() {
		network := c.network
		if secure, ok := network.(*tls.Conn); ok {
			network = secure.NetConn() // which closes without a word
		}
		if network != nil {
			_ = network.Close()
		}
	})
	defer cut.Stop()
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
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
		if failed := c.handle(ctx, now, data); failed != nil {
			return failed
		}
		if cap(c.read) > keptRoom {
			c.read, c.frame, c.decoder = nil, events.Frame{}, events.Decoder{}
		}
	}
}

// handle decodes and acknowledges one message, and makes it part of the picture.
func (c *session) handle(ctx context.Context, now time.Time, data []byte) *failure {
	err := c.decoder.Decode(data, &c.frame)
	f := &c.frame
	if f.Ack && err == nil {
		c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[acknowledgement][events.Accepted]...)
		select {
		case c.acks <- ack{f.ID, f.Success()}:
		default: // of requests that nobody made
		}
		return nil
	}
	if f.HasID && !f.Ack {
		// Before anything else: without it the server says nothing more.
		if ackErr := c.acknowledge(ctx, f.ID); ackErr != nil {
			return readFailure(ackErr)
		}
	}
	if err != nil {
		return c.malformed(ctx, now, err, data)
	}
	return c.receive(ctx, now, f, data)
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
	c.ack = events.AppendAck(c.ack[:0], id)
	c.stuck.Reset(writeTimeout)
	err := c.conn.Write(ctx, websocket.MessageText, c.ack)
	c.stuck.Stop()
	if err == nil {
		c.telemetry.ReceiverCmseventsAcknowledgements.Add(ctx, 1)
	}
	return err
}

// malformed counts and keeps a frame that cannot be read. The subscription of a
// message is asked for again; all of the socket are if its index cannot be read. A
// message that cannot be acknowledged
// ends the connection: the server waits for it and sends nothing more.
func (c *session) malformed(ctx context.Context, now time.Time, err error, data []byte) *failure {
	f := &c.frame
	if !f.IsMessage && errors.Is(err, events.ErrNoMessage) {
		c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[f.Type][events.UnknownType]...)
		c.link.keep(ctx, now, data, errorUnknownMessage, err)
		return nil
	}
	c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[f.Type][malformed]...)
	c.link.keep(ctx, now, data, errorMalformedMessage, err)
	if !f.HasID || f.Ack {
		return fail(unreadable, "a message that cannot be acknowledged: %w", err)
	}
	if c.link.hub.damaged(now, c.link.index, c.slot, f) {
		c.telemetry.ReceiverCmseventsResyncs.Add(ctx, 1, resyncOptions["malformed"]...)
	}
	return nil
}

var errUnknownType = errors.New("a message of a type that is not known")

func (c *session) receive(ctx context.Context, now time.Time, f *events.Frame, data []byte) *failure {
	outcome, live := c.link.hub.receive(now, c.link.index, c.slot, f)
	c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[f.Type][outcome]...)
	switch outcome {
	case events.ListEnded:
		return fail(deactivated, "the server ended the list of its calls")
	case events.UnknownType:
		c.link.keep(ctx, now, data, errorUnknownMessage, errUnknownType)
	}
	if live && !c.live.Load() && c.slot == 0 {
		c.live.Store(true)
		c.nowUseful()
		c.link.health.recovered(c.link)
	}
	return nil
}
