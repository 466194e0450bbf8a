// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapi

import (
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

// pauses are those of all clients of the process: a component that registers
// receivers and one that follows events lock one account together. An entry
// lasts as long as there is a client with its credentials.
var pauses = struct {
	mu sync.Mutex
	by map[credentials]*pause
}{by: make(map[credentials]*pause)}

// pause is guarded by pauses.mu.
type pause struct {
	clients int
	until   time.Time // no request before
}

func (c *Client) credentials() credentials { return credentials{c.base, c.username, c.password} }

// shareAccount joins the other clients with the same credentials.
func (c *Client) shareAccount() {
	pauses.mu.Lock()
	defer pauses.mu.Unlock()
	p := pauses.by[c.credentials()]
	if p == nil {
		p = new(pause)
		pauses.by[c.credentials()] = p
	}
	p.clients++
}

// leaveAccount ends shareAccount; later calls do nothing.
func (c *Client) leaveAccount() {
	c.leave.Do(func() {
		pauses.mu.Lock()
		defer pauses.mu.Unlock()
		p := pauses.by[c.credentials()]
		if p.clients--; p.clients == 0 {
			delete(pauses.by, c.credentials())
		}
	})
}

// paused returns an error while no request may be made.
func (c *Client) paused(now time.Time) error {
	pauses.mu.Lock()
	defer pauses.mu.Unlock()
	if p := pauses.by[c.credentials()]; p != nil && now.Before(p.until) {
		return &PausedError{Remaining: p.until.Sub(now)}
	}
	return nil
}

// answered begins a pause after a 401, which is how a Meeting Server refuses a
// password, and what counts towards max_failed_logins. A 403 begins none that
// others share: the password is right, and the user lacks the right to one thing,
// such as tokens for events. It locks no account, and what other components ask
// with the same user may be allowed. The component that was refused waits for
// UnauthorizedRetryDelay on its own.
func (c *Client) answered(now time.Time, status int) {
	if status != http.StatusUnauthorized {
		return
	}
	pauses.mu.Lock()
	defer pauses.mu.Unlock()
	if p := pauses.by[c.credentials()]; p != nil {
		p.until = now.Add(UnauthorizedRetryDelay)
	}
}
