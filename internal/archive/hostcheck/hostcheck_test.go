// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package hostcheck

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHandler(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, row := range []struct {
		endpoint string
		allowed  []string
		host     string
		want     int
	}{
		{"localhost:8088", nil, "localhost:8088", 200},
		{"localhost:8088", nil, "LOCALHOST", 200},
		{"localhost:8088", nil, "localhost.", 200},
		{"localhost:8088", nil, "127.0.0.1:8088", 200},
		{"localhost:8088", nil, "[::1]:8088", 200},
		{"localhost:8088", nil, "[::1]", 200},
		{"localhost:8088", nil, "10.0.0.9", 200},
		{"localhost:8088", nil, "evil.example.com:8088", 421},
		{"localhost:8088", nil, "localhost.evil.example.com", 421},
		{"localhost:8088", nil, "127.0.0.1.evil.example.com", 421},
		{"localhost:8088", nil, "", 421},
		{"127.0.0.1:8088", nil, "evil.example.com", 421},
		{"[::1]:8088", nil, "evil.example.com", 421},
		{"localhost:8088", []string{"calls.example.com"}, "Calls.Example.com:443", 200},
		{"localhost:8088", []string{"calls.example.com"}, "evil.example.com", 421},
		{"localhost:8088", []string{"*"}, "evil.example.com", 200},
		{"0.0.0.0:8088", nil, "calls.example.com", 200},
		{"0.0.0.0:8088", []string{"calls.example.com"}, "evil.example.com", 421},
		{"0.0.0.0:8088", []string{"calls.example.com"}, "10.0.0.9:8088", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = row.host
		answer := httptest.NewRecorder()
		Handler(row.endpoint, row.allowed, next).ServeHTTP(answer, r)
		assert.Equal(t, row.want, answer.Code, "%+v", row)
	}
}

// A foreign name is refused in the form of the path: JSON for the API.
func TestRefusal(t *testing.T) {
	for path, want := range map[string]string{"/api/v1/running": "application/json; charset=utf-8", "/": "text/plain; charset=utf-8"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "evil.example.com"
		answer := httptest.NewRecorder()
		Handler("localhost:8088", nil, http.NotFoundHandler()).ServeHTTP(answer, r)
		assert.Equal(t, http.StatusMisdirectedRequest, answer.Code, path)
		assert.Equal(t, want, answer.Header().Get("Content-Type"), path)
		assert.Contains(t, answer.Body.String(), "allowed_hosts", path)
	}
}

func TestValidate(t *testing.T) {
	require.NoError(t, Validate([]string{"calls.example.com", "*", "10.0.0.9", "::1"}))
	for _, bad := range []string{"", "https://calls.example.com", "calls.example.com:443", "calls.example.com/x", "*.example.com"} {
		require.ErrorContains(t, Validate([]string{bad}), "names of hosts", bad)
	}
}
