// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package listener

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
)

func TestCheckAddress(t *testing.T) {
	for _, valid := range []string{"0.0.0.0:8080", "localhost:0", ":514", "[::1]:65535", "[fe80::1%eth0]:80", "collector.example.com:8080"} {
		require.NoError(t, CheckAddress("endpoint", valid, "0.0.0.0:8080"), valid)
	}
	require.EqualError(t, CheckAddress("tcp::listen_address", "", "0.0.0.0:514"),
		"tcp::listen_address must not be empty: write host:port, as 0.0.0.0:514")
	f := func(value, shown string) {
		t.Helper()
		assert.EqualError(t, CheckAddress("endpoint", value, "0.0.0.0:8080"),
			`endpoint must be host:port, as 0.0.0.0:8080, with a port from 0 to 65535; got "`+shown+`"`)
	}
	for _, invalid := range []string{
		"127.0.0.1", "8080", "x", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:+1", "localhost:", "localhost:http",
		"http://0.0.0.0:8080", "::1:8080", "[::1]", "a b:80",
	} {
		f(invalid, invalid)
	}
	f("https://user:s3cret@host:8080", "https://***@host:8080")
	f("http://host:8080/cdr/s3cret", "http://host:8080/***")
	f("host:8080/s3cret@x?token=s3cret", "***@x?***")
}

func TestCheckHTTP(t *testing.T) {
	f := func(transport confignet.TransportType, endpoint, want string) {
		t.Helper()
		server := confighttp.NewDefaultServerConfig()
		server.NetAddr.Transport, server.NetAddr.Endpoint = transport, endpoint
		err := CheckHTTP(&server, "0.0.0.0:8080")
		if want == "" {
			assert.NoError(t, err)
			return
		}
		assert.ErrorContains(t, err, want)
	}
	f("tcp", "localhost:8080", "")
	f("tcp6", "[::1]:8080", "")
	f("tcp4", "8080", `endpoint must be host:port, as 0.0.0.0:8080, with a port from 0 to 65535; got "8080"`)
	f("unix", "/run/legato.sock", "")
	f("unix", "", "endpoint must not be empty: with transport unix it is the name of the socket")
	f("udp", "localhost:8080", `transport must be tcp, tcp4, tcp6, unix, unixpacket or npipe, got "udp"`)

	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:8080"
	server.CompressionAlgorithms = []string{"gzip", "gzp"}
	assert.EqualError(t, CheckHTTP(&server, "0.0.0.0:8080"),
		`compression_algorithms::1 must be one of ["" "identity" "deflate" "gzip" "lz4" "snappy" "x-snappy-framed" "zlib" "zstd"], got "gzp"`)
}

// The valid encodings are those of confighttp and identity.
func TestEncodingsAreConfighttps(t *testing.T) {
	server := confighttp.NewDefaultServerConfig()
	_, err := server.ToServer(t.Context(), nil, componenttest.NewNopTelemetrySettings(), http.NotFoundHandler())
	require.NoError(t, err)
	assert.ElementsMatch(t, append(server.CompressionAlgorithms, Identity), encodings)
}

// No list of encodings refuses a plain body.
func TestPlainBodies(t *testing.T) {
	for _, list := range [][]string{nil, {}, {"gzip"}, {"identity"}, {"", "zstd"}} {
		config := confighttp.NewDefaultServerConfig()
		config.CompressionAlgorithms = list
		server, err := config.ToServer(t.Context(), nil, componenttest.NewNopTelemetrySettings(),
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }), PlainBodies()...)
		require.NoError(t, err)
		for _, encoding := range []string{"", "identity"} {
			request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a"))
			if encoding != "" {
				request.Header.Set("Content-Encoding", encoding)
			}
			answer := httptest.NewRecorder()
			server.Handler.ServeHTTP(answer, request)
			assert.Equal(t, http.StatusNoContent, answer.Code, "%q with %q", encoding, list)
		}
	}
}
