// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
	"github.com/legato-otel/legato/internal/mediasense/api"
	"github.com/legato-otel/legato/internal/names"
)

// serverAPI are the API calls of a manager.
type serverAPI interface {
	SignIn(ctx context.Context) error
	HasSession() bool
	Subscribe(ctx context.Context, s api.Subscription) (api.Subscribed, error)
	Unfiltered() bool
	Verify(ctx context.Context, id string) (api.State, error)
	Unsubscribe(ctx context.Context, id string) error
	SignOut(ctx context.Context) error
	Close()
}

// manager keeps the subscription at one server.
type manager struct {
	server           string // host and port, for the log
	api              serverAPI
	wanted           api.Subscription
	interval         time.Duration
	unsubscribeAtEnd bool // at shutdown
	status           *statusAggregator
	logger           *zap.Logger
	countFailure     func(context.Context, failureReason)
	retry            *backoff.ExponentialBackOff

	signedIn         bool
	subscribed       bool
	id               string // of the subscription, "" if the server does not return it
	unfilteredLogged bool   // the log has the warning about missing filters
	active           atomic.Bool
}

// failureReason is why there is no subscription.
type failureReason uint8

const (
	unreachable  failureReason = iota // no connection, or no answer
	unauthorized                      // wrong credentials, or a user without rights
	noSession                         // a sign-in returned no session, or one that the server does not know
	busy                              // too many requests at once
	rejected                          // any other failure
	failureReasonCount
)

var failureReasonNames = [failureReasonCount]string{
	unreachable: "unreachable", unauthorized: "unauthorized", noSession: "no_session", busy: "busy", rejected: "refused",
}

const (
	// signInPause is the wait after a useless sign-in: repeating it locks accounts, and
	// each sign-in may leave a session at the server.
	signInPause = 5 * time.Minute
	// busyPause is the least wait after a server answered that it is busy.
	busyPause = 15 * time.Second
	// endTimeout bounds the last requests at shutdown.
	endTimeout = 3 * time.Second
)

// newManagers makes a manager for each configured server.
func newManagers(ctx context.Context, r *eventReceiver, host component.Host) (all []*manager, err error) {
	if !r.config.Subscription.HasValue() {
		return nil, nil
	}
	config := r.config.Subscription.Get()
	status := newStatusAggregator(host)
	for i := range config.Servers {
		server := &config.Servers[i]
		client, err := server.HTTP.ToClient(ctx, host.GetExtensions(), r.settings.TelemetrySettings)
		if err != nil {
			return nil, fmt.Errorf("subscription: make a client of %s: %w", server.HTTP.Endpoint, err)
		}
		m := newManager(api.NewClient(client, server.HTTP.Endpoint, server.Username, string(server.Password)), config)
		m.server = hostOf(server.HTTP.Endpoint)
		m.wanted.URI = cmp.Or(server.Callback, config.Callback)
		m.status, m.logger = status, r.settings.Logger.With(zap.String("server", m.server))
		label := attribute.String(names.ServerAddress, m.server)
		m.countFailure = func(ctx context.Context, reason failureReason) {
			r.telemetry.ReceiverMediasenseSubscriptionFailures.Add(ctx, 1, metric.WithAttributes(label, attribute.String("reason", failureReasonNames[reason])))
		}
		for reason := range failureReasonCount {
			r.telemetry.ReceiverMediasenseSubscriptionFailures.Add(ctx, 0, metric.WithAttributes(label, attribute.String("reason", failureReasonNames[reason])))
		}
		all = append(all, m)
	}
	return all, r.telemetry.RegisterReceiverMediasenseSubscriptionActiveCallback(func(_ context.Context, o metric.Int64Observer) error {
		for _, m := range all {
			value := int64(0)
			if m.active.Load() {
				value = 1
			}
			o.Observe(value, metric.WithAttributes(attribute.String(names.ServerAddress, m.server)))
		}
		return nil
	})
}

func newManager(server serverAPI, config *SubscriptionConfig) *manager {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = time.Second, time.Minute
	return &manager{
		api: server, interval: config.VerifyInterval, unsubscribeAtEnd: config.UnsubscribeOnShutdown, retry: retry,
		wanted:       api.Subscription{Filters: config.Filters, TagNameRegex: config.TagNameRegex},
		countFailure: func(context.Context, failureReason) {}, status: newStatusAggregator(nil), logger: zap.NewNop(),
	}
}

func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "" // it was validated
	}
	return u.Host
}

// run checks the subscription at an interval until ctx ends, and then ends the session. A
// request in flight gets endTimeout for its answer: if the manager does not read the
// answer, the new session or subscription stays at the server.
func (m *manager) run(ctx context.Context) {
	defer m.api.Close()
	calls, cancel := bounded.Extend(ctx, endTimeout)
	defer cancel()
	defer m.endSession(calls)
	for {
		err := m.ensureSubscribed(calls)
		if ctx.Err() != nil {
			return
		}
		wait := m.reportResult(ctx, err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// ensureSubscribed verifies or makes the subscription once. It replaces an earlier session
// that the server has ended. If the server does not know a session right after its sign-in,
// that is an error.
func (m *manager) ensureSubscribed(ctx context.Context) error {
	wasSignedIn := m.signedIn
	err := m.verifyOrSubscribe(ctx)
	if wasSignedIn && isInvalidSession(err) {
		m.signOut(ctx)
		err = m.verifyOrSubscribe(ctx)
	}
	if isInvalidSession(err) {
		m.signOut(ctx)
		err = &unknownSessionError{err}
	}
	return err
}

func isInvalidSession(err error) bool {
	refused, ok := errors.AsType[*api.Error](err)
	return ok && refused.InvalidSession()
}

// signInError is the error of a sign-in: the server refuses the credentials.
type signInError struct{ error }

func (e *signInError) Unwrap() error { return e.error }

// unknownSessionError is the refusal of a new session.
type unknownSessionError struct{ error }

func (e *unknownSessionError) Unwrap() error { return e.error }

func (e *unknownSessionError) Error() string {
	return "the server does not know the session of its own sign-in: " + e.error.Error()
}

// signIn begins a session. If the server refuses it but returns a session, signIn ends that
// session, because servers bound the sessions of a user.
func (m *manager) signIn(ctx context.Context) error {
	err := m.api.SignIn(ctx)
	if m.signedIn = err == nil; !m.signedIn {
		m.signOut(ctx)
		return &signInError{err}
	}
	return nil
}

// signOut ends the session, even one that the server calls invalid, because the server may
// keep its state. A failure has no consequences.
func (m *manager) signOut(ctx context.Context) {
	m.signedIn = false
	if !m.api.HasSession() {
		return
	}
	if err := m.api.SignOut(ctx); err != nil {
		m.logger.Debug("The session could not be signed out", zap.Error(err))
	}
}

func (m *manager) verifyOrSubscribe(ctx context.Context) error {
	if !m.signedIn {
		if err := m.signIn(ctx); err != nil {
			return err
		}
	}
	if m.subscribed && m.id != "" {
		switch state, err := m.api.Verify(ctx, m.id); {
		case err != nil || state == api.Active:
			return err
		case state == api.Missing:
			m.logger.Warn("MediaSense does not have the subscription any more; subscribing again")
			m.subscribed = false
			m.active.Store(false)
		}
	}
	// A subscription without an id cannot be verified; subscribing again changes nothing.
	id, err := m.subscribe(ctx)
	if err != nil {
		return err
	}
	m.subscribed, m.id = true, id
	m.warnIfUnfiltered()
	return nil
}

// subscribe makes a subscription and returns its id, or the id of an existing one. If a
// failure names a subscription, subscribe verifies it, and replaces it if it is not active.
func (m *manager) subscribe(ctx context.Context) (id string, err error) {
	subscribed, err := m.api.Subscribe(ctx, m.wanted)
	if err != nil || subscribed.Refusal == nil || subscribed.ID == "" {
		return subscribed.ID, err
	}
	state, err := m.api.Verify(ctx, subscribed.ID)
	if err != nil || state != api.Missing {
		return subscribed.ID, err
	}
	if err := m.api.Unsubscribe(ctx, subscribed.ID); err != nil {
		return "", errors.Join(subscribed.Refusal, err)
	}
	subscribed, err = m.api.Subscribe(ctx, m.wanted)
	if err == nil && subscribed.Refusal != nil {
		err = subscribed.Refusal
	}
	return subscribed.ID, err
}

func (m *manager) warnIfUnfiltered() {
	if unfiltered := m.api.Unfiltered(); unfiltered != m.unfilteredLogged {
		m.unfilteredLogged = unfiltered
		if unfiltered {
			m.logger.Warn("MediaSense knows subscriptions without filters only, as before release 10.0: " +
				"subscription::filters and subscription::tag_name_regex have no effect on it, and it may send events of recordings alone")
		}
	}
}

// reportResult reports the result of ensureSubscribed and returns how long to wait.
func (m *manager) reportResult(ctx context.Context, err error) time.Duration {
	m.active.Store(err == nil)
	if err == nil {
		m.retry.Reset()
		m.status.reportRecovery(m)
		return m.interval
	}
	reason := failureReasonOf(err)
	m.countFailure(ctx, reason)
	m.status.reportFailure(m, reason, err)
	pause := m.retry.NextBackOff()
	switch reason {
	case unauthorized, noSession:
		return signInPause + pause
	case busy:
		return busyPause + pause
	default:
		return pause
	}
}

func failureReasonOf(err error) failureReason {
	if errors.Is(err, api.ErrNoSession) {
		return noSession
	}
	refused, ok := errors.AsType[*api.Error](err)
	if !ok {
		return unreachable
	}
	_, atSignIn := errors.AsType[*signInError](err)
	_, unknownSession := errors.AsType[*unknownSessionError](err)
	switch {
	case refused.Busy():
		return busy
	case refused.Unauthorized(), atSignIn && refused.Code >= 4000 && refused.Code < 5000:
		return unauthorized
	case unknownSession:
		return noSession
	default:
		return rejected
	}
}

// endSession ends the session and, if configured, the subscription.
func (m *manager) endSession(ctx context.Context) {
	if !m.signedIn && !m.api.HasSession() && (!m.unsubscribeAtEnd || m.id == "") {
		return
	}
	var errs error
	if m.unsubscribeAtEnd && m.id != "" {
		errs = m.endSubscription(ctx)
	}
	if m.api.HasSession() {
		errs = errors.Join(errs, m.api.SignOut(ctx))
	}
	if errs != nil {
		m.logger.Info("A subscription or a session may be left at the MediaSense server", zap.Error(errs))
	}
	m.active.Store(false)
}

// endSubscription ends the subscription. It signs in first if there is no session or the
// server has ended it, which can happen between two checks.
func (m *manager) endSubscription(ctx context.Context) error {
	if m.signedIn {
		if err := m.api.Unsubscribe(ctx, m.id); !isInvalidSession(err) {
			return err
		}
		m.signOut(ctx)
	}
	if err := m.signIn(ctx); err != nil {
		return err
	}
	return m.api.Unsubscribe(ctx, m.id)
}
