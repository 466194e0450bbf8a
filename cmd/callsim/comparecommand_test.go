// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompareCommand(t *testing.T) {
	directory := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(directory, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	good := file("truth.json", `{"bridges":[{"sessions":[{"session":"s","acknowledged":[[0,0]]}]}]}`)
	empty, text := file("empty.json", "{}"), file("text", "no JSON\n")
	records := file("records.jsonl", `{"resourceLogs":[{"resource":{"attributes":[{"key":"cisco.meeting_server.session.id","value":{"stringValue":"s"}}]},`+
		`"scopeLogs":[{"logRecords":[{"eventName":"cisco.meeting_server.call.start","attributes":[{"key":"cisco.meeting_server.record.index","value":{"intValue":"0"}}]}]}]}]}`+"\n")
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"", exitUsage, "-truth: must not be empty"},
		{"-truth " + good, exitUsage, "one of -spans, -records and -archive must be there"},
		{"-truth " + good + " -records x more", exitUsage, "compare takes flags alone"},
		{"-truth " + good + " -records x -limit -1", exitUsage, "-limit: must be at least 0, got -1"},
		{"-truth " + text + " -records x", exitFailed, "is no truth file of callsim"},
		{"-truth " + good + " -records " + text, exitFailed, "line 1 is no OTLP JSON"},
		{"-truth " + good + " -archive localhost", exitFailed, `-archive: must be an http or https URL, got "localhost"`},
		{"-truth " + empty + " -records " + records, exitFailed, "the truth has nothing that could be compared"},
		{"-truth " + good + " -spans " + records, exitFailed, "spans: the truth has nothing that could be compared"},
		{"-truth " + good + " -records " + empty, exitFailed, "missing    record 0 of session s  it was answered with 200\ncompared 1 of record\n1 findings\n"},
		{"-truth " + good + " -records " + records, 0, "records\ncompared 1 of record\n0 findings\n"},
		{"-truth " + good + " -records " + records + " -records " + records, exitFailed, "twice      record 0 of session s  2 times\ncompared 1 of record\n1 findings\n"},
		{"-h", 0, "callsim compare -truth FILE"},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), append([]string{"compare"}, strings.Fields(test.args)...), &stdout, &stderr)
		assert.Equal(t, test.code, code, test.args)
		assert.Contains(t, stdout.String()+stderr.String(), test.want, test.args)
	}
}
