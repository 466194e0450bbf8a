// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// maxConcurrent bounds the requests to one server at a time, whatever components
	// make them: a Call Bridge answers from a single database.
	maxConcurrent = 2
	// maxBusyWait is the longest that a read waits for a busy server.
	maxBusyWait = 10 * time.Second
	// maxRetryAfter bounds what a server may ask for with Retry-After.
	maxRetryAfter = 5 * time.Minute
	// readAttempts is how often a read is made that a busy server refuses.
	readAttempts = 3
)

// ErrBusy says that a request was not made: the server answered 503 a moment ago.
var ErrBusy = errors.New("the server answered 503 a moment ago, and is not asked again yet")

// server is what all clients of one server share.
type server struct {
	clients int           // guarded by shared.mu
	turns   chan struct{} // holds a token for each request that is made

	mu        sync.Mutex // guards what follows
	busyUntil time.Time
	busy      *backoff.ExponentialBackOff
}

func newServer() *server {
	s := &server{turns: make(chan struct{}, maxConcurrent), busy: backoff.NewExponentialBackOff()}
	s.busy.InitialInterval, s.busy.Multiplier, s.busy.MaxInterval = time.Second, 2, time.Minute
	s.busy.Reset()
	return s
}

// answered records whether the server is busy.
func (s *server) answered(response *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if response.StatusCode != http.StatusServiceUnavailable {
		s.busy.Reset()
		s.busyUntil = time.Time{}
		return
	}
	wait := s.busy.NextBackOff()
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		wait = max(wait, min(time.Duration(seconds), maxRetryAfter/time.Second)*time.Second)
	}
	s.busyUntil = time.Now().Add(wait)
}

// await waits while the server is busy, or returns ErrBusy if that takes too long.
func (s *server) await(ctx context.Context) error {
	s.mu.Lock()
	wait := time.Until(s.busyUntil)
	s.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	deadline, bounded := ctx.Deadline()
	if wait > maxBusyWait || bounded && time.Until(deadline) < wait {
		return fmt.Errorf("%w: %s to go", ErrBusy, wait.Round(time.Millisecond))
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
