// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// answers plays a server by path and query; what it does not know is 404.
func answers(t *testing.T, by map[string]string) (url string, requests *int) {
	t.Helper()
	requests = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		w.Header().Set("Connection", "close")
		body, found := by[strings.TrimPrefix(r.URL.RequestURI(), "/api/v1")]
		if !found {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, `<?xml version="1.0"?>`+body)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// A bridge knows itself by its unique name, on whatever page of the list it is.
func TestCallBridgeID(t *testing.T) {
	const cluster, list = "/system/configuration/cluster", "/callBridges"
	f := func(by map[string]string, want string, requests int, fails bool) {
		t.Helper()
		url, made := answers(t, by)
		got, err := newClient(t, url, "").CallBridgeID(t.Context())
		assert.Equal(t, fails, err != nil, "%v", err)
		assert.Equal(t, want, got)
		assert.Equal(t, requests, *made)
	}
	named := func(pages ...string) map[string]string {
		by := map[string]string{cluster: `<cluster><uniqueName>cms2</uniqueName><loadLimit>1</loadLimit></cluster>`}
		for i, path := range []string{list, list + "?offset=2", list + "?offset=4"}[:len(pages)] {
			by[path] = `<callBridges total="5">` + pages[i] + `</callBridges>`
		}
		return by
	}
	const one, two, three, own = `<callBridge id="1"><name>cms1</name></callBridge>`, `<callBridge id="2"><name>CMS2</name></callBridge>`,
		`<callBridge id="3"><name>cms22</name></callBridge>`, `<callBridge id="g"><name>cms2</name></callBridge>`
	f(named(one+own), "g", 2, false)
	f(named(one+two, three+one, own), "g", 4, false)
	f(named(one+two, three+one, one), "", 4, false)
	f(named(one+two, ``), "", 3, false)
	f(named(), "", 2, true)
	f(named(`<`), "", 2, true)
	f(map[string]string{}, "", 1, true)
	f(map[string]string{cluster: `<cluster/>`}, "", 1, false)
	f(map[string]string{cluster: `<cluster><uniqueName>a</uniqueName></cluster>`, list: `<callBridges total="0"/>`}, "", 2, false)
}

// A list whose total is never reached is read to a bound.
func TestCallBridgeIDEnds(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Connection", "close")
		if strings.HasSuffix(r.URL.Path, "cluster") {
			_, _ = io.WriteString(w, `<cluster><uniqueName>x</uniqueName></cluster>`)
			return
		}
		_, _ = io.WriteString(w, `<callBridges total="1000000"><callBridge id="1"><name>a</name></callBridge></callBridges>`)
	}))
	defer server.Close()
	got, err := newClient(t, server.URL, "").CallBridgeID(t.Context())
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Less(t, requests, 100)
}

// Without a username the HTTP client's own authentication is left alone.
func TestWithoutCredentials(t *testing.T) {
	var authorization string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		authorization = r.Header.Get("Authorization")
	}))
	defer server.Close()
	config := api.ServerConfig{HTTP: confighttp.NewDefaultClientConfig()}
	config.HTTP.Endpoint = server.URL
	config.HTTP.Headers.Set("Authorization", "Bearer x")
	client, err := api.NewClient(t.Context(), &config, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.Status(t.Context()))
	assert.Equal(t, "Bearer x", authorization)
}
