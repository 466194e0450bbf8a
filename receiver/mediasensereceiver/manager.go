// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/mediasenseapi"
	"github.com/legato-otel/legato/internal/names"
)

// serverAPI is what a manager asks of a server.
type serverAPI interface {
	SignIn(ctx context.Context) error
	Subscribe(ctx context.Context, s mediasenseapi.Subscription) (id string, err error)
	Unfiltered() bool
	Verify(ctx context.Context, id string) (active bool, err error)
	Unsubscribe(ctx context.Context, id string) error
	SignOut(ctx context.Context) error
	Close()
}

// manager keeps one server posting to this receiver.
type manager struct {
	server      string // host and port, for people
	api         serverAPI
	want        mediasenseapi.Subscription
	interval    time.Duration
	unsubscribe bool // at the end
	health      *health
	logger      *zap.Logger
	failed      func(context.Context, reason)
	retry       *backoff.ExponentialBackOff

	signedIn   bool
	subscribed bool
	id         string // of the subscription, "" if the server did not say
	unfiltered bool   // that it has no filters was logged
	active     atomic.Bool
}

// reason is why a look failed.
type reason uint8

const (
	unreachable  reason = iota // no connection, or no answer
	unauthorized               // wrong credentials, or a user without rights
	busy                       // too many requests at once
	rejected                   // any other answer than the one wanted
	reasons
)

var reasonNames = [reasons]string{unreachable: "unreachable", unauthorized: "unauthorized", busy: "busy", rejected: "refused"}

const (
	// lockedOut is how long to wait after wrong credentials: they do not become
	// right by trying, and accounts get locked.
	lockedOut = 5 * time.Minute
	// busyPause is the least wait after a server said that it is busy.
	busyPause = 15 * time.Second
	// leaveTimeout is how long leaving a server may take at shutdown.
	leaveTimeout = 3 * time.Second
)

// newManagers makes a manager for each server of the configuration.
func newManagers(ctx context.Context, r *eventReceiver, host component.Host) (all []*manager, err error) {
	if !r.config.Subscription.HasValue() {
		return nil, nil
	}
	config := r.config.Subscription.Get()
	together := newHealth(host)
	for i := range config.Servers {
		server := &config.Servers[i]
		client, err := server.HTTP.ToClient(ctx, host.GetExtensions(), r.settings.TelemetrySettings)
		if err != nil {
			return nil, fmt.Errorf("subscription: make a client of %s: %w", server.HTTP.Endpoint, err)
		}
		m := newManager(mediasenseapi.NewClient(client, server.HTTP.Endpoint, server.Username, string(server.Password)), config)
		m.server = hostOf(server.HTTP.Endpoint)
		m.want.URI = cmp.Or(server.Callback, config.Callback)
		m.health, m.logger = together, r.settings.Logger.With(zap.String("server", m.server))
		label := attribute.String(names.ServerAddress, m.server)
		m.failed = func(ctx context.Context, why reason) {
			r.telemetry.ReceiverMediasenseSubscriptionFailures.Add(ctx, 1, metric.WithAttributes(label, attribute.String("reason", reasonNames[why])))
		}
		for why := range reasons {
			r.telemetry.ReceiverMediasenseSubscriptionFailures.Add(ctx, 0, metric.WithAttributes(label, attribute.String("reason", reasonNames[why])))
		}
		all = append(all, m)
	}
	return all, r.telemetry.RegisterReceiverMediasenseSubscriptionActiveCallback(func(_ context.Context, o metric.Int64Observer) error {
		for _, m := range all {
			is := int64(0)
			if m.active.Load() {
				is = 1
			}
			o.Observe(is, metric.WithAttributes(attribute.String(names.ServerAddress, m.server)))
		}
		return nil
	})
}

func newManager(api serverAPI, config *SubscriptionConfig) *manager {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = time.Second, time.Minute
	return &manager{
		api: api, interval: config.VerifyInterval, unsubscribe: config.UnsubscribeOnShutdown, retry: retry,
		want:   mediasenseapi.Subscription{Filters: config.Filters, TagNameRegex: config.TagNameRegex},
		failed: func(context.Context, reason) {}, health: newHealth(nil), logger: zap.NewNop(),
	}
}

func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "" // it was validated
	}
	return u.Host
}

// run looks after the subscription until ctx ends, then leaves the server.
func (m *manager) run(ctx context.Context) {
	defer m.api.Close()
	defer m.leave(ctx)
	for {
		err := m.look(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := m.report(ctx, err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// look makes sure, once, that there is a subscription. A session that is over is
// begun anew at once; if it is over again then, that is an error.
func (m *manager) look(ctx context.Context) error {
	err := m.lookOnce(ctx)
	if refused, ok := errors.AsType[*mediasenseapi.Error](err); ok && refused.InvalidSession() && m.signedIn {
		m.signedIn = false
		err = m.lookOnce(ctx)
	}
	return err
}

// signInError is that of a sign-in: what is refused there are the credentials.
type signInError struct{ error }

func (e *signInError) Unwrap() error { return e.error }

func (m *manager) lookOnce(ctx context.Context) error {
	if !m.signedIn {
		if err := m.api.SignIn(ctx); err != nil {
			return &signInError{err}
		}
		m.signedIn = true
	}
	if m.subscribed && m.id != "" {
		active, err := m.api.Verify(ctx, m.id)
		if err != nil || active {
			return err
		}
		m.subscribed = false
		m.active.Store(false)
		m.logger.Warn("MediaSense does not have the subscription any more; subscribing again")
	}
	// Without an id there is nothing to verify; subscribing again is no change.
	id, err := m.api.Subscribe(ctx, m.want)
	if err != nil {
		return err
	}
	m.subscribed, m.id = true, id
	if unfiltered := m.api.Unfiltered(); unfiltered != m.unfiltered {
		m.unfiltered = unfiltered
		if unfiltered {
			m.logger.Warn("MediaSense knows subscriptions without filters only, as before release 10.0: " +
				"subscription::filters and subscription::tag_name_regex have no effect on it, and it may tell of recordings alone")
		}
	}
	return nil
}

// report says what changed and returns how long to wait.
func (m *manager) report(ctx context.Context, err error) time.Duration {
	m.active.Store(err == nil)
	if err == nil {
		m.retry.Reset()
		m.health.recovered(m)
		return m.interval
	}
	why := reasonOf(err)
	m.failed(ctx, why)
	m.health.fail(m, why, err)
	pause := m.retry.NextBackOff()
	switch why {
	case unauthorized:
		return lockedOut + pause
	case busy:
		return busyPause + pause
	default:
		return pause
	}
}

func reasonOf(err error) reason {
	refused, ok := errors.AsType[*mediasenseapi.Error](err)
	if !ok {
		return unreachable
	}
	_, atSignIn := errors.AsType[*signInError](err)
	switch {
	case refused.Busy():
		return busy
	case atSignIn && (refused.Code >= 4000 && refused.Code < 5000 || refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden):
		return unauthorized
	default:
		return rejected
	}
}

// leave ends the session, and the subscription if that is wanted. It has a
// little time of its own: ctx has ended.
func (m *manager) leave(ctx context.Context) {
	if !m.signedIn {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	var errs error
	if m.unsubscribe && m.id != "" {
		errs = m.takeBack(last)
	}
	if errs = errors.Join(errs, m.api.SignOut(last)); errs != nil {
		m.logger.Info("MediaSense was not left in good order", zap.Error(errs))
	}
	m.active.Store(false)
}

// takeBack ends the subscription, in a session that is begun anew if the one
// there was is over: looks may be further apart than a session lasts.
func (m *manager) takeBack(ctx context.Context) error {
	err := m.api.Unsubscribe(ctx, m.id)
	if refused, ok := errors.AsType[*mediasenseapi.Error](err); !ok || !refused.InvalidSession() {
		return err
	}
	if err := m.api.SignIn(ctx); err != nil {
		return err
	}
	return m.api.Unsubscribe(ctx, m.id)
}
