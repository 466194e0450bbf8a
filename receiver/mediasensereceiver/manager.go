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

	"github.com/legato-otel/legato/internal/mediasense/api"
	"github.com/legato-otel/legato/internal/names"
)

// serverAPI is what a manager asks of a server.
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

// manager keeps one server posting to this receiver.
type manager struct {
	server      string // host and port, for people
	api         serverAPI
	want        api.Subscription
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

// reason is why there is no subscription.
type reason uint8

const (
	unreachable  reason = iota // no connection, or no answer
	unauthorized               // wrong credentials, or a user without rights
	noSession                  // a sign-in gave no session, or one that the server does not know
	busy                       // too many requests at once
	rejected                   // any other answer than the one wanted
	reasons
)

var reasonNames = [reasons]string{
	unreachable: "unreachable", unauthorized: "unauthorized", noSession: "no_session", busy: "busy", rejected: "refused",
}

const (
	// signInPause is how long to wait after a sign-in was of no use: credentials
	// do not become right by trying, accounts get locked, and each sign-in may
	// leave a session at the server.
	signInPause = 5 * time.Minute
	// busyPause is the least wait after a server said that it is busy.
	busyPause = 15 * time.Second
	// leaveTimeout is how long the last requests may take at shutdown.
	leaveTimeout = 3 * time.Second
)

// newManagers makes a manager for each server of the configuration.
func newManagers(ctx context.Context, r *eventReceiver, host component.Host) (all []*manager, err error) {
	if !r.config.Subscription.HasValue() {
		return nil, nil
	}
	config := r.config.Subscription.Get()
	status := newHealth(host)
	for i := range config.Servers {
		server := &config.Servers[i]
		client, err := server.HTTP.ToClient(ctx, host.GetExtensions(), r.settings.TelemetrySettings)
		if err != nil {
			return nil, fmt.Errorf("subscription: make a client of %s: %w", server.HTTP.Endpoint, err)
		}
		m := newManager(api.NewClient(client, server.HTTP.Endpoint, server.Username, string(server.Password)), config)
		m.server = hostOf(server.HTTP.Endpoint)
		m.want.URI = cmp.Or(server.Callback, config.Callback)
		m.health, m.logger = status, r.settings.Logger.With(zap.String("server", m.server))
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

func newManager(server serverAPI, config *SubscriptionConfig) *manager {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = time.Second, time.Minute
	return &manager{
		api: server, interval: config.VerifyInterval, unsubscribe: config.UnsubscribeOnShutdown, retry: retry,
		want:   api.Subscription{Filters: config.Filters, TagNameRegex: config.TagNameRegex},
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

// run looks after the subscription until ctx ends, then leaves the server. A
// request that is in flight at the end has until leaveTimeout to be answered: a
// session or a subscription whose answer is not read stays at the server.
func (m *manager) run(ctx context.Context) {
	defer m.api.Close()
	calls, cancel := outlive(ctx, leaveTimeout)
	defer cancel()
	defer m.leave(calls)
	for {
		err := m.ensureSubscribed(calls)
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

// outlive returns a context that ends so long after ctx.
func outlive(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(after, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() {
		stop()
		cancel()
	}
}

// ensureSubscribed makes sure, once, that there is a subscription. It replaces a
// session from before that the server has ended; a session that the server does
// not know right after the sign-in is an error.
func (m *manager) ensureSubscribed(ctx context.Context) error {
	former := m.signedIn
	err := m.trySubscribe(ctx)
	if former && invalidSession(err) {
		m.signOut(ctx)
		err = m.trySubscribe(ctx)
	}
	if invalidSession(err) {
		m.signOut(ctx)
		err = &unknownSessionError{err}
	}
	return err
}

func invalidSession(err error) bool {
	refused, ok := errors.AsType[*api.Error](err)
	return ok && refused.InvalidSession()
}

// signInError is that of a sign-in: what is refused there are the credentials.
type signInError struct{ error }

func (e *signInError) Unwrap() error { return e.error }

// unknownSessionError is the refusal of a session that was just begun.
type unknownSessionError struct{ error }

func (e *unknownSessionError) Unwrap() error { return e.error }

func (e *unknownSessionError) Error() string {
	return "the server does not know the session of its own sign-in: " + e.error.Error()
}

// signIn begins a session. A session that the server gave with a refusal is
// signed out: servers bound the sessions of a user.
func (m *manager) signIn(ctx context.Context) error {
	err := m.api.SignIn(ctx)
	if m.signedIn = err == nil; !m.signedIn {
		m.signOut(ctx)
		return &signInError{err}
	}
	return nil
}

// signOut ends the session, also one that the server calls invalid: what it
// keeps of it would add up. Whether the server agrees makes no difference.
func (m *manager) signOut(ctx context.Context) {
	m.signedIn = false
	if !m.api.HasSession() {
		return
	}
	if err := m.api.SignOut(ctx); err != nil {
		m.logger.Debug("The session could not be signed out", zap.Error(err))
	}
}

func (m *manager) trySubscribe(ctx context.Context) error {
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
	// Without an id there is nothing to verify; subscribing again is no change.
	id, err := m.subscribe(ctx)
	if err != nil {
		return err
	}
	m.subscribed, m.id = true, id
	m.warnIfUnfiltered()
	return nil
}

// subscribe returns the id of the subscription that the server has, or made. It
// verifies a subscription that a failure names, and replaces it if the server
// does not use it.
func (m *manager) subscribe(ctx context.Context) (id string, err error) {
	got, err := m.api.Subscribe(ctx, m.want)
	if err != nil || got.Refusal == nil || got.ID == "" {
		return got.ID, err
	}
	state, err := m.api.Verify(ctx, got.ID)
	if err != nil || state != api.Missing {
		return got.ID, err
	}
	if err := m.api.Unsubscribe(ctx, got.ID); err != nil {
		return "", errors.Join(got.Refusal, err)
	}
	got, err = m.api.Subscribe(ctx, m.want)
	if err == nil && got.Refusal != nil {
		err = got.Refusal
	}
	return got.ID, err
}

func (m *manager) warnIfUnfiltered() {
	if unfiltered := m.api.Unfiltered(); unfiltered != m.unfiltered {
		m.unfiltered = unfiltered
		if unfiltered {
			m.logger.Warn("MediaSense knows subscriptions without filters only, as before release 10.0: " +
				"subscription::filters and subscription::tag_name_regex have no effect on it, and it may send events of recordings alone")
		}
	}
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
	case unauthorized, noSession:
		return signInPause + pause
	case busy:
		return busyPause + pause
	default:
		return pause
	}
}

func reasonOf(err error) reason {
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

// leave ends the session, and the subscription if that is wanted.
func (m *manager) leave(ctx context.Context) {
	if !m.signedIn && !m.api.HasSession() && (!m.unsubscribe || m.id == "") {
		return
	}
	var errs error
	if m.unsubscribe && m.id != "" {
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

// endSubscription ends the subscription, in a new session if there is none or
// the server has ended it: a session may end between two verifications.
func (m *manager) endSubscription(ctx context.Context) error {
	if m.signedIn {
		if err := m.api.Unsubscribe(ctx, m.id); !invalidSession(err) {
			return err
		}
		m.signOut(ctx)
	}
	if err := m.signIn(ctx); err != nil {
		return err
	}
	return m.api.Unsubscribe(ctx, m.id)
}
