// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"time"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// account makes all API requests of one server with its configured account. Meeting Servers
// lock an account for 15 minutes after a few wrong passwords. So requests run one at a
// time, and after a 401 or 403 every request is paused for a while.
type account struct {
	api *api.Client
	// onRefusal is called, if set, with the error after which requests pause, and with nil
	// after the next success.
	onRefusal func(err error)

	requestSlot     chan struct{} // holds a token during a request; guards the fields below
	pausedUntil     time.Time     // no request before
	reportedRefusal bool          // onRefusal was called with an error
}

func newAccount(api *api.Client) *account {
	return &account{api: api, requestSlot: make(chan struct{}, 1)}
}

// do makes one request, or returns api.PausedError during a pause. It waits for other
// requests until ctx ends.
func (a *account) do(ctx context.Context, request func(context.Context) error) error {
	select {
	case a.requestSlot <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.requestSlot }()
	if now := time.Now(); now.Before(a.pausedUntil) {
		return &api.PausedError{Remaining: a.pausedUntil.Sub(now)}
	}
	err := request(ctx)
	switch {
	case isUnauthorized(err):
		a.pausedUntil = time.Now().Add(api.UnauthorizedRetryDelay)
		a.reportRefusal(err)
	case errors.Is(err, api.ErrPaused): // the server refused another component with this account
		a.reportRefusal(err)
	case err == nil && a.reportedRefusal:
		a.reportRefusal(nil)
	}
	return err
}

func (a *account) reportRefusal(err error) {
	a.reportedRefusal = err != nil
	if a.onRefusal != nil {
		a.onRefusal(err)
	}
}

func isUnauthorized(err error) bool {
	answer, ok := errors.AsType[*api.Error](err)
	return ok && answer.Unauthorized()
}

// requestToken requests a token for one socket.
func (a *account) requestToken(ctx context.Context) (token string, err error) {
	err = a.do(ctx, func(ctx context.Context) (err error) {
		token, err = a.api.AuthToken(ctx)
		return err
	})
	return token, err
}

// checkReachable returns nil if the API answers at all. During a pause it makes no request
// and returns nil.
func (a *account) checkReachable(ctx context.Context) error {
	err := a.do(ctx, a.api.Status)
	if _, answered := errors.AsType[*api.Error](err); answered || errors.Is(err, api.ErrPaused) {
		return nil
	}
	return err
}
