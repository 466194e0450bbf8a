// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/testkit"
)

// gate is an authenticator that lets nobody in without the word.
type gate struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionauth.Server = gate{}

func (gate) Authenticate(ctx context.Context, headers map[string][]string) (context.Context, error) {
	if values := headers["Authorization"]; len(values) == 0 || values[0] != "word" {
		return ctx, errors.New("no t0ken, try \"word\"")
	}
	return ctx, nil
}

// harness is a server with its log, its metrics and the requests that it accepted.
type harness struct {
	server *Server
	log    *observer.ObservedLogs
	// telemetry has the lines of confighttp and net/http.
	telemetry *observer.ObservedLogs

	mu       sync.Mutex // guards everything below
	statuses map[int]int64
	bodies   []string
}

var testMessages = LogMessages{
	WrongPath: "other path", WrongMethod: "other method", Refused: "refused", Busy: "busy", TooLarge: "too large", Unreadable: "unread",
	Unauthorized: "unauthorized", UnsupportedEncoding: "encoding", MissingLength: "no length",
}

func newHarness(t *testing.T, change func(*confighttp.ServerConfig, *Settings)) *harness {
	t.Helper()
	core, log := observer.New(zap.WarnLevel)
	r := &harness{log: log, statuses: make(map[int]int64)}
	config := confighttp.NewDefaultServerConfig()
	config.NetAddr.Endpoint = "127.0.0.1:0"
	config.MaxRequestBodySize = 1000
	settings := Settings{
		Path: "/cdr/t0ken", DefaultPath: "/cdr", MaxBodyBytes: 1000, MaxInFlightBytes: 1 << 20, Messages: testMessages, Logger: zap.New(core),
		Accept: func(_ context.Context, request Request) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.bodies = append(r.bodies, request.Body)
			return nil
		},
		CountAnswers: func(_ context.Context, status int, n int64) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.statuses[status] += n
		},
	}
	if change != nil {
		change(&config, &settings)
	}
	var err error
	host := testkit.Host{component.MustNewID("gate"): gate{}}
	set := componenttest.NewNopTelemetrySettings()
	core, r.telemetry = observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	r.server, err = Serve(t.Context(), host, &config, set, settings)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.server.Stop(context.Background())) })
	return r
}

// ask writes a request as it is given, and returns the answer.
func (r *harness) ask(t *testing.T, request string) *http.Response {
	t.Helper()
	connection, err := net.Dial("tcp", r.server.Address.String())
	require.NoError(t, err)
	defer connection.Close()
	_, err = io.WriteString(connection, request)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response
}

func (r *harness) count(status int) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statuses[status]
}

// Every answer is counted under its status, each of which is born at zero, and
// logged, whoever gives it: the handler or confighttp before it.
func TestAnswers(t *testing.T) {
	for _, row := range []struct {
		name, request string
		status        int
		message       string // of the log, "" if there is none
		body          string // that was let in, "" if none
	}{
		{"as it should be", "POST /cdr/t0ken HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 200, "", "a"},
		{"in chunks", "POST /cdr/t0ken HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "", "a"},
		{"by a proxy, in the absolute form", "POST http://c/cdr/t0ken?system_id=a HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 200, "", "a"},
		{"encoding identity", "POST /cdr/t0ken HTTP/1.1\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\na", 200, "", "a"},
		{"HTTP/1.0 with a length", "POST /cdr/t0ken HTTP/1.0\r\nContent-Length: 1\r\n\r\na", 200, "", "a"},
		{"HTTP/1.0 without a length", "POST /cdr/t0ken HTTP/1.0\r\n\r\na", 411, "no length", ""},
		{"bad gzip", "POST /cdr/t0ken HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", 400, "unread", ""},
		{
			"zstd that announces a window of half a gigabyte",
			"POST /cdr/t0ken HTTP/1.1\r\nContent-Encoding: zstd\r\nContent-Length: 14\r\n\r\n\x28\xb5\x2f\xfd\x00\x98\x08\x00\x00a\x09\x00\x00b", 400, "unread", "",
		},
		{"snappy", "POST /cdr/t0ken HTTP/1.1\r\nContent-Encoding: snappy\r\nContent-Length: 3\r\n\r\n\x01\x00a", 415, "encoding", ""},
		{"unknown encoding", "POST /cdr/t0ken HTTP/1.1\r\nContent-Encoding: s3cret\r\nContent-Length: 1\r\n\r\na", 415, "encoding", ""},
		{"no credentials", "POST /cdr/t0ken HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 401, "unauthorized", ""},
		{"another path", "POST /s3cret HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 404, "other path", ""},
		{"another method", "PUT /cdr/t0ken HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 405, "other method", ""},
		{"a method of nobody", "S3CRETs3cret /cdr/t0ken HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 405, "other method", ""},
		{"too large", "POST /cdr/t0ken HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + strings.Repeat("a", 1001), 413, "too large", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newHarness(t, func(config *confighttp.ServerConfig, _ *Settings) {
				config.CompressionAlgorithms = DefaultEncodings()
				if row.status == http.StatusUnauthorized {
					auth := confighttp.AuthConfig{}
					auth.AuthenticatorID = component.MustNewID("gate")
					config.Auth = configoptional.Some(auth)
				}
			})
			for _, status := range Statuses {
				_, born := r.statuses[status]
				assert.True(t, born, status)
			}
			head, rest, _ := strings.Cut(row.request, "\r\n")
			for range 3 {
				response := r.ask(t, head+"\r\nHost: c\r\n"+rest)
				assert.Equal(t, row.status, response.StatusCode)
				assert.Zero(t, max(response.ContentLength, 0), "no answer has a body")
			}
			assert.EqualValues(t, 3, r.count(row.status))
			lines := r.log.All()
			if row.message == "" {
				assert.Empty(t, lines)
			} else if assert.Len(t, lines, 1, "one line a minute") {
				assert.Equal(t, row.message, lines[0].Message)
				fields := lines[0].ContextMap()
				assert.Equal(t, "127.0.0.1", fields["client.address"])
				if row.status == http.StatusNotFound {
					assert.Equal(t, "/cdr/***", fields["expected_path"])
					assert.NotContains(t, fields, "path", "it reads like the requested path")
				}
				if row.status == http.StatusMethodNotAllowed {
					assert.Contains(t, []any{"PUT", "_OTHER"}, fields["http.request.method"])
					assert.Equal(t, "GET, HEAD, POST", fields["expected_methods"])
				}
				assert.NotContains(t, fmt.Sprint(fields), "s3cret")
				assert.NotContains(t, fmt.Sprint(fields), "t0ken")
			}
			if row.body != "" {
				assert.Equal(t, []string{row.body, row.body, row.body}, r.bodies)
			} else {
				assert.Empty(t, r.bodies)
			}
		})
	}
}

// No list of encodings refuses a plain body, and the list keeps its meaning for the others. The
// configuration stays as it is.
func TestPlainBodiesAreAccepted(t *testing.T) {
	for _, list := range [][]string{nil, {}, {"gzip"}, {"identity", "gzip", "gzip"}} {
		var config *confighttp.ServerConfig
		r := newHarness(t, func(c *confighttp.ServerConfig, _ *Settings) {
			c.CompressionAlgorithms = list
			config = c
		})
		assert.Equal(t, list, config.CompressionAlgorithms)
		for _, header := range []string{"", "Content-Encoding: identity\r\n"} {
			response := r.ask(t, "POST /cdr/t0ken HTTP/1.1\r\nHost: c\r\n"+header+"Content-Length: 1\r\n\r\na")
			assert.Equal(t, http.StatusOK, response.StatusCode, "%q with %q", header, list)
		}
		if list != nil {
			response := r.ask(t, "POST /cdr/t0ken HTTP/1.1\r\nHost: c\r\nContent-Encoding: zstd\r\nContent-Length: 1\r\n\r\na")
			assert.Equal(t, http.StatusUnsupportedMediaType, response.StatusCode, list)
			if len(list) > 0 {
				assert.Equal(t, "gzip, identity", response.Header.Get("Accept-Encoding"))
			}
		}
		assert.Equal(t, []string{"a", "a"}, r.bodies)
	}
}

// A client without TLS is a warning on a listener with TLS, once a minute, and no error: anybody
// who reaches the port can cause it.
func TestFailedHandshakes(t *testing.T) {
	_, certFile, keyFile := testkit.Certificate(t)
	core, own := observer.New(zap.DebugLevel)
	r := newHarness(t, func(config *confighttp.ServerConfig, settings *Settings) {
		tls := configtls.NewDefaultServerConfig()
		tls.CertFile, tls.KeyFile = certFile, keyFile
		config.TLS = configoptional.Some(tls)
		settings.Logger = zap.New(core)
	})
	for range 3 {
		connection, err := net.Dial("tcp", r.server.Address.String())
		require.NoError(t, err)
		_, err = io.WriteString(connection, "GET / HTTP/1.1\r\n\r\n")
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, connection) // until the server has closed it
		require.NoError(t, connection.Close())
	}
	require.NoError(t, r.server.Stop(t.Context()))
	assert.Zero(t, r.telemetry.Len(), "not in the log of confighttp")
	lines := own.All()
	if assert.Len(t, lines, 1) {
		assert.Equal(t, zap.WarnLevel, lines[0].Level)
		assert.Equal(t, "127.0.0.1", lines[0].ContextMap()["client.address"])
		assert.Equal(t, "client sent an HTTP request to an HTTPS server", lines[0].ContextMap()["error"])
	}
}

// Bodies in flight are bounded in bytes that came, not in those that are
// announced; what is above that is refused for now.
func TestBodiesInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := newHarness(t, func(_ *confighttp.ServerConfig, settings *Settings) {
		settings.MaxInFlightBytes = 1500
		settings.Accept = func(context.Context, Request) error {
			entered <- struct{}{}
			<-leave
			return nil
		}
	})
	post := func(size int) string {
		return fmt.Sprintf("POST /cdr/t0ken HTTP/1.1\r\nHost: c\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("a", size))
	}
	first := make(chan int)
	begin := func() {
		response, err := http.Post("http://"+r.server.Address.String()+"/cdr/t0ken", "", strings.NewReader(strings.Repeat("a", 1000)))
		if err != nil {
			close(first)
			return
		}
		_ = response.Body.Close()
		first <- response.StatusCode
	}
	go begin()
	<-entered
	response := r.ask(t, post(1000))
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Equal(t, "1", response.Header.Get("Retry-After"))
	assert.EqualValues(t, 1, r.count(http.StatusServiceUnavailable))
	assert.Equal(t, 1, r.log.FilterMessage("busy").Len())
	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-first)

	go begin()
	<-entered
	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-first, "the bytes were given back")
	http.DefaultClient.CloseIdleConnections()
}

// A stop cuts off what does not end: a consumer that ends with its context is
// answered nothing, and one that does not is left behind.
func TestStopCutsOff(t *testing.T) {
	for _, ignores := range []bool{false, true} {
		entered, release, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
		r := newHarness(t, func(_ *confighttp.ServerConfig, settings *Settings) {
			settings.Accept = func(_ context.Context, request Request) error {
				defer close(returned)
				close(entered)
				if !ignores {
					<-request.Closing.Done()
					return request.Closing.Err()
				}
				<-release
				return nil
			}
		})
		answered := make(chan error)
		go func() {
			response, err := http.Post("http://"+r.server.Address.String()+"/cdr/t0ken", "", strings.NewReader("a"))
			if err == nil {
				_ = response.Body.Close()
			}
			answered <- err
		}()
		<-entered
		grace, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		assert.ErrorIs(t, r.server.Stop(grace), context.DeadlineExceeded)
		cancel()
		assert.Error(t, <-answered)
		close(release)
		<-returned
	}
}
