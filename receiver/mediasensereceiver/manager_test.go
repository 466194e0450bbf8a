// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/mediasense/api"
)

// scripted is a server whose calls return scripted errors. It records their times.
type scripted struct {
	start time.Time
	fail  map[string][]error // the next answers of a call; nil or none is success
	calls []string
	id    string
	old   bool // it knows no filters

	session bool
	refusal *api.Error // comes with the id
}

func (s *scripted) call(name string) error {
	s.calls = append(s.calls, fmt.Sprintf("%s@%s", name, time.Since(s.start).Truncate(time.Minute)))
	if queue := s.fail[name]; len(queue) > 0 {
		s.fail[name] = queue[1:]
		return queue[0]
	}
	return nil
}

func (s *scripted) SignIn(context.Context) error {
	err := s.call("signIn")
	s.session = err == nil
	return err
}

func (s *scripted) HasSession() bool { return s.session }

func (s *scripted) SignOut(context.Context) error {
	s.session = false
	return s.call("signOut")
}

func (s *scripted) Subscribe(context.Context, api.Subscription) (api.Subscribed, error) {
	return api.Subscribed{ID: s.id, Refusal: s.refusal}, s.call("subscribe")
}

func (s *scripted) Unfiltered() bool { return s.old }

func (s *scripted) Verify(context.Context, string) (api.State, error) {
	switch err := s.call("verify"); {
	case errors.Is(err, errInactive):
		return api.Missing, nil
	case errors.Is(err, errUnverifiable):
		return api.Unverifiable, nil
	default:
		return api.Active, err
	}
}

func (s *scripted) Unsubscribe(context.Context, string) error {
	s.refusal = nil
	return s.call("unsubscribe")
}
func (s *scripted) Close() { s.calls = append(s.calls, "close") }

var (
	errInactive     = errors.New("inactive")
	errUnverifiable = errors.New("the call is unknown")

	errNetwork = errors.New("connection refused")
	errSession = &api.Error{Call: "verify", Status: 200, Code: 4021}
	errLogin   = &api.Error{Call: "signIn", Status: 200, Code: 4020}
	errBusy    = &api.Error{Call: "subscribe", Status: 200, Code: 5042}
)

// follow runs a manager for so long and returns what it asked for, with the
// minute in which it did.
func follow(t *testing.T, s *scripted, lasts time.Duration, change func(*SubscriptionConfig)) (calls []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.start = time.Now()
		config := defaultSubscription()
		if change != nil {
			change(&config)
		}
		m := newManager(s, &config)
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		m.run(ctx)
		assert.False(t, m.active.Load())
	})
	return s.calls
}

func TestManagerLooksAfterTheSubscription(t *testing.T) {
	s := &scripted{id: "s-1", fail: map[string][]error{"verify": {nil, errInactive, errSession, nil}}}
	assert.Equal(t, []string{
		"signIn@0s", "subscribe@0s", "verify@5m0s",
		"verify@10m0s", "subscribe@10m0s", // not active any more
		"verify@15m0s", "signOut@15m0s", "signIn@15m0s", "verify@15m0s", // the session was over
		"verify@20m0s", "signOut@22m0s", "close",
	}, follow(t, s, 22*time.Minute, nil))
}

// That a server knows no filters is logged once.
func TestManagerOfAnOldServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := defaultSubscription()
		m := newManager(&scripted{start: time.Now(), id: "s-1", old: true, fail: map[string][]error{"verify": {errSession, errSession}}}, &config)
		core, log := observer.New(zap.WarnLevel)
		m.logger = zap.New(core)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		m.run(ctx)
		assert.Equal(t, 1, log.FilterMessageSnippet("without filters").Len())
	})
}

// Without an id there is nothing to verify: subscribing again is no change.
func TestManagerWithoutAnID(t *testing.T) {
	s := &scripted{}
	assert.Equal(t, []string{"signIn@0s", "subscribe@0s", "subscribe@5m0s", "signOut@6m0s", "close"}, follow(t, s, 6*time.Minute, nil))
}

func TestManagerUnsubscribes(t *testing.T) {
	s := &scripted{id: "s-1"}
	assert.Equal(t, []string{"signIn@0s", "subscribe@0s", "unsubscribe@1m0s", "signOut@1m0s", "close"},
		follow(t, s, time.Minute, func(c *SubscriptionConfig) { c.UnsubscribeOnShutdown = true }))
}

func TestManagerUnsubscribesInANewSession(t *testing.T) {
	s := &scripted{id: "s-1", fail: map[string][]error{"unsubscribe": {errSession}}}
	assert.Equal(t, []string{"signIn@0s", "subscribe@0s", "unsubscribe@50m0s", "signOut@50m0s", "signIn@50m0s", "unsubscribe@50m0s", "signOut@50m0s", "close"},
		follow(t, s, 50*time.Minute, func(c *SubscriptionConfig) { c.UnsubscribeOnShutdown, c.VerifyInterval = true, time.Hour }))
}

// Wrong credentials do not become right by trying.
func TestManagerWaitsLongAfterWrongCredentials(t *testing.T) {
	s := &scripted{fail: map[string][]error{"signIn": {errLogin, errLogin, errLogin, errLogin}}}
	assert.Equal(t, []string{"signIn@0s", "signIn@5m0s", "signIn@10m0s", "close"}, follow(t, s, 14*time.Minute, nil))
}

// A server that cannot be reached is tried ever less often, and at least each
// minute and a half.
func TestManagerBacksOff(t *testing.T) {
	s := &scripted{fail: map[string][]error{}}
	for range 1000 {
		s.fail["signIn"] = append(s.fail["signIn"], errNetwork)
	}
	tries := len(follow(t, s, time.Hour, nil)) - 1
	assert.Greater(t, tries, 40)
	assert.Less(t, tries, 150)
}

func TestManagerLeavesABusyServerAlone(t *testing.T) {
	s := &scripted{id: "s-1", fail: map[string][]error{"subscribe": {errBusy, errBusy, errBusy, errBusy, errBusy, errBusy, errBusy, errBusy}}}
	calls := follow(t, s, time.Minute, nil)
	assert.LessOrEqual(t, len(calls), 1+5+2, "at most every fifteen seconds: %v", calls)
	assert.Equal(t, "signIn@0s", calls[0])
	assert.NotContains(t, calls[1:], "signIn@0s", "the session stays")
}

// A session that the server does not know right after the sign-in is an error
// like wrong credentials, not a loop.
func TestManagerDoesNotLoop(t *testing.T) {
	s := &scripted{id: "s-1", fail: map[string][]error{"subscribe": {errSession, errSession, nil}}}
	calls := follow(t, s, 14*time.Minute, nil)
	assert.Equal(t, []string{
		"signIn@0s", "subscribe@0s", "signOut@0s", "signIn@5m0s", "subscribe@5m0s", "signOut@5m0s", "signIn@10m0s", "subscribe@10m0s", "signOut@14m0s", "close",
	}, calls)
}

// A subscription that a failure names is verified, and replaced if the server
// does not use it.
func TestManagerVerifiesANamedSubscription(t *testing.T) {
	refusal := &api.Error{Call: "subscribeRecordingEvent", Status: 200, Code: 4030, Message: "Failure: Invalid parameter value."}
	f := func(verified error, want ...string) {
		t.Helper()
		s := &scripted{id: "abcd1234", refusal: refusal, fail: map[string][]error{"verify": {verified}}}
		assert.Equal(t, slices.Concat([]string{"signIn@0s", "subscribe@0s", "verify@0s"}, want, []string{"signOut@1m0s", "close"}), follow(t, s, time.Minute, nil))
	}
	f(nil)
	f(errUnverifiable)
	f(errInactive, "unsubscribe@0s", "subscribe@0s")
}

// A server without the call that verifies is subscribed at again, which is no
// change, and nothing is wrong.
func TestManagerOfAServerThatCannotVerify(t *testing.T) {
	s := &scripted{id: "s-1", fail: map[string][]error{"verify": {errUnverifiable, errUnverifiable}}}
	assert.Equal(t, []string{"signIn@0s", "subscribe@0s", "verify@5m0s", "subscribe@5m0s", "verify@10m0s", "subscribe@10m0s", "signOut@11m0s", "close"},
		follow(t, s, 11*time.Minute, nil))
}
