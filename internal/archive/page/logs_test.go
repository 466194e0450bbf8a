// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCheckLogsURL(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, "https://logs.example.com/search?q={trace_id}": true, "http://localhost:3000/explore?t={trace_id}&from={from}&to={to}": true,
		"https://logs.example.com/search?from={from}": false, "javascript:alert({trace_id})": false, "//x/{trace_id}": false, "ftp://x/{trace_id}": false,
	} {
		assert.Equal(t, good, CheckLogsURL(text) == nil, text)
	}
}

func TestLogsURL(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	const trace = "0b0a2d00000000000000000000000001"
	assert.Equal(t, "https://l/?q="+trace+"&from=1699999700000&to=1700000900000",
		logsURL("https://l/?q={trace_id}&from={from}&to={to}", trace, start, start.Add(10*time.Minute)))
	assert.Empty(t, logsURL("", trace, start, start))
	assert.Empty(t, logsURL("https://l/?q={trace_id}", "no&trace", start, start), "what is no trace id is in no address")
}

// The page of a meeting links to its log lines, at its head and at the timeline; that of a
// meeting that runs does so up to now.
func TestLogsLink(t *testing.T) {
	page := get(t, newDay(t).handler(), "/conferences/"+traceBoard).Body.String()
	assert.Contains(t, page, `<a href="https://logs.example.test/?q=`+traceBoard+`&amp;from=`)
	assert.Regexp(t, `(?s)<h2 id="h-timeline">Timeline</h2>.{0,40}href="https://logs.example.test/`, page)
}
