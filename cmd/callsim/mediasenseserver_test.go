// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mailbox takes the posts of MediaSense.
type mailbox struct {
	mu     sync.Mutex
	bodies [][]byte
	url    string
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		m.mu.Lock()
		defer m.mu.Unlock()
		m.bodies = append(m.bodies, body)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL + "/mediasense"
	return m
}

func (m *mailbox) all() [][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([][]byte(nil), m.bodies...)
}

// TestRecordingsOverTheNetwork: what arrives is what -print shows, and the truth
// is the same.
func TestRecordingsOverTheNetwork(t *testing.T) {
	m := newMailbox(t)
	r, url := newReceiver(t, func(int, http.ResponseWriter) bool { return true })
	file := filepath.Join(t.TempDir(), "truth.json")
	args := []string{"-meetings", "10", "-seed", "3", "-faults", allTheFaultsOfMediaSense}
	within(t, time.Minute, func(ctx context.Context) {
		var errs bytes.Buffer
		code := run(ctx, append(args, "-target", url, "-mediasense-target", m.url, "-truth", file), nil, &errs)
		require.Zero(t, code, errs.String())
		assert.Regexp(t, `records acknowledged, (\d+) of \d+ posts of MediaSense, 0 not`, errs.String())
	})
	got := readTruth(t, file)
	r.check(got, true)
	bodies, want := playRecordings(t, args...)
	assert.Equal(t, want.MediaSense, got.MediaSense)
	assert.Equal(t, counted(bodies), counted(m.all()))
}

// counted is how many times each body came: the two servers do not wait for each
// other.
func counted(bodies [][]byte) map[string]int {
	n := map[string]int{}
	for _, body := range bodies {
		n[strings.TrimSpace(string(body))]++
	}
	return n
}

var apiURL = regexp.MustCompile(`MediaSense API of ms\d at (\S+)\n`)

// TestRecordingsBySubscription runs to a client that subscribes at both servers, and tells
// what the client did wrong.
func TestRecordingsBySubscription(t *testing.T) {
	m := newMailbox(t)
	cert := filepath.Join(t.TempDir(), "cert.pem")
	w := watch(t, "-target", "none", "-meetings", "10", "-linger-events", "1ms",
		"-mediasense-api", "127.0.0.1:0", "-mediasense-tls", "-mediasense-cert", cert, "-mediasense-user", "u", "-mediasense-password", "p",
		"-await-mediasense")
	var urls [][]string
	require.Eventually(t, func() bool {
		urls = apiURL.FindAllStringSubmatch(w.output(), -1)
		return len(urls) == 2
	}, 10*time.Second, time.Millisecond)
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	assert.Contains(t, string(text), "BEGIN CERTIFICATE")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	call := func(url, session, body string) (string, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("JSESSIONID", session)
		res, err := (&http.Client{Transport: transport}).Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.Header.Get("JSESSIONID"), string(answer)
	}
	var sessions []string
	for _, url := range urls {
		assert.True(t, strings.HasPrefix(url[1], "https://"))
		session, answer := call(url[1]+"/ora/authenticationService/authentication/signIn", "", `{"requestParameters":{"username":"u","password":"p"}}`)
		require.Contains(t, answer, `"responseCode":2000`)
		_, answer = call(url[1]+"/ora/eventService/event/subscribeToEvents", session,
			`{"requestParameters":{"subscriptionType":"http","subscriptionUri":"`+m.url+`","subscriptionFilters":["RECORDING_EVENTS","TAG_EVENTS","STORAGE_EVENTS","CLEANUP_EVENTS"]}}`)
		require.Contains(t, answer, `"responseCode":2000`)
		sessions = append(sessions, session)
	}
	require.Eventually(t, func() bool {
		return strings.Contains(w.output(), "all recordings have ended, the MediaSense API is served until stopped")
	}, time.Minute, time.Millisecond)
	_, answer := call(urls[0][1]+"/ora/authenticationService/authentication/signOut", sessions[0], `{}`)
	require.Contains(t, answer, `"responseCode":2000`)
	w.stop()
	got := w.end().MediaSense
	f := foldRecordings(t, m.all(), true)
	f.compare(got)
	assert.Equal(t, got.Happened, f.distinct)
	_, want := playRecordings(t, "-meetings", "10")
	assert.Equal(t, want.MediaSense.Sessions, got.Sessions)
	assert.Equal(t, want.MediaSense.Disks, got.Disks)
	assert.Empty(t, got.Servers[0].Misuse)
	assert.Equal(t, map[string]int{"no_sign_out": 1}, asStrings(got.Servers[1].Misuse))
}

func asStrings[K ~string](m map[K]int) map[string]int {
	out := map[string]int{}
	for k, n := range m {
		out[string(k)] = n
	}
	return out
}

// TestRecordingsLinger ends by itself.
func TestRecordingsLinger(t *testing.T) {
	var errs bytes.Buffer
	within(t, time.Minute, func(ctx context.Context) {
		code := run(ctx, []string{
			"-target", "none", "-meetings", "2", "-mediasense-api", "127.0.0.1:0", "-linger-mediasense", "20ms",
		}, nil, &errs)
		assert.Zero(t, code, errs.String())
	})
	assert.Contains(t, errs.String(), "the MediaSense API is served for 20ms")
}

// TestRecordingsToggleBySignal takes the API down and up without Events servers.
func TestRecordingsToggleBySignal(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	w := &watched{t: t, file: filepath.Join(t.TempDir(), "truth.json"), stop: stop, done: make(chan int, 1)}
	go func() {
		w.done <- run(ctx, []string{"-target", "none", "-live", "-mediasense-api", "127.0.0.1:0", "-truth", w.file}, nil, w)
	}()
	require.Eventually(t, func() bool { return len(apiURL.FindAllString(w.output(), -1)) == 2 }, 10*time.Second, time.Millisecond)
	for _, state := range []string{"down", "up"} {
		toggleMyself(t)
		require.Eventually(t, func() bool { return strings.Contains(w.output(), "the MediaSense servers are "+state) }, 10*time.Second, time.Millisecond)
	}
	w.stop()
	assert.NotNil(t, w.end().MediaSense)
}

// TestStoppedRecordings: what was in progress when the simulation stopped is open.
func TestStoppedRecordings(t *testing.T) {
	m := newMailbox(t)
	ctx, stop := context.WithCancel(t.Context())
	w := &watched{t: t, file: filepath.Join(t.TempDir(), "truth.json"), stop: stop, done: make(chan int, 1)}
	go func() {
		w.done <- run(ctx, []string{"-target", "none", "-live", "-speed", "200", "-mediasense-target", m.url, "-truth", w.file}, nil, w)
	}()
	require.Eventually(t, func() bool { return len(m.all()) > 200 }, 30*time.Second, time.Millisecond)
	w.stop()
	got := w.end().MediaSense
	f := foldRecordings(t, m.all(), true)
	f.compare(got)
	open := 0
	for _, s := range got.Sessions {
		if s.State == "ACTIVE" {
			open++
			assert.Zero(t, s.EndUnixNano)
		}
	}
	assert.Positive(t, open)
}
