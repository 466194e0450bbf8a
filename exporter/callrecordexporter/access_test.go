// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/archive/store"
)

// user is authenticated as an extension says.
type user map[string]string

func (u user) GetAttribute(name string) any { return u[name] }

func (u user) GetAttributeNames() []string { return nil }

// Who looked at what is logged, and nobody's name but theirs.
func TestAccessLog(t *testing.T) {
	archive, err := store.Open(t.Context(), store.SQLite, filepath.Join(t.TempDir(), "calls.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, archive.Close()) }()
	core, logs := observer.New(zap.InfoLevel)
	set := componenttest.NewNopTelemetrySettings()
	set.Logger = zap.New(core)
	ask := func(h http.Handler, address string, u client.AuthData) {
		request := httptest.NewRequestWithContext(client.NewContext(t.Context(), client.Info{Auth: u}), http.MethodGet, address, nil)
		h.ServeHTTP(httptest.NewRecorder(), request)
	}
	trace := "0b0a2d00000000000000000000000001"
	h := newHandler(&HTTPConfig{AccessLog: true}, archive, set)
	for _, c := range []struct {
		address string
		user    client.AuthData
		want    map[string]any
	}{
		{"/people?address=nora@example.test&x=nora", user{"username": "helpdesk-3"}, map[string]any{"user": "helpdesk-3", "page": "GET /people", "trace_id": "", "parameters": []any{"address"}, "status": int64(404)}},
		{"/conferences/" + trace, user{"subject": "ines"}, map[string]any{"user": "ines", "page": "GET /conferences/{trace}", "trace_id": trace, "parameters": []any{}, "status": int64(404)}},
		{"/conferences/nora@example.test", nil, map[string]any{"user": "", "page": "GET /conferences/{trace}", "trace_id": "", "parameters": []any{}, "status": int64(404)}},
		{"/nora@example.test", nil, map[string]any{"user": "", "page": "none", "trace_id": "", "parameters": []any{}, "status": int64(404)}},
		{"/conferences/" + trace + "?span=nora", nil, map[string]any{"user": "", "page": "GET /conferences/{trace}", "trace_id": trace, "parameters": []any{"span"}, "status": int64(404)}},
		{"/sipcalls?result=failed&code=486&party=nora", nil, map[string]any{"user": "", "page": "GET /sipcalls", "trace_id": "", "parameters": []any{"code", "party", "result"}, "status": int64(200)}},
		{"/export.csv?name=nora&room_name=nora", nil, map[string]any{"user": "", "page": "GET /export.csv", "trace_id": "", "parameters": []any{"name", "room_name"}, "status": int64(200)}},
		{"/api/v1/legs?party=nora", nil, map[string]any{"user": "", "page": "GET /api/v1/legs", "trace_id": "", "parameters": []any{"party"}, "status": int64(200)}},
	} {
		ask(h, c.address, c.user)
		lines := logs.TakeAll()
		require.Len(t, lines, 1, c.address)
		fields := lines[0].ContextMap()
		assert.Positive(t, fields["bytes"])
		assert.Equal(t, true, fields["complete"])
		for name, want := range c.want {
			assert.EqualValues(t, want, fields[name], "%s: %s", c.address, name)
		}
		for _, field := range fields {
			assert.NotContains(t, fmt.Sprint(field), "nora", c.address)
		}
	}
	ask(h, "/static/style.css", nil)
	ask(newHandler(&HTTPConfig{}, archive, set), "/", nil)
	assert.Empty(t, logs.TakeAll(), "off unless asked for")
}
