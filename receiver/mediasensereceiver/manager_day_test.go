// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/mediasense/api"
)

// apiDay is the API of a server in a simulated day: it counts the sessions that
// nobody signed out. It is an http.RoundTripper, because a simulated clock and
// real sockets do not go together.
type apiDay struct {
	// scripted answers a call; "" is the answer of a server that works.
	scripted func(call string, n int) (status int, answer string)
	// withoutSession makes it give no session.
	withoutSession bool
	// delay is how long it takes to answer.
	delay time.Duration

	calls   map[string]int
	open    map[string]time.Time // the sessions by their last use
	most    int                  // sessions that were open at once
	signIns int
}

// sessionIdle is for how long a server keeps a session that is not used.
const sessionIdle = 30 * time.Minute

func (d *apiDay) RoundTrip(r *http.Request) (*http.Response, error) {
	now := time.Now()
	for id, used := range d.open {
		if now.Sub(used) >= sessionIdle {
			delete(d.open, id)
		}
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	call := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	session := r.Header.Get("JSESSIONID")
	_, signedIn := d.open[session]
	if signedIn {
		d.open[session] = now
	}
	status, answer, header := http.StatusOK, `{"responseCode":2000,"subscriptionId":"s-1","subscriptionStatus":"ACTIVE"}`, http.Header{}
	switch {
	case call == "signIn":
		d.signIns++
		if !d.withoutSession {
			id := fmt.Sprint("SESSION", d.signIns)
			d.open[id] = now
			header.Set("Set-Cookie", "JSESSIONID="+id)
		}
	case call == "signOut":
		delete(d.open, session)
	case !signedIn:
		answer = `{"responseCode":4021,"responseMessage":"Failure: invalid session"}`
	}
	d.most = max(d.most, len(d.open))
	if d.scripted != nil {
		if code, text := d.scripted(call, d.calls[call]); code != 0 {
			status, answer = code, text
		}
	}
	d.calls[call]++
	select { // what it did it did, whether or not anybody reads the answer
	case <-time.After(d.delay):
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewBufferString(answer)), Request: r}, nil
}

// TestSessionsOfADay: whatever a server answers for a day, one session at most is
// open at it, sign-ins do not storm it, and the log says once why there is no
// subscription.
func TestSessionsOfADay(t *testing.T) {
	const invalid = `{"responseCode":4021,"responseMessage":"Failure: invalid session"}`
	answers := func(of, answer string) func(string, int) (int, string) {
		return func(call string, _ int) (int, string) {
			if call != of {
				return 0, ""
			}
			status := http.StatusOK
			if strings.HasPrefix(answer, "<") {
				_, err := fmt.Sscanf(answer, "<%d>", &status)
				assert.NoError(t, err)
			}
			return status, answer
		}
	}
	for name, c := range map[string]struct {
		server  apiDay
		signIns int // at most
		reason  string
		message string // of the error
	}{
		"all is well":             {apiDay{}, 1, "", ""},
		"no session is given":     {apiDay{withoutSession: true}, 290, "no_session", "without a session"},
		"no session is known":     {apiDay{scripted: answers("subscribeToEvents", invalid)}, 290, "no_session", "does not know the session of its own sign-in: subscribeToEvents: answered 4021"},
		"sessions end at once":    {apiDay{scripted: answers("verifyRecordingSubscription", invalid)}, 290, "no_session", "verifyRecordingSubscription: answered 4021"},
		"wrong credentials":       {apiDay{scripted: answers("signIn", `{"responseCode":4020,"responseMessage":"Failure"}`)}, 290, "unauthorized", "signIn: answered 4020"},
		"a refusing proxy":        {apiDay{scripted: answers("signIn", "<403>")}, 290, "unauthorized", "403 Forbidden"},
		"a user without rights":   {apiDay{scripted: answers("subscribeToEvents", "<403>")}, 1, "unauthorized", "403 Forbidden"},
		"unknown to the events":   {apiDay{scripted: answers("subscribeToEvents", "<401>")}, 290, "unauthorized", "401 Unauthorized"},
		"a sign-in that is cut":   {apiDay{scripted: answers("signIn", `{"responseCo`)}, 2000, "refused", "signIn: answered 200 OK"},
		"a server that is broken": {apiDay{scripted: answers("signIn", "<500>")}, 2000, "refused", "500 Internal Server Error"},
		"no more subscriptions": {
			apiDay{scripted: answers("subscribeToEvents", `{"responseCode":4999,"responseMessage":"Failure: The maximum number of subscriptions is reached."}`)},
			1, "refused", "The maximum number of subscriptions is reached",
		},
		"a restart each hour": {apiDay{scripted: func(call string, n int) (int, string) {
			if call == "verifyRecordingSubscription" && n%13 == 0 {
				return http.StatusOK, invalid
			}
			return 0, ""
		}}, 30, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &c.server
				server.calls, server.open = map[string]int{}, map[string]time.Time{}
				config := defaultSubscription()
				m := newManager(api.NewClient(&http.Client{Transport: server}, "https://ms1:8440", "api", "not-a-real-password"), &config)
				core, log := observer.New(zap.InfoLevel)
				m.logger = zap.New(core)
				seen := map[string]int{}
				m.countFailure = func(_ context.Context, why failureReason) { seen[failureReasonNames[why]]++ }
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				m.run(ctx)
				assert.LessOrEqual(t, server.most, 1, "sessions open at once")
				assert.Empty(t, server.open, "after the stop")
				assert.LessOrEqual(t, server.signIns, c.signIns, "sign-ins")
				t.Logf("sign-ins %d, calls %v", server.signIns, server.calls)
				failures := log.FilterMessageSnippet("No subscription").All()
				if c.reason == "" {
					assert.Empty(t, seen)
					assert.Empty(t, failures)
					return
				}
				assert.Len(t, seen, 1)
				assert.Positive(t, seen[c.reason], "%v", seen)
				if assert.NotEmpty(t, failures) {
					assert.Equal(t, c.reason, failures[0].ContextMap()["reason"])
					assert.Contains(t, failures[0].ContextMap()["error"], c.message)
				}
			})
		})
	}
}

// TestStopWhileItSubscribes: a stop that comes between a request and its answer
// leaves no session and no subscription behind, and is over soon even if there is
// no answer.
func TestStopWhileItSubscribes(t *testing.T) {
	f := func(delay time.Duration, want map[string]int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			server := &apiDay{calls: map[string]int{}, open: map[string]time.Time{}, delay: delay}
			config := defaultSubscription()
			config.UnsubscribeOnShutdown = true
			m := newManager(api.NewClient(&http.Client{Transport: server}, "https://ms1:8440", "api", "not-a-real-password"), &config)
			const stop = 1500 * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), stop)
			defer cancel()
			begin := time.Now()
			m.run(ctx)
			assert.LessOrEqual(t, time.Since(begin), stop+endTimeout)
			assert.Equal(t, want, server.calls)
		})
	}
	f(time.Second, map[string]int{"signIn": 1, "subscribeToEvents": 1, "unsubscribeFromEvents": 1, "signOut": 1})
	f(time.Hour, map[string]int{"signIn": 1})
}
