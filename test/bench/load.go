// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// answerTimeout is how long a post may take before the run fails.
const answerTimeout = 10 * time.Second

// posts are HTTP requests to make, without end.
type posts interface {
	// next returns a request, which stays as it is until the next call.
	next() []byte
}

// round is the same requests again and again, with other indices.
type round struct {
	requests []template
	at       int
	index    uint64 // of the next record
}

func (r *round) next() []byte {
	request := &r.requests[r.at]
	r.at = (r.at + 1) % len(r.requests)
	r.index = request.number(r.index)
	return request.text
}

// connection posts requests. It writes HTTP itself: a client with a pool would cost as much as
// the measured work, and starve it.
type connection struct {
	conn    net.Conn
	answers *bufio.Reader
	from    posts
	posts   int
}

func dial(ctx context.Context, address string, from posts) (*connection, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{conn: conn, answers: bufio.NewReader(conn), from: from}, nil
}

// dialSecure connects with TLS, or without it if there is no configuration.
func dialSecure(ctx context.Context, address string, secure *tls.Config, from posts) (*connection, error) {
	if secure == nil {
		return dial(ctx, address, from)
	}
	conn, err := (&tls.Dialer{Config: secure}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{conn: conn, answers: bufio.NewReader(conn), from: from}, nil
}

func (c *connection) close() { _ = c.conn.Close() }

// post sends one request and waits for its answer. As a Call Bridge does, it
// sends it once more as long as there is no room for it.
func (c *connection) post() error {
	request := c.from.next()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		full, err := c.send(request)
		switch {
		case err != nil || !full:
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("there was no room for a post for %s", patience)
		}
	}
}

// send sends a request. full reports that it is to be sent once more.
func (c *connection) send(request []byte) (full bool, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return false, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return false, err
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return false, err
	}
	switch {
	case answer.StatusCode == http.StatusServiceUnavailable && !answer.Close:
		return true, nil
	case answer.StatusCode != http.StatusOK || answer.Close:
		return false, fmt.Errorf("answered %s, connection closed: %t", answer.Status, answer.Close)
	}
	c.posts++
	return false, nil
}

// client is all connections to one receiver.
type client [connections]*connection

// newClient connects, for requests to go round in. The connections begin at
// different ones, so that they do not move in step.
func newClient(ctx context.Context, address string, requests [connections][]template) (client, error) {
	var from [connections]posts
	for i := range from {
		from[i] = &round{requests: requests[i], at: i * len(requests[i]) / connections}
	}
	return connect(ctx, address, from)
}

func connect(ctx context.Context, address string, from [connections]posts) (c client, err error) {
	for i := range c {
		if c[i], err = dial(ctx, address, from[i]); err != nil {
			c.close()
			return c, err
		}
	}
	return c, nil
}

func (c client) close() {
	for _, conn := range c {
		if conn != nil {
			conn.close()
		}
	}
}

// load posts on all connections for a time and returns how many posts were
// answered. When it returns, none is under way.
func (c client) load(ctx context.Context, d time.Duration) (posts int, err error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	before := c.posts()
	var (
		wg   sync.WaitGroup
		errs [connections]error
	)
	for i, conn := range c {
		wg.Go(func() {
			for ctx.Err() == nil && errs[i] == nil {
				errs[i] = conn.post()
			}
		})
	}
	wg.Wait()
	return c.posts() - before, errors.Join(errs[:]...)
}

func (c client) posts() (n int) {
	for _, conn := range c {
		n += conn.posts
	}
	return n
}
