// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/api/apitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, endpoint, password string) *api.Client {
	t.Helper()
	config := api.ServerConfig{HTTP: confighttp.NewDefaultClientConfig(), Username: "events", Password: "correct-horse"}
	config.HTTP.Endpoint = endpoint
	if password != "" {
		config.Password = "wrong"
	}
	client, err := api.NewClient(t.Context(), &config, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func TestErrors(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	_, err := newClient(t, bridge.URL(), "wrong").CDRReceivers(t.Context())
	var refused *api.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusUnauthorized, refused.Status)
	assert.EqualError(t, err, "GET /system/cdrReceivers: answered 401 Unauthorized")
	assert.Len(t, bridge.Requests(), 1, "credentials go with the first request")
}

// replay answers with what a real server was seen to say.
func replay(t *testing.T, status int, file string) string {
	t.Helper()
	body, err := os.ReadFile("../../../testdata/cms-api/" + file)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRecordedAnswers(t *testing.T) {
	list, err := newClient(t, replay(t, http.StatusOK, "cdrReceivers-with-empty-slot.xml"), "").CDRReceivers(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 4, list.Maximum)
	assert.Equal(t, api.CDRReceiver{ID: "ca31104f-cf57-45b3-8b71-cdc840418097"}, list.Receivers[1])

	_, err = newClient(t, replay(t, http.StatusBadRequest, "error-tooManyCdrReceivers.xml"), "").CDRReceivers(t.Context())
	require.EqualError(t, err, "GET /system/cdrReceivers: answered 400 Bad Request: tooManyCdrReceivers")
	_, err = newClient(t, replay(t, http.StatusServiceUnavailable, "error-multiple.xml"), "").CDRReceivers(t.Context())
	var refused *api.Error
	require.ErrorAs(t, err, &refused)
	assert.Greater(t, len(refused.Reasons), 1)
	_, err = newClient(t, replay(t, http.StatusOK, "unauthorized.http"), "").CDRReceivers(t.Context())
	require.ErrorContains(t, err, "the answer cannot be read")
}

// The form on the wire is the recorded one.
func TestRecordedRequest(t *testing.T) {
	recorded, err := os.ReadFile("../../../testdata/cms-api/cdrReceiver-post.http")
	require.NoError(t, err)
	want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(recorded)))
	require.NoError(t, err)
	wantBody, err := io.ReadAll(want.Body)
	require.NoError(t, err)

	var got *http.Request
	var gotBody []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(`<cdrReceivers total="0" maximum="4"/>`))
			return
		}
		got = r
		gotBody, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	registration, err := newClient(t, server.URL, "").NewCDRRegistration(own)
	require.NoError(t, err)
	_, err = registration.Ensure(t.Context())
	require.ErrorIs(t, err, api.ErrCDRReceiverNotShown, "this server forgets")
	assert.Equal(t, want.URL.Path, got.URL.Path)
	assert.Equal(t, string(wantBody), string(gotBody))
	for _, header := range []string{"Authorization", "Content-Type"} {
		assert.Equal(t, want.Header.Get(header), got.Header.Get(header))
	}
}
