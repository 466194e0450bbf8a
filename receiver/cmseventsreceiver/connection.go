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

// connection is one WebSocket connection of a socket, from the end of its handshake to its
// close.
type connection struct {
	*socket
	telemetry  *metadata.TelemetryBuilder
	conn       *websocket.Conn
	decoder    events.Decoder
	frame      events.Frame
	readBuffer []byte
	ackBuffer  []byte
	writeTimer *time.Timer // aborts the connection if the peer does not read acknowledgements

	answers     chan answer
	lastHeard   atomic.Int64 // arrival of the last message, in Unix nanoseconds
	listActive  atomic.Bool  // the server reports its list of calls
	usefulSince atomic.Int64 // in Unix nanoseconds; 0: not useful yet
	netConn     net.Conn     // below WebSocket: a *tls.Conn or a TCP connection
}

// answer is the server's answer to a request.
type answer struct {
	id      int64
	success bool
}

// writeTimeout is how long the peer may take to read a message.
const writeTimeout = 10 * time.Second

// maxKeptBuffer is the largest read buffer that is reused for the next message.
const maxKeptBuffer = 1 << 20

// run keeps the socket connected until ctx ends.
func (s *socket) run(ctx context.Context) {
	delays := newReconnectDelays(&s.server.config.Reconnect)
	defer s.state.Store(stateWaiting)
	for {
		cause, usefulFor := s.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		s.state.Store(stateWaiting)
		telemetryOf(s).ReceiverCmseventsReconnects.Add(ctx, 1, reasonOptions[cause.reason]...)
		delay := delays.next(cause, usefulFor)
		s.server.logger.Debug("The socket is not connected", zap.Int("socket", s.socketIndex), zap.Duration("wait", delay), zap.Error(cause))
		if s.socketIndex == 0 {
			s.server.health.reportDisconnected(s.server, cause)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return
		}
	}
}

func telemetryOf(s *socket) *metadata.TelemetryBuilder { return s.server.hub.telemetry }

// connect makes a connection and serves it until it ends. It returns for how long the
// connection was useful.
func (s *socket) connect(ctx context.Context) (cause *failure, usefulFor time.Duration) {
	srv := s.server
	s.state.Store(stateToken)
	// Each connection requests a new token: the lifetime of tokens is not documented.
	token, err := srv.account.requestToken(ctx)
	if err != nil {
		return newTokenFailure(err), 0
	}
	if s.socketIndex == 0 {
		srv.learnIdentity(ctx)
	}
	s.state.Store(stateDialing)
	var netConn net.Conn
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { netConn = info.Conn }})
	conn, response, err := websocket.Dial( //nolint:bodyclose // the library closes it
		traced, srv.eventURL+url.QueryEscape(token), &websocket.DialOptions{
			HTTPClient: srv.eventClient, CompressionMode: websocket.CompressionDisabled,
		})
	if err != nil {
		return newDialFailure(err, response, token), 0
	}
	conn.SetReadLimit(srv.config.MaxMessageSize)
	c := &connection{socket: s, telemetry: telemetryOf(s), conn: conn, answers: make(chan answer, 16), netConn: netConn}
	c.writeTimer = time.AfterFunc(writeTimeout, c.abort)
	c.writeTimer.Stop()
	c.lastHeard.Store(time.Now().UnixNano())
	s.state.Store(stateSubscribing)
	cause = c.serve(ctx)
	if since := c.usefulSince.Load(); since != 0 {
		usefulFor = time.Since(time.Unix(0, since))
	}
	return cause, usefulFor
}

// markUseful records that the connection is useful: its list of calls is active (first socket),
// or the server accepted a request (further sockets).
func (c *connection) markUseful() {
	c.state.Store(stateRunning)
	c.usefulSince.CompareAndSwap(0, time.Now().UnixNano())
}

// serve reads messages and sends requests until the connection ends.
func (c *connection) serve(ctx context.Context) *failure {
	c.server.hub.socketOpened(c.server.index, c.socketIndex)
	defer c.server.hub.socketClosed(c.server.index, c.socketIndex)

	controlCtx, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A read deadline for each message would cost more than reading it; closeGracefully
		// and abort end the read.
		end(c.readMessages(context.WithoutCancel(ctx)))
	}()
	cause := c.controlRequests(controlCtx)
	end(cause)
	if ctx.Err() != nil {
		c.closeGracefully()
	} else {
		c.abort()
	}
	<-done
	c.writeTimer.Stop()
	return cause
}

// closeTimeout is the part of shutdown_timeout for the closing handshake of a socket.
func closeTimeout(config *Config) time.Duration { return min(config.ShutdownTimeout/3, 5*time.Second) }

// closeGracefully closes the connection with a close frame, so that the server frees it at
// once: it accepts five sockets from all its clients together. It waits closeTimeout at most
// for the answer.
func (c *connection) closeGracefully() {
	forceClose := time.AfterFunc(closeTimeout(c.server.config), func() {
		netConn := c.netConn
		if secure, ok := netConn.(*tls.Conn); ok {
			netConn = secure.NetConn() // its Close sends no TLS alert, which could block
		}
		if netConn != nil {
			_ = netConn.Close()
		}
	})
	defer forceClose.Stop()
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
}

// abort closes the connection without a handshake.
func (c *connection) abort() { _ = c.conn.CloseNow() }

// readMessages reads and acknowledges messages until the connection fails.
func (c *connection) readMessages(ctx context.Context) *failure {
	for {
		data, err := c.readMessage(ctx)
		if err != nil {
			return newReadFailure(err)
		}
		now := time.Now()
		c.lastHeard.Store(now.UnixNano())
		if cause := c.handleMessage(ctx, now, data); cause != nil {
			return cause
		}
		if cap(c.readBuffer) > maxKeptBuffer {
			c.readBuffer, c.frame, c.decoder = nil, events.Frame{}, events.Decoder{}
		}
	}
}

// handleMessage decodes, acknowledges and applies one message.
func (c *connection) handleMessage(ctx context.Context, now time.Time, data []byte) *failure {
	err := c.decoder.Decode(data, &c.frame)
	f := &c.frame
	if f.Ack && err == nil {
		c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[typeAcknowledgement][events.Accepted]...)
		select {
		case c.answers <- answer{f.ID, f.Success()}:
		default: // acknowledges no request of this connection
		}
		return nil
	}
	if f.HasID && !f.Ack {
		// Acknowledge first: otherwise the server sends nothing more.
		if ackErr := c.acknowledge(ctx, f.ID); ackErr != nil {
			return newReadFailure(ackErr)
		}
	}
	if err != nil {
		return c.handleMalformed(ctx, now, err, data)
	}
	return c.applyMessage(ctx, now, f, data)
}

// readMessage reads one message, text or binary. The servers send text.
func (c *connection) readMessage(ctx context.Context) ([]byte, error) {
	_, r, err := c.conn.Reader(ctx)
	if err != nil {
		return nil, err
	}
	buffer := c.readBuffer[:0]
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			c.readBuffer = buffer
			return buffer, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (c *connection) acknowledge(ctx context.Context, id int64) error {
	c.ackBuffer = events.AppendAck(c.ackBuffer[:0], id)
	c.writeTimer.Reset(writeTimeout)
	err := c.conn.Write(ctx, websocket.MessageText, c.ackBuffer)
	c.writeTimer.Stop()
	if err == nil {
		c.telemetry.ReceiverCmseventsAcknowledgements.Add(ctx, 1)
	}
	return err
}

// handleMalformed counts and emits a received frame that cannot be decoded. JSON that is neither
// a message nor an acknowledgement has no further effect. A message with a readable id was
// acknowledged by handleMessage: the hub schedules the renewal of its subscription or, without
// a readable index, of all subscriptions of the socket. In all other cases the connection ends:
// the server may wait for an acknowledgement and send nothing more.
func (c *connection) handleMalformed(ctx context.Context, now time.Time, err error, data []byte) *failure {
	f := &c.frame
	if !f.IsMessage && errors.Is(err, events.ErrNoMessage) {
		c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[f.Type][events.UnknownType]...)
		c.server.emitMalformed(ctx, now, data, errorUnknownMessage, err)
		return nil
	}
	c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[f.Type][messageMalformed]...)
	c.server.emitMalformed(ctx, now, data, errorMalformedMessage, err)
	if !f.HasID || f.Ack {
		return newFailure(reasonMalformed, "a message without a readable id cannot be acknowledged: %w", err)
	}
	if c.server.hub.handleMalformed(now, c.server.index, c.socketIndex, f) {
		c.telemetry.ReceiverCmseventsResyncs.Add(ctx, 1, resyncOptions["malformed"]...)
	}
	return nil
}

var errUnknownType = errors.New("a message of a type that is not known")

func (c *connection) applyMessage(ctx context.Context, now time.Time, f *events.Frame, data []byte) *failure {
	outcome, listActive := c.server.hub.receive(now, c.server.index, c.socketIndex, f)
	c.telemetry.ReceiverCmseventsMessages.Add(ctx, 1, messageOptions[f.Type][outcome]...)
	switch outcome {
	case events.ListEnded:
		return newFailure(reasonDeactivated, "the server ended the list of its calls")
	case events.UnknownType:
		c.server.emitMalformed(ctx, now, data, errorUnknownMessage, errUnknownType)
	}
	if listActive && !c.listActive.Load() && c.socketIndex == 0 {
		c.listActive.Store(true)
		c.markUseful()
		c.server.health.reportConnected(c.server)
	}
	return nil
}
