// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"time"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// account asks the API of one server in the name of its account. Meeting Servers
// lock an account for 15 minutes after a few wrong passwords, so requests go one
// at a time, and after a 401 or 403 there is none at all for a while, whatever it
// would be for.
type account struct {
	api *api.Client
	// refused is called, if set, with the answer after which requests pause, and
	// with nil when the account is good again.
	refused func(err error)

	turn  chan struct{} // holds a token while a request is made; guards what follows
	until time.Time     // no request before
	bad   bool          // reported as refused
}

func newAccount(api *api.Client) *account {
	return &account{api: api, turn: make(chan struct{}, 1)}
}

// do makes a request unless requests pause. Waiting for the turn ends with ctx.
func (a *account) do(ctx context.Context, request func(context.Context) error) error {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.turn }()
	if now := time.Now(); now.Before(a.until) {
		return &api.PausedError{Remaining: a.until.Sub(now)}
	}
	err := request(ctx)
	switch {
	case unauthorizedAnswer(err):
		a.until = time.Now().Add(api.UnauthorizedRetryDelay)
		a.report(err)
	case errors.Is(err, api.ErrPaused): // another component was refused
		a.report(err)
	case err == nil && a.bad:
		a.report(nil)
	}
	return err
}

func (a *account) report(err error) {
	a.bad = err != nil
	if a.refused != nil {
		a.refused(err)
	}
}

func unauthorizedAnswer(err error) bool {
	answer, ok := errors.AsType[*api.Error](err)
	return ok && answer.Unauthorized()
}

// token asks for the token of one socket.
func (a *account) token(ctx context.Context) (token string, err error) {
	err = a.do(ctx, func(ctx context.Context) (err error) {
		token, err = a.api.AuthToken(ctx)
		return err
	})
	return token, err
}

// reachable asks a server whether it is there. While requests pause nobody is
// asked, and it counts as there.
func (a *account) reachable(ctx context.Context) error {
	err := a.do(ctx, a.api.Status)
	if _, answered := errors.AsType[*api.Error](err); answered || errors.Is(err, api.ErrPaused) {
		return nil
	}
	return err
}
