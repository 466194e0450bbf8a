// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/mediasense/api/apitest"
)

const ownURI = "http://192.0.2.200:8085/mediasense?token=secret"

// statusHost remembers what was reported.
type statusHost struct {
	component.Host

	mu       sync.Mutex
	statuses []componentstatus.Status
}

func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses = append(h.statuses, event.Status())
}

func (h *statusHost) reported() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]componentstatus.Status(nil), h.statuses...)
}

func withSubscription(host *statusHost, servers ...*apitest.Server) func(*harness) {
	return func(r *harness) {
		host.Host = componenttest.NewNopHost()
		r.Host = host
		r.Logs = consumertest.NewNop()
		config := defaultSubscription()
		config.Callback, config.VerifyInterval = ownURI, 10*time.Millisecond
		for _, server := range servers {
			s := SubscriptionServer{HTTP: newDefaultClient(), Username: "api", Password: configopaque.String("secret")}
			s.HTTP.Endpoint = server.URL()
			config.Servers = append(config.Servers, s)
		}
		r.config.Subscription = configoptional.Some(config)
	}
}

func newServer(t *testing.T) *apitest.Server {
	t.Helper()
	return apitest.NewServer(t, "api", "secret")
}

func subscribedAt(server *apitest.Server) bool {
	all := server.Subscriptions()
	return len(all) == 1 && all[0].URI == ownURI && all[0].Active && len(all[0].Filters) == len(allFilters)
}

func (r *harness) noSecrets() {
	r.T.Helper()
	for _, entry := range r.Log.All() {
		assert.NotContains(r.T, entry.Message, "secret")
		for key, value := range entry.ContextMap() {
			assert.NotContains(r.T, value, "secret", key)
			assert.NotRegexp(r.T, `SESSION[0-9]`, value, key)
		}
	}
}

// Both servers are subscribed at, and again after a restart, the end of a
// session, and when the subscription is not active.
func TestSubscription(t *testing.T) {
	first, second := newServer(t), newServer(t)
	host := new(statusHost)
	r := newHarness(t, withSubscription(host, first, second))
	for _, server := range []*apitest.Server{first, second} {
		well := func() bool { return subscribedAt(server) && server.SignedIn() }
		require.Eventually(t, well, waitFor, tick)
		for _, fault := range []func(){server.Restart, server.EndSession, server.Deactivate} {
			fault()
			require.Eventually(t, well, waitFor, tick)
		}
	}
	r.Stop()
	assert.True(t, subscribedAt(first), "a stop does not take the subscription back")
	assert.False(t, first.SignedIn(), "but leaves the server")
	assert.False(t, second.SignedIn())
	assert.NotEmpty(t, r.Log.FilterMessage("Subscribed to the events of MediaSense").All())
	r.noSecrets()
	r.Start()
	require.Eventually(t, func() bool { return subscribedAt(first) && first.SignedIn() }, waitFor, tick)
}

func TestUnsubscribeOnShutdown(t *testing.T) {
	server := newServer(t)
	r := newHarness(t, func(r *harness) {
		withSubscription(new(statusHost), server)(r)
		r.config.Subscription.Get().UnsubscribeOnShutdown = true
	})
	require.Eventually(t, func() bool { return subscribedAt(server) }, waitFor, tick)
	r.Stop()
	assert.Empty(t, server.Subscriptions())
	r.Start()
}

// A server that cannot be reached or refuses does not keep the receiver from
// receiving; it is reported once, without secrets.
func TestSubscriptionFails(t *testing.T) {
	f := func(change func(*apitest.Server), reason, want string) {
		t.Helper()
		server := newServer(t)
		change(server)
		host := new(statusHost)
		r := newHarness(t, withSubscription(host, server))
		require.Eventually(t, func() bool { return r.Log.FilterMessageSnippet("No subscription").Len() == 1 }, waitFor, tick)
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
		context := r.Log.FilterMessageSnippet("No subscription").All()[0].ContextMap()
		assert.Contains(t, context["error"], want)
		assert.Equal(t, reason, context["reason"])
		assert.Contains(t, host.reported(), componentstatus.StatusRecoverableError)
		// Each try is counted, and a slow machine may have made another one by now.
		assert.Positive(t, r.Counter("otelcol_receiver_mediasense_subscription_failures", reason))
		assert.Equal(t, 1, r.Log.FilterMessageSnippet("No subscription").Len(), "reported once, however often it is tried")
		r.noSecrets()
	}
	f(func(s *apitest.Server) { s.SetPassword("other") }, "unauthorized", "signIn: answered 4020")
	f(func(s *apitest.Server) { s.Answer(5042) }, "busy", "signIn: answered 5042")
	f(func(s *apitest.Server) { s.Answer(2000) }, "no_session", "signIn: answered 2000 without a session")
	f(func(s *apitest.Server) { s.Close() }, "unreachable", "connection refused")
}

// A server that comes back is reported too.
func TestSubscriptionRecovers(t *testing.T) {
	server := newServer(t)
	server.Answer(0, 4999) // signed in, and then refused
	host := new(statusHost)
	r := newHarness(t, withSubscription(host, server))
	require.Eventually(t, func() bool { return subscribedAt(server) && len(host.reported()) == 2 }, waitFor, tick)
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, host.reported())
	assert.EqualValues(t, 1, r.Counter("otelcol_receiver_mediasense_subscription_failures", "refused"))
}
