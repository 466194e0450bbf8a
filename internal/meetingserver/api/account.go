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

// ErrPaused says that a request was not made: a moment ago the server answered
// another one of the same account with 401, by whatever component.
var ErrPaused = errors.New("the server refused the password a moment ago, and is not asked again yet")

// PausedError is an ErrPaused that says how long no request is made.
type PausedError struct{ Remaining time.Duration }

func (e *PausedError) Error() string {
	return fmt.Sprintf("%v: %s to go", ErrPaused, e.Remaining.Round(time.Second))
}

func (*PausedError) Unwrap() error { return ErrPaused }

// RetryDelay returns how long not to ask a server again after an error: the rest of
// a pause, UnauthorizedRetryDelay after refused credentials, and else 0.
func RetryDelay(err error) time.Duration {
	if paused, ok := errors.AsType[*PausedError](err); ok {
		return paused.Remaining
	}
	if refused, ok := errors.AsType[*Error](err); ok && refused.Unauthorized() {
		return UnauthorizedRetryDelay
	}
	return 0
}

// credentials are what a server sees of a client.
type credentials struct{ base, username, password string }

// shared is what the clients of the process have in common: a component that
// registers receivers and one that follows events lock one account together, and
// load one server. An entry lasts as long as a client that uses it.
var shared = struct {
	mu       sync.Mutex
	accounts map[credentials]*account
	servers  map[string]*server // by base
}{accounts: make(map[credentials]*account), servers: make(map[string]*server)}

// account is one user of one server. It is guarded by shared.mu.
type account struct {
	clients int
	server  *server
	until   time.Time // no request before
	// proven is set while the server is known to take the password. Before that one
	// request at a time is made: a wrong password counts once.
	proven bool
	// probe is the request that finds out, nil if there is none. It is closed at the
	// end of the request.
	probe chan struct{}
}

// share joins the other clients with the same credentials and of the same server.
func (c *Client) share() {
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
	c.leave = sync.OnceFunc(func() {
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

// begin waits until a request may be made, and returns what must be called with
// the answer's status at its end, 0 without an answer. While the account pauses
// it returns ErrPaused.
func (a *account) begin(ctx context.Context) (end func(status int), err error) {
	probe, err := a.admit(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case a.server.turns <- struct{}{}:
	case <-ctx.Done():
		a.end(probe, 0)
		return nil, ctx.Err()
	}
	if err := a.paused(); err != nil { // refused while this one waited for its turn
		<-a.server.turns
		a.end(probe, 0)
		return nil, err
	}
	return func(status int) {
		<-a.server.turns
		a.end(probe, status)
	}, nil
}

// admit waits while another request finds out whether the password is good. It
// returns the probe if this request is the one to find out.
func (a *account) admit(ctx context.Context) (probe chan struct{}, err error) {
	for {
		if err := a.paused(); err != nil {
			return nil, err
		}
		shared.mu.Lock()
		other := a.probe
		if a.proven || other == nil {
			if !a.proven {
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

// paused returns an error while no request may be made.
func (a *account) paused() error {
	now := time.Now()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if now.Before(a.until) {
		return &PausedError{Remaining: a.until.Sub(now)}
	}
	return nil
}

// end records the outcome of a request. A 401 begins a pause: this is how a
// Meeting Server refuses a password, and what counts towards max_failed_logins. A
// 403 begins none that others share: the password is right, and the user lacks
// the right to one thing, such as tokens for events. It locks no account, and what
// other components ask with the same user may be allowed. The component that was
// refused waits for UnauthorizedRetryDelay on its own. An answer of 500 and more
// may come from a proxy and proves nothing.
func (a *account) end(probe chan struct{}, status int) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	switch {
	case status == http.StatusUnauthorized:
		a.until, a.proven = time.Now().Add(UnauthorizedRetryDelay), false
	case status > 0 && status < http.StatusInternalServerError:
		a.proven = true
	}
	if probe != nil {
		a.probe = nil
		close(probe)
	}
}
