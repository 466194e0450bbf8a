// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// ErrPaused means that a request was not made, because the server has recently answered a
// request of the same account with 401.
var ErrPaused = errors.New("the server refused the password a moment ago, and is not asked again yet")

// PausedError is an ErrPaused with the rest of the pause.
type PausedError struct{ Remaining time.Duration }

func (e *PausedError) Error() string {
	return fmt.Sprintf("%v: %s to go", ErrPaused, e.Remaining.Round(time.Second))
}

func (*PausedError) Unwrap() error { return ErrPaused }

// RetryDelay returns how long to wait after an error before the next request: the rest of a
// pause, UnauthorizedRetryDelay after refused credentials, else 0.
func RetryDelay(err error) time.Duration {
	if paused, ok := errors.AsType[*PausedError](err); ok {
		return paused.Remaining
	}
	if refused, ok := errors.AsType[*Error](err); ok && refused.Unauthorized() {
		return UnauthorizedRetryDelay
	}
	return 0
}

// credentials identify an account: clients with equal credentials share it.
type credentials struct{ base, username, password string }

// shared is the state that the clients of the process share: a component that registers
// receivers and one that follows events can together lock an account and overload a server.
// An entry is removed with its last client.
var shared = struct {
	mu       sync.Mutex
	accounts map[credentials]*account
	servers  map[string]*server // by base
}{accounts: make(map[credentials]*account), servers: make(map[string]*server)}

// account is one user of one server. It is guarded by shared.mu.
type account struct {
	clients     int
	server      *server
	pausedUntil time.Time
	// passwordAccepted is true after the server has accepted the password. Before, one
	// request at a time is made, so that a wrong password counts once.
	passwordAccepted bool
	// probe is closed at the end of the request that tests the password; nil if there is
	// none.
	probe chan struct{}
}

// joinAccount shares account and server with the other clients that have the same ones.
func (c *Client) joinAccount() {
	key := credentials{c.base, c.username, c.password}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	a := shared.accounts[key]
	if a == nil {
		a = &account{server: shared.servers[c.base]}
		shared.accounts[key] = a
	}
	if a.server == nil {
		a.server = newServer()
		shared.servers[c.base] = a.server
	}
	a.clients++
	a.server.clients++
	c.account = a
	c.leaveAccount = sync.OnceFunc(func() {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		if a.clients--; a.clients == 0 {
			delete(shared.accounts, key)
		}
		if a.server.clients--; a.server.clients == 0 {
			delete(shared.servers, key.base)
		}
	})
}

// acquire waits until a request may be made. The caller calls end with the status of the
// answer, or 0 without an answer. During a pause, acquire returns ErrPaused.
func (a *account) acquire(ctx context.Context) (end func(status int), err error) {
	probe, err := a.awaitProbe(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case a.server.slots <- struct{}{}:
	case <-ctx.Done():
		a.release(probe, 0)
		return nil, ctx.Err()
	}
	if err := a.pauseError(); err != nil { // a 401 came while this request waited
		<-a.server.slots
		a.release(probe, 0)
		return nil, err
	}
	return func(status int) {
		<-a.server.slots
		a.release(probe, status)
	}, nil
}

// awaitProbe waits while another request tests the password. It returns the probe if this
// request is to test it.
func (a *account) awaitProbe(ctx context.Context) (probe chan struct{}, err error) {
	for {
		if err := a.pauseError(); err != nil {
			return nil, err
		}
		shared.mu.Lock()
		other := a.probe
		if a.passwordAccepted || other == nil {
			if !a.passwordAccepted {
				probe = make(chan struct{})
				a.probe = probe
			}
			shared.mu.Unlock()
			return probe, nil
		}
		shared.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pauseError returns an error during a pause.
func (a *account) pauseError() error {
	now := time.Now()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if now.Before(a.pausedUntil) {
		return &PausedError{Remaining: a.pausedUntil.Sub(now)}
	}
	return nil
}

// release records the outcome of a request. A 401 begins a pause of the account: a Meeting
// Server refuses a password with it, and counts it towards max_failed_logins. A 403 does not:
// the password is right, but the user may not do one thing, such as get tokens for events;
// only the component that got it waits for UnauthorizedRetryDelay. An answer of 500 and more
// may come from a proxy and proves nothing.
func (a *account) release(probe chan struct{}, status int) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	switch {
	case status == http.StatusUnauthorized:
		a.pausedUntil, a.passwordAccepted = time.Now().Add(UnauthorizedRetryDelay), false
	case status > 0 && status < http.StatusInternalServerError:
		a.passwordAccepted = true
	}
	if probe != nil {
		a.probe = nil
		close(probe)
	}
}
