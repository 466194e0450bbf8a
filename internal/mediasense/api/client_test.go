// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/mediasense/api/apitest"
)

const fixtures = "../../../testdata/mediasense"

func fixture(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(fixtures, name))
	require.NoError(t, err)
	return string(body)
}

var all = Subscription{
	URI:     "http://192.0.2.200:8085/mediasense",
	Filters: []string{"RECORDING_EVENTS", "TAG_EVENTS", "STORAGE_EVENTS", "CLEANUP_EVENTS"},
}

func newClient(t *testing.T) (*Client, *apitest.Server) {
	t.Helper()
	server := apitest.NewServer(t, "apiuser", "not-a-real-password")
	client := NewClient(new(http.Client), server.URL()+"/", "apiuser", "not-a-real-password")
	t.Cleanup(client.Close)
	return client, server
}

// What is posted is what the fixtures have.
func TestRequests(t *testing.T) {
	client, server := newClient(t)
	require.NoError(t, client.SignIn(t.Context()))
	got, err := client.Subscribe(t.Context(), all)
	require.NoError(t, err)
	id := got.ID
	bodies := server.Bodies()
	assert.JSONEq(t, fixture(t, "signin-request.json"), bodies[0])
	assert.JSONEq(t, fixture(t, "subscribe-to-events-request.json"), bodies[1])
	assert.Equal(t, server.Subscriptions()[0].ID, id)
	state, err := client.Verify(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, Active, state)
	require.NoError(t, client.Unsubscribe(t.Context(), id))
	require.NoError(t, client.SignOut(t.Context()))
	assert.False(t, server.SignedIn())
	assert.Equal(t, []string{"signIn", "subscribeToEvents", "verifyRecordingSubscription", "unsubscribeFromEvents", "signOut"}, server.Requests())
}

// The answers of the fixtures, as they are.
func TestAnswers(t *testing.T) {
	f := func(name string, status int) (id string, err error) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(fixture(t, name)))
		}))
		defer server.Close()
		client := NewClient(new(http.Client), server.URL, "u", "p")
		got, err := client.Subscribe(t.Context(), all)
		return got.ID, err
	}
	id, err := f("subscribe-to-events-response.json", http.StatusOK)
	require.NoError(t, err)
	assert.Equal(t, "s-3001", id)
	id, err = f("signin-response.json", http.StatusOK)
	require.NoError(t, err)
	assert.Empty(t, id)
	_, err = f("invalid-session-response.json", http.StatusOK)
	refused, ok := errors.AsType[*Error](err)
	require.True(t, ok)
	assert.True(t, refused.InvalidSession())
	assert.Equal(t, "subscribeToEvents: answered 4021: Failure: Invalid session.", err.Error())
	_, err = f("malformed-truncated.json", http.StatusBadGateway)
	assert.EqualError(t, err, "subscribeToEvents: answered 502 Bad Gateway")
}

// That there is such a subscription is no error, with either call.
func TestAlreadySubscribed(t *testing.T) {
	client, server := newClient(t)
	require.NoError(t, client.SignIn(t.Context()))
	first, err := client.Subscribe(t.Context(), all)
	require.NoError(t, err)
	second, err := client.Subscribe(t.Context(), all)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	less := all
	less.Filters, less.TagNameRegex = all.Filters[:1], "Track.*"
	third, err := client.Subscribe(t.Context(), less)
	require.NoError(t, err)
	assert.False(t, client.Unfiltered())
	assert.Equal(t, first, third)
	assert.Equal(t, []apitest.Subscription{{ID: first.ID, URI: all.URI, Filters: less.Filters, TagNameRegex: "Track.*", Active: true}}, server.Subscriptions())
}

func TestOldServer(t *testing.T) {
	client, server := newClient(t)
	server.SetOld()
	require.NoError(t, client.SignIn(t.Context()))
	for range 2 {
		got, err := client.Subscribe(t.Context(), all)
		require.NoError(t, err)
		assert.Equal(t, server.Subscriptions()[0].ID, got.ID, "the error names it")
		assert.True(t, client.Unfiltered())
	}
	require.NoError(t, client.Unsubscribe(t.Context(), server.Subscriptions()[0].ID))
	assert.Equal(t, []string{"signIn", "subscribeToEvents", "subscribeRecordingEvent", "subscribeRecordingEvent", "unsubscribeRecordingEvent"}, server.Requests())
}

func TestVerify(t *testing.T) {
	client, server := newClient(t)
	require.NoError(t, client.SignIn(t.Context()))
	got, err := client.Subscribe(t.Context(), all)
	require.NoError(t, err)
	f := func(want State) {
		t.Helper()
		state, err := client.Verify(t.Context(), got.ID)
		require.NoError(t, err)
		assert.Equal(t, want, state)
	}
	f(Active)
	server.Deactivate()
	f(Missing)
	server.Answer(404)
	f(Unverifiable)
	server.Answer(4999)
	f(Missing)
	server.Answer(2000) // without a status
	f(Active)
	for _, code := range []int{4021, 5042, 502, 401, 403} {
		server.Answer(code)
		_, err := client.Verify(t.Context(), got.ID)
		assert.Error(t, err, "%d says nothing of the subscription", code)
	}
}

// What a server says is fit for a log: without the password or the session.
func TestErrorsHaveNoSecrets(t *testing.T) {
	client, server := newClient(t)
	server.SetPassword("other")
	err := client.SignIn(t.Context())
	assert.EqualError(t, err, "signIn: answered 4020: Failure: Invalid credentials of apiuser with REDACTED")
}

// A redirect would carry the session to somebody else.
func TestNoRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	client := NewClient(new(http.Client), server.URL, "u", "p")
	defer client.Close()
	assert.EqualError(t, client.SignIn(t.Context()), "signIn: answered 307 Temporary Redirect")
}

func TestSessionOf11(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		w.Header().Set("JSESSIONID", "header")
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONIDSSO", Value: "sso"})
		seen = append(seen, r.Header.Get("JSESSIONID")+" "+r.Header.Get("JSESSIONIDSSO")+" "+r.Header.Get("Cookie"))
		_, _ = w.Write([]byte(`{"responseCode":"2000","responseBody":{"subscriptionId":3001}}`))
	}))
	defer server.Close()
	client := NewClient(new(http.Client), server.URL, "u", "p")
	defer client.Close()
	require.NoError(t, client.SignIn(t.Context()))
	got, err := client.Subscribe(t.Context(), all)
	require.NoError(t, err)
	assert.Equal(t, "3001", got.ID)
	assert.Equal(t, []string{"  ", "header sso JSESSIONID=header; JSESSIONIDSSO=sso"}, seen)
}

func TestWords(t *testing.T) {
	f := func(message, id string, already bool) {
		t.Helper()
		e := Error{Code: 4999, Message: message}
		assert.Equal(t, already, e.AlreadySubscribed(), message)
		assert.Equal(t, id, idIn(message), message)
	}
	f("Failure: URI is already subscribed with subscription ID 3001.", "3001", true)
	f("A subscription with this URI already exists, id: s-3001", "s-3001", true)
	f("already exists", "", true)
	f("Failure: see subscriptionId abcd1234", "abcd1234", false)
	f("Failure: Invalid parameter.", "", false)
	f("Failure: The maximum number of subscriptions is already reached.", "", false)
	f("Failure: subscription limit already exceeded", "", false)
	g := func(e Error, unknown bool) {
		t.Helper()
		assert.Equal(t, unknown, e.UnknownCall(), "%v", e)
	}
	g(Error{Status: 404}, true)
	g(Error{Status: 200, Code: 4000, Message: "Unknown API subscribeToEvents"}, true)
	g(Error{Status: 200, Code: 4000, Message: "Failure: operation not supported"}, true)
	g(Error{Status: 200, Code: 4000, Message: "API subscribeToEvents is not supported"}, true)
	g(Error{Status: 200, Code: 4000, Message: "Failure: Not implemented."}, true)
	g(Error{Status: 200, Code: 4000, Message: "Failure: subscription filter SESSION_PRUNED_EVENT is not supported"}, false)
	g(Error{Status: 200, Code: 4021, Message: "Failure: Invalid session."}, false)
}

// A server that is starting answers 404 to everything. It is not an old one: the
// old call would leave the filters out for as long as the session lasts.
func TestStartingServerIsNotOld(t *testing.T) {
	client, server := newClient(t)
	require.NoError(t, client.SignIn(t.Context()))
	server.Answer(404, 404)
	_, err := client.Subscribe(t.Context(), all)
	require.Error(t, err)
	_, err = client.Subscribe(t.Context(), all)
	require.NoError(t, err)
	require.Len(t, server.Subscriptions(), 1)
	assert.Equal(t, all.Filters, server.Subscriptions()[0].Filters)
}

// People put secrets into the callback's path or query, and servers repeat it.
func TestErrorsHaveNoCallback(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = w.Write([]byte(`{"responseCode":4005,"responseMessage":"Failure: cannot reach http://192.0.2.200/guess-me-not?key=x"}`))
	}))
	defer server.Close()
	client := NewClient(new(http.Client), server.URL, "u", "p")
	defer client.Close()
	_, err := client.Subscribe(t.Context(), Subscription{URI: "http://192.0.2.200/guess-me-not?key=x"})
	assert.EqualError(t, err, "subscribeToEvents: answered 4005: Failure: cannot reach REDACTED")
}

// The calls of the first release answer without a body of their own.
func TestAnswersOfTheFirstRelease(t *testing.T) {
	answers := map[string]string{
		callSubscribe:    `{"responseCode":4000,"responseMessage":"Failure: Unsupported API."}`,
		callSubscribeOld: `{"responseCode":4061,"responseMessage":"Failure: The subscription already exists.","detail":"x","subscriptionId":"sN7DASoAArHmDfI1"}`,
		callVerify:       `{"responseCode":2000,"responseMessage":"Successful","subscriptionStatus":"ACTIVE"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = w.Write([]byte(answers[r.URL.Path]))
	}))
	defer server.Close()
	client := NewClient(new(http.Client), server.URL, "u", "not-a-real-password")
	defer client.Close()
	for range 2 {
		got, err := client.Subscribe(t.Context(), all)
		require.NoError(t, err)
		assert.Equal(t, "sN7DASoAArHmDfI1", got.ID)
		state, err := client.Verify(t.Context(), got.ID)
		require.NoError(t, err)
		assert.Equal(t, Active, state)
		answers[callSubscribeOld] = `{"responseCode":2000,"responseMessage":"Successful","subscriptionId":"sN7DASoAArHmDfI1"}`
	}
}

// TestRefusedSubscriptions: a failure of either call that names a subscription is
// one, whatever its words; other failures are errors.
func TestRefusedSubscriptions(t *testing.T) {
	const refused = 4030
	f := func(answer string, want Subscribed, fails string) {
		t.Helper()
		for _, old := range []bool{false, true} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				if old && r.URL.Path == callSubscribe {
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(http.StatusNotFound)
					_, _ = w.Write([]byte("<html><body>HTTP Status 404</body></html>"))
					return
				}
				_, _ = w.Write([]byte(answer))
			}))
			client := NewClient(new(http.Client), server.URL, "u", "not-a-real-password")
			got, err := client.Subscribe(t.Context(), all)
			if fails != "" {
				assert.ErrorContains(t, err, fails)
			} else {
				require.NoError(t, err, answer)
				require.NotNil(t, got.Refusal)
				assert.Equal(t, refused, got.Refusal.Code)
				assert.Equal(t, old, client.Unfiltered())
			}
			assert.Equal(t, want.ID, got.ID, answer)
			client.Close()
			server.Close()
		}
	}
	// testdata/field/mediasense/duplicate-subscription
	for _, words := range []string{"Failure: Invalid parameter value.", "Failure: The subscription URI is already in use.", "Failure: Unable to process the request.", ""} {
		f(`{"responseCode":4030,"responseMessage":"`+words+`","detail":"","subscriptionId":"abcd1234"}`, Subscribed{ID: "abcd1234"}, "")
		f(`{"responseCode":"4030","responseMessage":"`+words+`","responseBody":{"subscriptionId":"abcd1234"}}`, Subscribed{ID: "abcd1234"}, "")
	}
	f(`{"responseCode":4030,"responseMessage":"Failure: Invalid parameter value.","detail":"known as subscription ID abcd1234"}`, Subscribed{ID: "abcd1234"}, "")
	f("\ufeff"+`{"responseCode":4030,"subscriptionId":"abcd1234"}`, Subscribed{ID: "abcd1234"}, "")
	f(`{"responseCode":4030,"responseMessage":"Failure: see subscriptionId: abcd1234"}`, Subscribed{ID: "abcd1234"}, "")
	f(`{"responseCode":4030,"responseMessage":"Failure: The subscription already exists.","responseBody":""}`, Subscribed{}, "")
	f(`{"responseCode":4030,"responseMessage":"Failure: Invalid parameter value.","responseBody":"","detail":"subscriptionUri"}`, Subscribed{},
		"answered 4030: Failure: Invalid parameter value. (subscriptionUri)")
	f(`{"responseCode":4030,"responseMessage":"Failure: Invalid parameter value.","detail":{"x":1},"subscriptionId":""}`, Subscribed{}, "answered 4030: Failure: Invalid parameter value.")
	f(`not JSON, subscriptionId abcd1234`, Subscribed{}, "answered 200 OK")
}

// TestSignInWithoutSession: it is an error of its own, and a session that comes
// with a refusal, or with a body that cannot be read, is known all the same.
func TestSignInWithoutSession(t *testing.T) {
	f := func(session bool, answer string, want func(error) bool) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			if session {
				http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "x"})
			}
			_, _ = w.Write([]byte(answer))
		}))
		defer server.Close()
		client := NewClient(new(http.Client), server.URL, "u", "not-a-real-password")
		defer client.Close()
		err := client.SignIn(t.Context())
		assert.True(t, want(err), "%v", err)
		assert.Equal(t, session, client.HasSession())
	}
	// testdata/field/mediasense/signin-without-session
	f(false, `{"responseCode":2000,"responseMessage":"Success"}`, func(err error) bool { return errors.Is(err, ErrNoSession) })
	f(true, `{"responseCode":2000,"responseMessage":"Success"}`, func(err error) bool { return err == nil })
	isRefused := func(err error) bool { _, ok := errors.AsType[*Error](err); return ok }
	f(false, `{"responseCode":4020,"responseMessage":"Failure"}`, isRefused)
	f(true, `{"responseCode":4020,"responseMessage":"Failure"}`, isRefused)
	f(true, `{"responseCo`, isRefused)
}
