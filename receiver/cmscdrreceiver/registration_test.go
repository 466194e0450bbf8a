// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/api/apitest"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

const ownURI = "http://collector:8080/cdr?system_id=cms1&token=secret"

func withRegistration(bridge *apitest.Server) func(*harness) {
	return func(r *harness) {
		server := RegistrationServer{HTTP: confighttp.NewDefaultClientConfig(), Username: "api", Password: "secret"}
		server.HTTP.Endpoint = bridge.URL()
		r.Logs = consumertest.NewNop()
		r.config.Registration = configoptional.Some(RegistrationConfig{
			URI: ownURI, Interval: 10 * time.Millisecond, Servers: []RegistrationServer{server},
		})
	}
}

// The receiver registers itself, and again when somebody takes it out.
func TestRegistration(t *testing.T) {
	bridge := apitest.NewServer(t, "api", "secret")
	r := newHarness(t, withRegistration(bridge))
	registered := func() bool { return assert.ObjectsAreEqual([]string{ownURI}, bridge.URIs()) }
	require.Eventually(t, registered, waitFor, tick)
	bridge.SetURIs()
	require.Eventually(t, registered, waitFor, tick)
	reported := func() bool { return r.Log.FilterMessage("This receiver is registered at the Call Bridge").Len() > 0 }
	require.Eventually(t, reported, waitFor, tick)

	r.Stop()
	assert.Equal(t, []string{ownURI}, bridge.URIs(), "a stop does not take the registration back")
	r.Start()
}

// A bridge that cannot be reached, refuses or is full does not keep the
// receiver from receiving; it is reported once, without secrets.
func TestRegistrationFails(t *testing.T) {
	f := func(change func(*apitest.Server), want string) {
		t.Helper()
		bridge := apitest.NewServer(t, "api", "secret")
		change(bridge)
		r := newHarness(t, withRegistration(bridge))
		require.Eventually(t, func() bool { return r.Log.FilterMessageSnippet("cannot be registered").Len() == 1 }, waitFor, tick)
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-6.xml")))
		reason := r.Log.FilterMessageSnippet("cannot be registered").All()[0].ContextMap()["error"]
		assert.Contains(t, reason, want)
		assert.NotContains(t, reason, "secret")
	}
	f(func(s *apitest.Server) { s.SetPassword("other") }, "GET /system/cdrReceivers: answered 401 Unauthorized")
	f(func(s *apitest.Server) { s.SetURIs("http://a/cdr", "http://b/cdr", "http://c/cdr", "http://d/cdr") }, "no place for another CDR receiver")
	f(func(s *apitest.Server) { s.Close() }, "connection refused")
	f(func(s *apitest.Server) { s.SetShape(apitest.Shape{Single: true}) }, "upgrade the bridge")
	f(func(s *apitest.Server) {
		s.SetURIs("http://a/cdr", "http://b/cdr")
		s.SetShape(apitest.Shape{IDsOnly: true, DetailStatus: http.StatusNotFound})
	}, "lists CDR receivers without a URI and answers 404 for each of them")
	f(func(s *apitest.Server) { s.SetShape(apitest.Shape{Status: http.StatusForbidden}) }, "answered 403 Forbidden")
	f(func(s *apitest.Server) { s.SetShape(apitest.Shape{Status: http.StatusNotFound}) }, "check that endpoint is the web admin interface")
}

// A bridge that writes the URI in other letters has one entry, however often the
// registration is looked after.
func TestRegistrationAtAServerThatMangles(t *testing.T) {
	bridge := apitest.NewServer(t, "api", "secret")
	bridge.SetShape(apitest.Shape{Show: func(uri string) string { return " " + strings.Replace(uri, "collector", "192.0.2.7", 1) }})
	r := newHarness(t, withRegistration(bridge))
	read := func() (n int) {
		for _, request := range bridge.Requests() {
			if request == "GET /api/v1/system/cdrReceivers" {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return read() > 10 }, waitFor, tick)
	assert.Equal(t, []string{ownURI}, bridge.URIs())
	altered := r.Log.FilterMessageSnippet("shows another URI")
	assert.Equal(t, 1, altered.Len())
	for _, entry := range r.Log.All() {
		assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "token=")
	}
}

// With storage, a bridge that shows the URI unrecognizably has one entry over
// restarts; a configuration with another query has an entry of its own.
func TestRegistrationOverARestart(t *testing.T) {
	bridge := apitest.NewServer(t, "api", "secret")
	bridge.SetShape(apitest.Shape{Show: func(string) string { return "********" }})
	stored := testkit.NewStorage()
	r := newHarness(t, func(r *harness) {
		withRegistration(bridge)(r)
		withStorage(stored)(r)
	})
	rounds := func() int { return len(bridge.Requests()) }
	restart := func() {
		before := rounds()
		require.Eventually(t, func() bool { return rounds() > before+20 }, waitFor, tick)
		r.Stop()
		for key, value := range stored.Values() {
			assert.NotContains(t, key+string(value), "token=")
		}
		r.Start()
		before = rounds()
		require.Eventually(t, func() bool { return rounds() > before+20 }, waitFor, tick)
	}
	for range 3 {
		restart()
		assert.Equal(t, []string{ownURI}, bridge.URIs())
	}
	const other = ownURI + "&x=1"
	r.config.Registration.Get().URI = other
	restart()
	assert.Equal(t, []string{ownURI, other}, bridge.URIs())
	r.config.Registration.Get().URI = ownURI
	restart()
	assert.Equal(t, []string{ownURI, other}, bridge.URIs())
}

// A storage that fails keeps the receiver from no registration. It is logged once, and the id
// is stored when the storage is well again.
func TestRegistrationWithoutWorkingStorage(t *testing.T) {
	bridge := apitest.NewServer(t, "api", "secret")
	stored := testkit.NewStorage()
	r := newHarness(t, func(r *harness) {
		withRegistration(bridge)(r)
		withStorage(stored)(r)
	})
	require.Eventually(t, func() bool { return len(stored.Values()) == 1 }, waitFor, tick)
	before := fmt.Sprint(stored.Values())
	stored.Fail(errors.New("disk full"))
	bridge.SetURIs() // somebody took it out: the next entry has another id
	complaints := func() int { return r.Log.FilterMessageSnippet("cannot be stored").Len() }
	require.Eventually(t, func() bool { return complaints() == 1 }, waitFor, tick)
	requests := len(bridge.Requests())
	require.Eventually(t, func() bool { return len(bridge.Requests()) > requests+20 }, waitFor, tick)
	assert.Equal(t, []string{ownURI}, bridge.URIs())
	assert.Equal(t, 1, complaints())
	assert.Equal(t, before, fmt.Sprint(stored.Values()))
	stored.Fail(nil)
	require.Eventually(t, func() bool { return fmt.Sprint(stored.Values()) != before }, waitFor, tick)
}

// A start that fails after the clients of the bridges were made closes them: a client
// that leaves the account last ends its pause.
func TestFailedStartClosesTheClients(t *testing.T) {
	bridge := apitest.NewServer(t, "api", "other")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = taken.Addr().String()
	server := RegistrationServer{HTTP: confighttp.NewDefaultClientConfig(), Username: "api", Password: "secret"}
	server.HTTP.Endpoint = bridge.URL()
	config.Registration = configoptional.Some(RegistrationConfig{URI: ownURI, Interval: time.Hour, Servers: []RegistrationServer{server}})

	paused := api.NewClientOf(http.DefaultClient, server.api())
	require.Error(t, paused.Status(t.Context()), "401")
	require.ErrorIs(t, paused.Status(t.Context()), api.ErrPaused)
	part, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, part.Start(t.Context(), componenttest.NewNopHost()), "address already in use")
	paused.Close()

	bridge.SetPassword("secret")
	fresh := api.NewClientOf(http.DefaultClient, server.api())
	defer fresh.Close()
	assert.NotErrorIs(t, fresh.Status(t.Context()), api.ErrPaused)
}

// What people must change first is not asked for at each interval: a bridge locks
// an account whose password is refused too often.
func TestWaitAfterAFailure(t *testing.T) {
	f := func(err error, interval, least, most time.Duration) {
		t.Helper()
		retry := backoff.NewExponentialBackOff()
		retry.InitialInterval, retry.MaxInterval = time.Second, time.Minute
		g := &registrar{interval: interval, retry: retry}
		for range 20 {
			wait := g.waitAfter(fmt.Errorf("register the CDR receiver: %w", err))
			assert.GreaterOrEqual(t, wait, least, "%v", err)
			assert.LessOrEqual(t, wait, most, "%v", err)
		}
	}
	const pause = api.UnauthorizedRetryDelay
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		f(&api.Error{Status: status}, time.Second, pause, pause)
		f(&api.Error{Status: status}, time.Hour, time.Hour, time.Hour)
	}
	f(&api.PausedError{Remaining: 3 * time.Minute}, time.Second, 3*time.Minute, 3*time.Minute)
	f(&api.PausedError{Remaining: 3 * time.Minute}, time.Hour, 3*time.Minute, 3*time.Minute)
	f(api.ErrSingleCDRReceiver, time.Hour, time.Hour, time.Hour)
	f(api.ErrCDRReceiverUnreadable, time.Hour, time.Hour, time.Hour)
	f(api.ErrNoCDRReceivers, time.Hour, time.Hour, time.Hour)
	f(api.ErrCDRReceiversFull, time.Hour, 0, 90*time.Second)
	f(&api.Error{Status: http.StatusServiceUnavailable}, time.Hour, 0, 90*time.Second)
	f(errors.New("connection refused"), time.Hour, 0, 90*time.Second)
}
