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

// reason is why a connection ended or did not come to be.
type reason uint8

const (
	closed         reason = iota // by the server, in good order
	deactivated                  // the server ended the list of its calls
	inactive                     // the server never began it
	lost                         // without a word
	unreadable                   // a message that cannot be acknowledged
	rejected                     // an answer other than the one wanted
	silent                       // nothing comes, and nothing answers
	stalled                      // this process stood still
	tooLarge                     // a message above max_message_size
	unacknowledged               // a request of ours
	unauthorized                 // wrong credentials, or an account without rights
	unreachable                  // no connection
	reasons
)

var reasonNames = [reasons]string{
	closed: "closed", deactivated: "deactivated", inactive: "inactive", lost: "lost", unreadable: "malformed", rejected: "refused",
	silent: "silent", stalled: "stalled", tooLarge: "too_large", unacknowledged: "unacknowledged", unauthorized: "unauthorized", unreachable: "unreachable",
}

var reasonOptions = func() (all [reasons][]metric.AddOption) {
	for r, name := range reasonNames {
		all[r] = addOption("reason", name)
	}
	return all
}()

// failure is the end of a connection. Its error is fit for people: without the
// token.
type failure struct {
	reason reason
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(r reason, format string, args ...any) *failure {
	return &failure{r, fmt.Errorf(format, args...)}
}

// tokenFailure says why there is no token.
func tokenFailure(err error) *failure {
	if unauthorizedAnswer(err) || errors.Is(err, api.ErrPaused) {
		return &failure{unauthorized, err}
	}
	if _, answered := errors.AsType[*api.Error](err); answered {
		return &failure{rejected, err}
	}
	if errors.Is(err, api.ErrNoToken) {
		return &failure{rejected, err}
	}
	return &failure{transport(err), err}
}

// dialFailure says why there is no socket. The token in the URL must not be in
// any error.
func dialFailure(err error, response *http.Response, token string) *failure {
	clean := withoutToken(err, token)
	switch {
	case response == nil:
		return &failure{transport(err), clean}
	case response.StatusCode == http.StatusSwitchingProtocols:
		return &failure{rejected, clean}
	default:
		return fail(rejected, "GET /events/v1: answered %d %s; a Meeting Server takes five event clients",
			response.StatusCode, http.StatusText(response.StatusCode))
	}
}

func withoutToken(err error, token string) error {
	// The URL stands in the outermost error of the HTTP client.
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

// transport tells what keeps a server from being reached from what it, or
// whatever stands in its place, does wrong.
func transport(err error) reason {
	var operation *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &operation), errors.As(err, &dns), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, net.ErrClosed):
		return unreachable
	default:
		return rejected
	}
}

// readFailure says why a connection ended.
func readFailure(err error) *failure {
	if status := websocket.CloseStatus(err); status >= 0 {
		// The server's own words are not for the log: nobody knows what is in them.
		return fail(closed, "closed by the server with status %d", int(status))
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return &failure{tooLarge, err}
	}
	return &failure{lost, err}
}

// pauses are the waits between connections.
type pauses struct {
	// away is for a server that cannot be reached, present for one that can.
	away, present *backoff.ExponentialBackOff
}

// useful is how long a connection must have been of use for the waits to begin
// anew: a server that ends each at once is asked ever less often.
const useful = 5 * time.Second

func newPauses(config *configretry.BackOffConfig) pauses {
	exponential := func(longest time.Duration) *backoff.ExponentialBackOff {
		b := backoff.NewExponentialBackOff()
		b.InitialInterval, b.MaxInterval = config.InitialInterval, longest
		b.RandomizationFactor, b.Multiplier = config.RandomizationFactor, config.Multiplier
		b.Reset()
		return b
	}
	// The return of a server should be seen soon: with the grace the picture is
	// right within ten seconds.
	return pauses{away: exponential(min(config.MaxInterval, config.InitialInterval*3/2)), present: exponential(config.MaxInterval)}
}

// after returns how long to wait after a connection that was of use for so long. A
// server that is away costs nothing to try; one that accepts connections and does
// not keep them is left alone ever longer.
func (p pauses) after(f *failure, used time.Duration) time.Duration {
	if used >= useful {
		p.away.Reset()
		p.present.Reset()
	}
	switch f.reason {
	case unauthorized:
		return api.RetryDelay(f.err) + p.away.NextBackOff()
	case unreachable:
		return p.away.NextBackOff()
	default:
		return p.present.NextBackOff()
	}
}
