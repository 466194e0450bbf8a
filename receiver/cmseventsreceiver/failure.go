// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/redact"
)

// disconnectReason says why a connection ended or could not be made. It is the label
// `reason` of the reconnects metric.
type disconnectReason uint8

const (
	reasonClosed         disconnectReason = iota // the server closed the connection
	reasonDeactivated                            // the server ended the list of its calls
	reasonInactive                               // the server never began the list
	reasonLost                                   // the connection broke without a close frame
	reasonMalformed                              // a message could not be acknowledged
	reasonRefused                                // the server gave an unexpected answer
	reasonSilent                                 // no message arrived, and the API does not answer
	reasonStalled                                // this process stood still
	reasonTooLarge                               // a message exceeded max_message_size
	reasonUnacknowledged                         // the server did not acknowledge a request
	reasonUnauthorized                           // wrong credentials, or an account without rights
	reasonUnreachable                            // the server cannot be reached
	disconnectReasons
)

var reasonNames = [disconnectReasons]string{
	reasonClosed: "closed", reasonDeactivated: "deactivated", reasonInactive: "inactive", reasonLost: "lost", reasonMalformed: "malformed", reasonRefused: "refused",
	reasonSilent: "silent", reasonStalled: "stalled", reasonTooLarge: "too_large", reasonUnacknowledged: "unacknowledged", reasonUnauthorized: "unauthorized", reasonUnreachable: "unreachable",
}

var reasonOptions = func() (all [disconnectReasons][]metric.AddOption) {
	for r, name := range reasonNames {
		all[r] = addOption("reason", name)
	}
	return all
}()

// failure is why a connection ended. Its error never contains the token.
type failure struct {
	reason disconnectReason
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func newFailure(r disconnectReason, format string, args ...any) *failure {
	return &failure{r, fmt.Errorf(format, args...)}
}

// newTokenFailure returns the failure of a token request.
func newTokenFailure(err error) *failure {
	if isUnauthorized(err) || errors.Is(err, api.ErrPaused) {
		return &failure{reasonUnauthorized, err}
	}
	if _, answered := errors.AsType[*api.Error](err); answered {
		return &failure{reasonRefused, err}
	}
	if errors.Is(err, api.ErrNoToken) {
		return &failure{reasonRefused, err}
	}
	return &failure{classifyConnectError(err), err}
}

// newDialFailure returns the failure of a dial. It removes the token, which is part of the
// URL, from the error.
func newDialFailure(err error, response *http.Response, token string) *failure {
	clean := withoutToken(err, token)
	switch {
	case response == nil:
		return &failure{classifyConnectError(err), clean}
	case response.StatusCode == http.StatusSwitchingProtocols:
		return &failure{reasonRefused, clean}
	default:
		return newFailure(reasonRefused, "GET /events/v1: answered %d %s; a Meeting Server takes five event clients",
			response.StatusCode, http.StatusText(response.StatusCode))
	}
}

func withoutToken(err error, token string) error {
	// The outermost error of the HTTP client contains the URL.
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	text := err.Error()
	if strings.Contains(text, token) || strings.Contains(text, url.QueryEscape(token)) {
		text = strings.NewReplacer(token, redact.Mark, url.QueryEscape(token), redact.Mark).Replace(text)
		return errors.New(text)
	}
	return err
}

// classifyConnectError distinguishes a server that cannot be reached from one, or a proxy
// in its place, that answers in an unexpected way.
func classifyConnectError(err error) disconnectReason {
	var operation *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &operation), errors.As(err, &dns), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, net.ErrClosed):
		return reasonUnreachable
	default:
		return reasonRefused
	}
}

// newReadFailure returns the failure of a read or write on an open socket.
func newReadFailure(err error) *failure {
	if status := websocket.CloseStatus(err); status >= 0 {
		// Do not log the reason text of the server: it may contain anything.
		return newFailure(reasonClosed, "closed by the server with status %d", int(status))
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return &failure{reasonTooLarge, err}
	}
	return &failure{reasonLost, err}
}

// reconnectDelays are the delays between connections.
type reconnectDelays struct {
	// unreachable is the backoff for a server that cannot be reached, reachable for all
	// other failures.
	unreachable, reachable *backoff.ExponentialBackOff
}

// minUseful is how long a connection must have been useful to reset the delays. A server
// that ends each connection at once is retried with growing delays.
const minUseful = 5 * time.Second

func newReconnectDelays(config *configretry.BackOffConfig) reconnectDelays {
	exponential := func(longest time.Duration) *backoff.ExponentialBackOff {
		b := backoff.NewExponentialBackOff()
		b.InitialInterval, b.MaxInterval = config.InitialInterval, longest
		b.RandomizationFactor, b.Multiplier = config.RandomizationFactor, config.Multiplier
		b.Reset()
		return b
	}
	// A returning server should be noticed soon, so that the state is current within ten
	// seconds.
	return reconnectDelays{unreachable: exponential(min(config.MaxInterval, config.InitialInterval*3/2)), reachable: exponential(config.MaxInterval)}
}

// next returns the delay after a connection that was useful for used. Retrying a server
// that is away costs nothing, so that delay stays short. A server that accepts connections
// and does not keep them is retried with growing delays.
func (p reconnectDelays) next(f *failure, used time.Duration) time.Duration {
	if used >= minUseful {
		p.unreachable.Reset()
		p.reachable.Reset()
	}
	switch f.reason {
	case reasonUnauthorized:
		return api.RetryDelay(f.err) + p.unreachable.NextBackOff()
	case reasonUnreachable:
		return p.unreachable.NextBackOff()
	default:
		return p.reachable.NextBackOff()
	}
}
