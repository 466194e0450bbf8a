// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// syncBuffer may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var listening = regexp.MustCompile(`events of \S+ at (\S+)`)

// With -target registered the records wait until somebody registers, and go to a client
// that did.
func TestRegistered(t *testing.T) {
	first, target := newReceiver(t, func(int, http.ResponseWriter) bool { return true })
	second, other := newReceiver(t, func(int, http.ResponseWriter) bool { return true })
	var stderr syncBuffer
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), []string{
			"-target", "registered", "-events", "localhost:0", "-bridges", "1", "-meetings", "2", "-retry", "10ms", "-linger-events", "1ms", "-give-up", "1m",
		}, &stderr, &stderr)
	}()
	require.Eventually(t, func() bool { return listening.MatchString(stderr.String()) }, 10*time.Second, time.Millisecond)
	api := listening.FindStringSubmatch(stderr.String())[1]
	for _, uri := range []string{target, other} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"/api/v1/system/cdrReceivers", strings.NewReader(url.Values{"uri": {uri}}.Encode()))
		require.NoError(t, err)
		r.SetBasicAuth("api", "x")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	require.Zero(t, <-done, stderr.String())
	assert.NotEmpty(t, first.good)
	assert.NotEmpty(t, second.good)
	assert.Len(t, second.good, len(first.good))
}

// Records that are lost are never delivered, and no record reports them.
func TestLostRecords(t *testing.T) {
	play := func(faults string) (records, posts int) {
		got, target := newReceiver(t, func(int, http.ResponseWriter) bool { return true })
		var stderr bytes.Buffer
		args := []string{"-target", target, "-meetings", "3", "-max-batch", "5"}
		if faults != "" {
			args = append(args, "-faults", faults)
		}
		require.Zero(t, run(t.Context(), args, &stderr, &stderr), stderr.String())
		for _, session := range got.good {
			records += len(session)
		}
		return records, got.n
	}
	all, posts := play("")
	some, fewer := play("lossy=0.3")
	assert.Less(t, some, all)
	assert.Positive(t, some)
	assert.Less(t, fewer, posts)
	nothing, _ := play("silent=1ns")
	assert.Zero(t, nothing)
}
