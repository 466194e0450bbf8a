// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDrillCommand(t *testing.T) {
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
	}))
	defer server.Close()
	for _, test := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"drill"}, 0, "CiscoMeetingServerRecordsMissing", ""},
		{[]string{"drill", "-h"}, 0, "", "callsim drill NAME"},
		{[]string{"drill", "gap", "-target", server.URL}, 0, "gap: 38 call detail records of a bridge never come. CiscoMeetingServerRecordsMissing (critical) must ring.", ""},
		{[]string{"drill", "database"}, exitFailed, "", "callsim: drill database: this drill needs -events"},
		{[]string{"drill", "database", "-events", "8451"}, exitUsage, "", `-events: must be host:port, got "8451"`},
		{[]string{"drill", "backend-down"}, exitFailed, "", "this drill needs -backend"},
		{[]string{"drill", "disk-full"}, exitFailed, "", "this drill needs -directory"},
		{[]string{"drill", "disk-full", "-max-fill", "0"}, exitUsage, "", `-max-fill: must be at least 1, got "0"`},
		{[]string{"drill", "silent", "-recover", "-1s"}, exitUsage, "", "-recover"},
		{[]string{"drill", "silent", "-speed", "0"}, exitUsage, "", "-speed"},
		{[]string{"drill", "archive-down"}, exitByHand, "2. stop that PostgreSQL", ""},
		{[]string{"drill", "flood"}, exitUsage, "", `there is no drill "flood"`},
		{[]string{"drill", "gap", "-target", "collector:8080"}, exitUsage, "", `-target: must be an http or https URL, got "collector:8080"`},
		{[]string{"drill", "gap", "-hold", "0s"}, exitUsage, "", "-hold"},
		{[]string{"drill", "gap", "-ca", "/does/not/exist"}, exitUsage, "", "-ca"},
		{[]string{"drill", "gap", "-target", ""}, exitFailed, "", "this drill needs -target"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, test.code, run(t.Context(), test.args, &stdout, &stderr), "%q: %s", test.args, &stderr)
		assert.Contains(t, stdout.String(), test.stdout)
		assert.Contains(t, stderr.String(), test.stderr)
	}
	assert.Len(t, bodies, 2)
}
