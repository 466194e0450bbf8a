// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

// receiver answers as its rule says and keeps what it answered with 200.
type receiver struct {
	t    *testing.T
	rule func(n int, w http.ResponseWriter) bool // false: already answered
	mu   sync.Mutex
	n    int
	good map[string]map[uint64]int // times accepted, by session and index
	seen map[string]map[uint64]int // times delivered
	urls map[string]bool
}

func newReceiver(t *testing.T, rule func(n int, w http.ResponseWriter) bool) (*receiver, string) {
	t.Helper()
	r := &receiver{
		t: t, rule: rule, good: map[string]map[uint64]int{}, seen: map[string]map[uint64]int{}, urls: map[string]bool{},
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, server.URL + "/cdr?token=x"
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	assert.NoError(r.t, err)
	assert.Equal(r.t, http.MethodPost, req.Method)
	assert.Equal(r.t, "text/xml", req.Header.Get("Content-Type"))
	r.mu.Lock()
	r.n++
	n := r.n
	r.urls[req.URL.String()] = true
	r.keep(r.seen, body)
	r.mu.Unlock()
	if !r.rule(n, w) {
		return
	}
	r.mu.Lock()
	r.keep(r.good, body)
	r.mu.Unlock()
}

// keep counts the records of a body; garbage and damaged bodies have none here.
func (r *receiver) keep(into map[string]map[uint64]int, body []byte) {
	if !wellFormed(body) {
		return
	}
	root := parse(r.t, body)
	session := root.attr("session")
	if into[session] == nil {
		into[session] = map[uint64]int{}
	}
	for _, rec := range root.Children {
		index, err := strconv.ParseUint(rec.attr("correlatorIndex"), 10, 64)
		assert.NoError(r.t, err)
		into[session][index]++
	}
}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter) bool { panic(http.ErrAbortHandler) }

func status(code int) func(http.ResponseWriter) bool {
	return func(w http.ResponseWriter) bool {
		w.WriteHeader(code)
		return code == http.StatusOK
	}
}

// TestEverythingArrives lets receivers misbehave in every second or third
// answer and requires each record at least once, and the truth to say exactly
// what was confirmed.
func TestEverythingArrives(t *testing.T) {
	for name, bad := range map[string]func(http.ResponseWriter) bool{
		"503":            status(http.StatusServiceUnavailable),
		"204 is no 200":  status(http.StatusNoContent),
		"201 is no 200":  status(http.StatusCreated),
		"redirect":       func(w http.ResponseWriter) bool { w.Header().Set("Location", "/x"); return status(307)(w) },
		"404":            status(http.StatusNotFound),
		"cut connection": hangUp,
	} {
		t.Run(name, func(t *testing.T) {
			r, url := newReceiver(t, func(n int, w http.ResponseWriter) bool {
				if n%3 != 0 {
					return bad(w)
				}
				return true
			})
			want := deliverAll(t, "-target", url, "-meetings", "20", "-faults", "lost-ack=0.2,shift,restart=1")
			r.check(want, true)
			assert.Len(t, r.urls, 3)
			assert.Contains(t, r.urls, "/cdr?token=x&system_id=cms2")
		})
	}
}

func TestSlowReceiver(t *testing.T) {
	release := make(chan struct{})
	r, url := newReceiver(t, func(n int, _ http.ResponseWriter) bool {
		if n == 1 {
			<-release // beyond the timeout: the bridge sends it again
			return false
		}
		if n == 2 {
			close(release)
		}
		return true
	})
	want := deliverAll(t, "-target", url, "-meetings", "3", "-bridges", "1", "-timeout", "1s")
	r.check(want, true)
}

func TestOverflowOverTheNetwork(t *testing.T) {
	r, url := newReceiver(t, func(n int, w http.ResponseWriter) bool { return n%2 == 0 || status(503)(w) })
	args := []string{"-meetings", "30", "-seed", "9", "-faults", "overflow=5"}
	want := deliverAll(t, append(args, "-target", url, "-max-batch", "5", "-buffer", "20")...)
	r.check(want, true)
	_, printed := playWithTruth(t, args...)
	assert.Equal(t, want, printed, "what is dropped on purpose must not depend on timing")
}

// TestFullBuffer stops a receiver until the bridges' buffers have overflowed.
func TestFullBuffer(t *testing.T) {
	var open sync.Once
	started := make(chan struct{})
	r, url := newReceiver(t, func(_ int, w http.ResponseWriter) bool {
		select {
		case <-started:
			return true
		default:
			open.Do(func() { time.AfterFunc(300*time.Millisecond, func() { close(started) }) })
			return status(503)(w)
		}
	})
	// So fast that all of it happens before the receiver opens.
	want := deliverAll(t, "-target", url, "-meetings", "30", "-speed", "1e9", "-max-batch", "5", "-buffer", "20")
	r.check(want, true)
	assert.NotZero(t, want.Missing)
	for _, b := range want.Bridges {
		for _, s := range b.Sessions {
			var missing uint64
			for _, gap := range s.Gaps {
				missing += gap.Missing
			}
			assert.Equal(t, s.Dropped.Len(), missing)
			assert.Equal(t, s.Generated, s.Dropped.Len()+s.Acknowledged.Len())
		}
	}
}

// deliverAll runs to the end and returns the truth.
func deliverAll(t *testing.T, args ...string) truth.Truth {
	t.Helper()
	file := filepath.Join(t.TempDir(), "truth.json")
	var errs bytes.Buffer
	within(t, time.Minute, func(ctx context.Context) {
		code := run(ctx, append([]string{"-retry", "1ms", "-truth", file}, args...), nil, &errs)
		require.Zero(t, code, errs.String())
	})
	got := readTruth(t, file)
	assert.False(t, got.Interrupted)
	assert.Regexp(t, `callsim: \d bridges, 0 calls open, \d+ records acknowledged, 0 not, [0-9.]+ s\n$`, errs.String())
	return got
}

// check compares what the receiver has with the truth.
func (r *receiver) check(want truth.Truth, finished bool) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range want.Bridges {
		for _, s := range b.Sessions {
			good, seen := r.good[s.Session], r.seen[s.Session]
			if finished {
				assert.Zero(r.t, s.InDoubt.Len())
			}
			for index := range s.Generated {
				at := fmt.Sprintf("%s %d", s.Session, index)
				switch {
				case s.Acknowledged.Has(index):
					assert.NotZero(r.t, good[index], at)
				case s.InDoubt.Has(index):
					assert.NotZero(r.t, seen[index], at)
				default:
					assert.Zero(r.t, seen[index], at)
				}
			}
		}
	}
}

func TestGivingUp(t *testing.T) {
	r, url := newReceiver(t, func(n int, w http.ResponseWriter) bool { return n < 3 || status(503)(w) })
	file := filepath.Join(t.TempDir(), "truth.json")
	var errs bytes.Buffer
	code := run(t.Context(), []string{
		"-target", url, "-bridges", "1", "-meetings", "5", "-max-batch", "5",
		"-retry", "1ms", "-give-up", "200ms", "-truth", file,
	}, nil, &errs)
	assert.Equal(t, exitFailed, code)
	assert.Regexp(t, `gave up after 200ms: cms1 has \d+ records not acknowledged \(the receiver answered 503 Service Unavailable\)\n$`, errs.String())
	got := readTruth(t, file)
	assert.True(t, got.Interrupted)
	s := got.Bridges[0].Sessions[0]
	assert.EqualValues(t, 5, s.InDoubt.Len())
	assert.Equal(t, s.Generated, s.Acknowledged.Len()+s.InDoubt.Len()+s.Unsent.Len())
	r.check(got, false)
}

func TestNobodyListens(t *testing.T) {
	var errs bytes.Buffer
	code := run(t.Context(), []string{"-target", "http://127.0.0.1:1/", "-retry", "1ms", "-give-up", "50ms", "-bridges", "1"}, nil, &errs)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs.String(), "connection refused")
}

// TestStoppingIsQuickAndClean stops an endless run whose receiver has gone
// silent, and requires the truth about what happened so far.
func TestStoppingIsQuickAndClean(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	silent := make(chan struct{})
	var once sync.Once
	r, url := newReceiver(t, func(n int, _ http.ResponseWriter) bool {
		if n > 20 {
			once.Do(stop)
			<-silent
			return false
		}
		return true
	})
	defer close(silent)
	file := filepath.Join(t.TempDir(), "truth.json")
	var errs bytes.Buffer
	// The receiver answers no more until this test has ended: that it ends at all is what
	// makes it quick.
	code := run(ctx, []string{"-target", url, "-live", "-speed", "1000", "-truth", file}, nil, &errs)
	assert.Zero(t, code, errs.String())
	got := readTruth(t, file)
	assert.True(t, got.Interrupted)
	r.check(got, false)
	open := 0
	for _, c := range got.Calls {
		if c.Outcome == truth.Open {
			open++
			assert.Nil(t, c.End)
		}
	}
	assert.NotZero(t, open)
	assert.True(t, strings.HasPrefix(errs.String(), "callsim: 3 bridges"), errs.String())
}

func TestABadTruthPathCostsNoRun(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"-print", "-truth", filepath.Join(t.TempDir(), "no", "such", "file")}, &out, &errs)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs.String(), "callsim: -truth: open ")
	assert.Empty(t, out.String())
}
