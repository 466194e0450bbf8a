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
	// maxConcurrent is the largest number of concurrent requests to one server by all
	// components: a Call Bridge answers from a single database.
	maxConcurrent = 2
	// maxBusyWait is how long a read waits for a busy server at most.
	maxBusyWait = 10 * time.Second
	// maxRetryAfter is the longest Retry-After that is respected.
	maxRetryAfter = 5 * time.Minute
	// readAttempts is the number of attempts of a read at a busy server.
	readAttempts = 3
)

// ErrBusy means that a request was not made, because the server has recently answered 503.
var ErrBusy = errors.New("the server answered 503 a moment ago, and is not asked again yet")

// server is the state that all clients of one server share.
type server struct {
	clients int           // guarded by shared.mu
	slots   chan struct{} // holds a token for each request that is made

	mu          sync.Mutex // guards everything below
	busyUntil   time.Time
	busyBackOff *backoff.ExponentialBackOff
}

func newServer() *server {
	s := &server{slots: make(chan struct{}, maxConcurrent), busyBackOff: backoff.NewExponentialBackOff()}
	s.busyBackOff.InitialInterval, s.busyBackOff.Multiplier, s.busyBackOff.MaxInterval = time.Second, 2, time.Minute
	s.busyBackOff.Reset()
	return s
}

// recordAnswer updates the busy state from an answer.
func (s *server) recordAnswer(response *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if response.StatusCode != http.StatusServiceUnavailable {
		s.busyBackOff.Reset()
		s.busyUntil = time.Time{}
		return
	}
	wait := s.busyBackOff.NextBackOff()
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		wait = max(wait, min(time.Duration(seconds), maxRetryAfter/time.Second)*time.Second)
	}
	s.busyUntil = time.Now().Add(wait)
}

// waitUntilFree waits while the server is busy. It returns ErrBusy if the wait would exceed
// maxBusyWait or the deadline of ctx.
func (s *server) waitUntilFree(ctx context.Context) error {
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
