// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// gate is an authenticator that lets nobody in without the word.
type gate struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionauth.Server = gate{}

func (gate) Authenticate(ctx context.Context, headers map[string][]string) (context.Context, error) {
	if values := headers["Authorization"]; len(values) == 0 || values[0] != "word" {
		return ctx, errors.New("no")
	}
	return ctx, nil
}

type gateHost struct{ component.Host }

func (gateHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("gate"): gate{}}
}

// The page is served where the configuration says, behind its authenticator, and
// nowhere any more when it was stopped.
func TestPage(t *testing.T) {
	config, err := load(t, map[string]any{"http": map[string]any{
		"endpoint": "127.0.0.1:0", "auth": map[string]any{"authenticator": "gate"}, "trace_url": "https://jaeger.example.com/trace/{trace_id}",
	}})
	require.NoError(t, err)
	archive, err := store.Open(t.Context(), store.SQLite, filepath.Join(t.TempDir(), "calls.db"))
	require.NoError(t, err)
	defer archive.Close()
	address := loopback.MustAddress(t)
	config.HTTP.Get().Server.NetAddr.Endpoint = address
	p, err := startPage(t.Context(), gateHost{componenttest.NewNopHost()}, config.HTTP.Get(), config.ShutdownTimeout, componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	p.show(newHandler(config.HTTP.Get(), archive, componenttest.NewNopTelemetrySettings()))
	get := func(method, path, word string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, http.NoBody)
		require.NoError(t, err)
		if word != "" {
			request.Header.Set("Authorization", word)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	for _, path := range []string{"/", "/export.csv", "/static/style.css", "/conferences/x"} {
		status, _ := get(http.MethodGet, path, "")
		assert.Equal(t, http.StatusUnauthorized, status, path)
	}
	status, body := get(http.MethodGet, "/", "word")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "<h1>Meetings</h1>")
	foreign, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", http.NoBody)
	require.NoError(t, err)
	foreign.Host = "rebound.example.com"
	foreign.Header.Set("Authorization", "word")
	response, err := http.DefaultClient.Do(foreign)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusMisdirectedRequest, response.StatusCode, "a name that a stranger's page has point here")
	status, _ = get(http.MethodPost, "/", "word")
	assert.Equal(t, http.StatusMethodNotAllowed, status)
	http.DefaultClient.CloseIdleConnections()
	require.NoError(t, p.stop(t.Context()))
	_, err = net.Dial("tcp", address)
	assert.Error(t, err)
}

// A client that connects and hangs up, as the TCP check of a load balancer does, is a warning,
// once a minute. No list of encodings refuses a plain request.
func TestPageOfFailedHandshakes(t *testing.T) {
	_, certFile, keyFile := testkit.Certificate(t)
	config, err := load(t, map[string]any{"http": map[string]any{
		"endpoint": loopback.MustAddress(t), "tls": map[string]any{"cert_file": certFile, "key_file": keyFile}, "compression_algorithms": []string{"gzip"},
	}})
	require.NoError(t, err)
	set := componenttest.NewNopTelemetrySettings()
	core, log := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	p, err := startPage(t.Context(), componenttest.NewNopHost(), config.HTTP.Get(), config.ShutdownTimeout, set)
	require.NoError(t, err)
	address := config.HTTP.Get().Server.NetAddr.Endpoint
	for range 3 {
		connection, err := net.Dial("tcp", address)
		require.NoError(t, err)
		require.NoError(t, connection.(*net.TCPConn).CloseWrite())
		_, _ = io.Copy(io.Discard, connection) // until the server has closed it
		require.NoError(t, connection.Close())
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Get("https://" + address + "/")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "the archive is not open")
	client.CloseIdleConnections()
	require.NoError(t, p.stop(t.Context()))
	lines := log.All()
	if assert.Len(t, lines, 1) {
		assert.Equal(t, zap.WarnLevel, lines[0].Level)
		assert.Equal(t, "127.0.0.1", lines[0].ContextMap()["client.address"])
	}
}

// An export takes as long as it is long: the server's limit for an answer is not
// its limit.
func TestExportOutlivesWriteTimeout(t *testing.T) {
	address := loopback.MustAddress(t)
	r := newHarnessWith(t, map[string]any{"http": map[string]any{"endpoint": address}}, func(c *Config) { c.HTTP.Get().Server.WriteTimeout = 1 })
	require.NoError(t, r.ConsumeLogs(t.Context(), legs(0, 3)))
	get := func(path string) (string, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
	_, err := get("/")
	require.Error(t, err, "the limit is in force")
	body, err := get("/export.csv")
	require.NoError(t, err)
	assert.Equal(t, 4, strings.Count(body, "\r\n"))
	http.DefaultClient.CloseIdleConnections()
}

// A Collector that stops does not wait for a request that goes on and on.
func TestStopBreaksOff(t *testing.T) {
	began, over := make(chan struct{}), make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &pageServer{grace: time.Millisecond, server: &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(over)
	})}}
	p.wg.Go(func() { _ = p.server.Serve(listener) })
	connection, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer connection.Close()
	_, err = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-began
	require.NoError(t, p.stop(context.WithoutCancel(t.Context())))
	<-over
}
