// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// freeAddress returns an address that no process listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// The backend refuses while the failure lasts and takes everything afterwards, and meetings
// are posted meanwhile.
func TestBackendDown(t *testing.T) {
	r := newReceiver(t)
	s := r.settings(t)
	s.Backend, s.Hold, s.Recover = freeAddress(t), time.Second, 0
	ask := func() int {
		response, err := http.Post("http://"+s.Backend+"/v1/logs", "application/x-protobuf", strings.NewReader("x"))
		if err != nil {
			return 0
		}
		response.Body.Close()
		return response.StatusCode
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	d, _ := Find("backend-down")
	go func() { ended <- d.Run(ctx, s) }()
	require.Eventually(t, func() bool { return ask() == http.StatusServiceUnavailable }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return ask() == http.StatusOK }, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
	http.DefaultClient.CloseIdleConnections()
	require.NotEmpty(t, documents(t, r))
	for _, meeting := range documents(t, r) {
		assert.Len(t, meeting.Records, 4)
	}
	assert.Zero(t, ask(), "the backend is gone with the drill")
}

// A refused meeting waits, and no other one begins. When the Collector takes it, all that has
// begun ends, and nothing is missing or twice.
func TestMeetingsOfAFullDisk(t *testing.T) {
	r := newReceiver(t)
	var full atomic.Bool
	var refused atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if full.Load() {
			refused.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(request.Body)
		assert.NoError(t, err)
		r.bodies["/cdr"] = append(r.bodies["/cdr"], string(body))
	}))
	t.Cleanup(server.Close)
	s := r.settings(t)
	target, err := url.Parse(server.URL)
	require.NoError(t, err)
	s.Target, s.bridge = target, newBridge()
	bridge := s.newSession()
	require.NoError(t, bridge.beginMeeting(t.Context()))
	full.Store(true)
	for range 3 {
		require.NoError(t, bridge.beginMeeting(t.Context()))
	}
	assert.EqualValues(t, 3, refused.Load())
	full.Store(false)
	require.NoError(t, bridge.endMeetings(t.Context()))
	next, kinds := 0, map[string]int{}
	for _, document := range documents(t, r) {
		for _, record := range document.Records {
			assert.Equal(t, next, record.Index)
			next++
			kinds[record.Type]++
		}
	}
	assert.Equal(t, map[string]int{"callStart": 2, "callLegStart": 40, "callLegEnd": 40, "callEnd": 2}, kinds)
}

// An answer that no Collector with a full disk gives ends the drill.
func TestOtherAnswers(t *testing.T) {
	r := newReceiver(t)
	s := r.settings(t)
	s.bridge = newBridge()
	s.Target.Path = "/other"
	assert.ErrorContains(t, s.newSession().meet(t.Context()), "answered 404 Not Found, this drill needs 200 or 503")
}

// The file that fills a disk never stays, and a file that is there is not touched.
func TestFiller(t *testing.T) {
	r := newReceiver(t)
	s := r.settings(t)
	s.MaxFill = 1 << 20
	d, _ := Find("disk-full")
	assert.ErrorContains(t, d.Run(t.Context(), s), "use a test system with a small one, or raise -max-fill")
	assert.NoFileExists(t, filepath.Join(s.Directory, fillerName))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.MaxFill = 1 << 40
	assert.ErrorIs(t, d.Run(ctx, s), context.Canceled)
	assert.NoFileExists(t, filepath.Join(s.Directory, fillerName))
	assert.Empty(t, r.bodies)

	require.NoError(t, os.WriteFile(filepath.Join(s.Directory, fillerName), []byte("mine"), 0o600))
	assert.ErrorContains(t, d.Run(t.Context(), s), "file exists")
	assert.FileExists(t, filepath.Join(s.Directory, fillerName))
}

// A drill that is interrupted ends its failure all the same: the alert would ring until the
// next restart of the receiver.
func TestInterruptedStorage(t *testing.T) {
	r := newReceiver(t)
	s := r.settings(t)
	s.Hold = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		var event struct{ EventAction string }
		assert.NoError(t, json.NewDecoder(request.Body).Decode(&event))
		seen <- event.EventAction
	}))
	t.Cleanup(server.Close)
	recorder, err := url.Parse(server.URL)
	require.NoError(t, err)
	s.MediaSense = recorder
	ended := make(chan error, 1)
	d, _ := Find("storage-critical")
	go func() { ended <- d.Run(ctx, s) }()
	next := func() string {
		select {
		case action := <-seen:
			return strings.TrimSuffix(action, "_STORAGE_SPACE")
		case <-time.After(10 * time.Second):
			return "nothing"
		}
	}
	assert.Equal(t, "ENTER_LOW", next())
	assert.Equal(t, "ENTER_CRITICAL", next())
	cancel() // with the answer under way, or in the hold
	assert.ErrorIs(t, <-ended, context.Canceled)
	assert.Equal(t, "EXIT_CRITICAL", next())
	assert.Equal(t, "EXIT_LOW", next())
}
