// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package httperror writes the errors of the call archive's server: JSON for the API, so that
// programs read each error the same way, and text for people.
package httperror

import (
	"encoding/json"
	"net/http"
	"strings"
)

// apiRoot begins the paths of all versions of the API.
const apiRoot = "/api/"

// IsAPI reports whether a request is for the API, also for a version or a route that does
// not exist.
func IsAPI(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, apiRoot) || r.URL.Path+"/" == apiRoot
}

// failure is the body of an error of the API (docs/call-archive-api.md).
type failure struct {
	Error struct {
		Status  int               `json:"status"`
		Message string            `json:"message"`
		Fields  map[string]string `json:"fields,omitempty"`
	} `json:"error"`
}

// JSON answers with an error of the API. fields has a message for each invalid parameter.
func JSON(w http.ResponseWriter, status int, message string, fields map[string]string) {
	var f failure
	f.Error.Status, f.Error.Message, f.Error.Fields = status, message, fields
	body, err := json.Marshal(f)
	if err != nil {
		body = []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}

// Write answers with an error: JSON for a request of the API, else plain text.
func Write(w http.ResponseWriter, r *http.Request, status int, message string) {
	if IsAPI(r) {
		JSON(w, status, message, nil)
		return
	}
	http.Error(w, message, status)
}
