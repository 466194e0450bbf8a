// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package httperror

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWrite(t *testing.T) {
	const body = `{"error":{"status":503,"message":"It is \"away\"."}}` + "\n"
	for path, want := range map[string]string{
		"/api/v1/running": body,
		"/api/v2/running": body,
		"/api/":           body,
		"/api":            body,
		"/":               "It is \"away\".\n",
		"/apis":           "It is \"away\".\n",
		"/legs":           "It is \"away\".\n",
	} {
		answer := httptest.NewRecorder()
		Write(answer, httptest.NewRequest(http.MethodGet, path, http.NoBody), http.StatusServiceUnavailable, `It is "away".`)
		assert.Equal(t, http.StatusServiceUnavailable, answer.Code, path)
		assert.Equal(t, want, answer.Body.String(), path)
		wantType := "text/plain; charset=utf-8"
		if want == body {
			wantType = "application/json; charset=utf-8"
		}
		assert.Equal(t, wantType, answer.Header().Get("Content-Type"), path)
	}
}

func TestJSONFields(t *testing.T) {
	answer := httptest.NewRecorder()
	JSON(answer, http.StatusBadRequest, "A parameter is not valid.", map[string]string{"limit": "must be a number"})
	assert.JSONEq(t, `{"error":{"status":400,"message":"A parameter is not valid.","fields":{"limit":"must be a number"}}}`, answer.Body.String())
}
