// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/eventstest"
	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

// watched is a running simulation and what it says.
type watched struct {
	t    *testing.T
	file string
	stop context.CancelFunc
	done chan int

	mu   sync.Mutex
	text bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watched) output() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// watch starts a simulation with Events servers anywhere.
func watch(t *testing.T, args ...string) *watched {
	t.Helper()
	w := &watched{t: t, file: filepath.Join(t.TempDir(), "truth.json"), done: make(chan int, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	args = append([]string{"-events", "127.0.0.1:0", "-truth", w.file}, args...)
	go func() { w.done <- run(ctx, args, nil, w) }()
	return w
}

var eventsURL = regexp.MustCompile(`events of cms\d at (\S+)\n`)

// follow lets a client follow each bridge until the simulation ends.
func (w *watched) follow(bridges int) []*eventstest.Client {
	w.t.Helper()
	var urls [][]string
	require.Eventually(w.t, func() bool {
		urls = eventsURL.FindAllStringSubmatch(w.output(), -1)
		return len(urls) == bridges
	}, 10*time.Second, time.Millisecond)
	hc := &http.Client{Transport: &http.Transport{}}
	w.t.Cleanup(hc.CloseIdleConnections)
	var clients []*eventstest.Client
	var all sync.WaitGroup
	for _, url := range urls {
		token, _, err := eventstest.Token(w.t.Context(), hc, url[1], "api", "x")
		require.NoError(w.t, err)
		conn, _, err := eventstest.Dial(w.t.Context(), hc, url[1], token)
		require.NoError(w.t, err)
		client := eventstest.New(conn, false)
		clients = append(clients, client)
		all.Go(func() {
			_ = client.Follow(w.t.Context())
			conn.CloseNow()
		})
	}
	w.t.Cleanup(all.Wait)
	return clients
}

// end waits for the end and returns the truth.
func (w *watched) end() truth.Truth {
	w.t.Helper()
	select {
	case code := <-w.done:
		require.Zero(w.t, code, w.output())
	case <-time.After(time.Minute):
		require.Fail(w.t, "it does not end", w.output())
	}
	return readTruth(w.t, w.file)
}

func (w *watched) over() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return bytes.Contains([]byte(w.output()), []byte("the scenario has ended")) }, time.Minute, time.Millisecond)
}

// compare requires a client to know what it must about its bridge; it may need
// a moment to ask for the last rosters.
func compare(t *testing.T, want truth.EventsBridge, c *eventstest.Client) {
	t.Helper()
	c.Lock()
	defer c.Unlock()
	assert.Len(t, c.Calls, len(want.Calls))
	got, shown := 0, 0
	for _, call := range want.Calls {
		assert.Len(t, c.Rosters[call.ID], call.Participants)
		assert.EqualValues(t, call.Participants, c.Calls[call.ID]["participants"])
		got += len(c.Rosters[call.ID])
	}
	for _, crowd := range want.Shown {
		shown += crowd.Count
	}
	assert.Equal(t, shown, got)
	assert.Empty(t, c.Wrong)
}

// TestEventsBesideRecords: at full speed, cut off in the middle of meetings, the
// clients know the truth, and the records are what they are without events.
func TestEventsBesideRecords(t *testing.T) {
	args := []string{"-meetings", "30", "-seed", "5", "-play-for", "40m"}
	r, url := newReceiver(t, func(int, http.ResponseWriter) bool { return true })
	w := watch(t, append(args, "-target", url, "-await-events")...)
	clients := w.follow(3)
	w.over()
	require.Eventually(t, func() bool {
		for _, c := range clients {
			c.Lock()
			settled := len(c.Rosters) == len(c.Calls)
			for id := range c.Calls {
				settled = settled && len(c.Rosters[id]) == int(c.Calls[id]["participants"].(float64))
			}
			c.Unlock()
			if !settled {
				return false
			}
		}
		return true
	}, 30*time.Second, 10*time.Millisecond)
	w.stop()
	got := w.end()
	r.check(got, true)
	require.NotNil(t, got.Events)
	assert.NotZero(t, got.Events.Calls)
	assert.NotEmpty(t, got.Events.Participants)
	for i, b := range got.Events.Bridges {
		compare(t, b, clients[i])
		assert.Empty(t, b.Account.Misuse)
	}
	events := got.Events
	got.Events = nil
	_, printed := playWithTruth(t, args...)
	assert.Equal(t, printed, got, "the records must not depend on the events")
	calls := map[string]bool{}
	for _, c := range printed.Calls {
		if c.Outcome == truth.Open {
			calls[c.ID] = true
		}
	}
	assert.Len(t, calls, events.Calls, "the open calls of the records are those of the events")
}

// TestEventsLinger ends by itself, without a receiver of records.
func TestEventsLinger(t *testing.T) {
	w := watch(t, "-target", "none", "-meetings", "3", "-bridges", "1", "-linger-events", "50ms")
	got := w.end()
	assert.Contains(t, w.output(), "the scenario has ended, its end state is served for 50ms")
	assert.Zero(t, got.Events.Calls)
	assert.NotZero(t, got.Events.Added)
	assert.Equal(t, got.Events.Added, got.Events.Removed)
}

// TestEventsLive follows a demonstration and stops it.
func TestEventsLive(t *testing.T) {
	cert := filepath.Join(t.TempDir(), "cert.pem")
	w := watch(t, "-target", "none", "-live", "-speed", "200", "-bridges", "2", "-events-tls", "-events-cert", cert)
	require.Eventually(t, func() bool { return len(eventsURL.FindAllString(w.output(), -1)) == 2 }, 10*time.Second, time.Millisecond)
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	assert.Contains(t, string(text), "BEGIN CERTIFICATE")
	assert.Regexp(t, `cms1 at https://127\.0\.0\.1:\d+\n`, w.output())
	w.stop()
	w.end()
}

func TestEventsTogglesBySignal(t *testing.T) {
	w := watch(t, "-target", "none", "-live", "-bridges", "1")
	require.Eventually(t, func() bool { return eventsURL.MatchString(w.output()) }, 10*time.Second, time.Millisecond)
	for _, state := range []string{"down", "up"} {
		toggleMyself(t)
		require.Eventually(t, func() bool {
			return bytes.Contains([]byte(w.output()), []byte("the Events servers are "+state))
		}, 10*time.Second, time.Millisecond)
	}
	w.stop()
	w.end()
}

func TestEventsAddresses(t *testing.T) {
	for text, want := range map[string][]string{
		"localhost:8451":             {"localhost:8451", "localhost:8452", "localhost:8453"},
		"localhost:0":                {"localhost:0", "localhost:0", "localhost:0"},
		"[::1]:8451,a:1,localhost:0": {"[::1]:8451", "a:1", "localhost:0"},
	} {
		o, err := parseOptions([]string{"-events", text}, nil)
		require.NoError(t, err)
		assert.Equal(t, want, o.events.addresses)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-events", "a:1,b:2"}, `-events: must be one address or as many as there are bridges (3), got "a:1,b:2"`},
		{[]string{"-events", "8451"}, `-events: must be host:port with room for all bridges, got "8451"`},
		{[]string{"-events", "a:65534"}, `-events: must be host:port with room for all bridges, got "a:65534"`},
		{[]string{"-events", "a:1", "-print"}, `-events: does not go with -print, which has no clock`},
		{[]string{"-events", "a:1", "-events-cert", "x"}, `-events-cert: needs -events-tls, got "x"`},
		{[]string{"-events", "a:1", "-events-ack", "0"}, `-events-ack: must be at least 1ms, got "0s"`},
		{[]string{"-linger-events", "-1s"}, `-linger-events: must be at least 0s, got "-1s"`},
		{[]string{"-play-for", "-1s"}, `-play-for: must be at least 0s, got "-1s"`},
		{[]string{"-faults", "events-drop=1s"}, `-faults: faults of the Events servers need -events, got "events-drop=1s"`},
		{[]string{"-crowd", "5"}, `-crowd: must be two numbers of at least 1 as in 100x20, got "5"`},
		{[]string{"-crowd", "5x0"}, `-crowd: must be two numbers of at least 1 as in 100x20, got "5x0"`},
		{[]string{"-target", "none"}, `-target: must be an http or https URL, got "none"`},
	} {
		_, err := parseOptions(tc.args, nil)
		assert.EqualError(t, err, tc.want, tc.args)
	}
}
