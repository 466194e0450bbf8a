// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A call with a leg, one that lost records, one that is open, and six records of which
// one is damaged and one in doubt.
const truthText = `{
 "bridges": [{"name": "cms1", "sessions": [{"session": "s", "acknowledged": [[0, 3]], "quarantined": [4], "in_doubt": [[5, 5]]}]}],
 "calls": [
  {"id": "c1", "bridge": "cms1", "start": "2026-01-05T08:00:00Z", "end": "2026-01-05T08:01:00Z", "outcome": "complete", "correlator": "r", "name": "Board"},
  {"id": "c2", "bridge": "cms2", "start": "2026-01-05T08:00:01Z", "end": "2026-01-05T08:01:00Z", "outcome": "complete", "correlator": "r", "name": "Board"}],
 "legs": [
  {"id": "l1", "bridge": "cms1", "start": "2026-01-05T08:00:00Z", "end": "2026-01-05T08:00:30Z", "outcome": "complete", "calls": ["", "c1"],
   "direction": "incoming", "reason": "remoteTeardown", "kind": "person", "display_name": "Nora"},
  {"id": "lost", "start": "2026-01-05T08:00:00Z", "outcome": "complete", "lost_records": true},
  {"id": "open", "start": "2026-01-05T08:00:00Z", "outcome": "open"}],
 "conferences": [{"correlator": "r", "founding_call": "c1", "calls": ["c1", "c2"]}]
}`

func readTruth(t *testing.T) *truth.Truth {
	t.Helper()
	got := new(truth.Truth)
	require.NoError(t, json.Unmarshal([]byte(truthText), got))
	return got
}

func spanLine(kind, id, trace, parent, outcome, start, end string, values ...string) string {
	attribute := func(key, value string) string { return `{"key":"` + key + `","value":{"stringValue":"` + value + `"}}` }
	attributes := []string{attribute("cisco.meeting_server."+kind+".id", id), attribute("callstitch.outcome", outcome)}
	for i := 0; i < len(values); i += 2 {
		attributes = append(attributes, attribute("cisco.meeting_server."+kind+"."+values[i], values[i+1]))
	}
	return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"` + trace + `","spanId":"` + spanID(kind, id) + `","parentSpanId":"` + parent + `","name":"` + kind +
		`","startTimeUnixNano":"` + start + `","endTimeUnixNano":"` + end + `","attributes":[` + strings.Join(attributes, ",") + `]}]}]}]}` + "\n"
}

// What came out, as it must be; the times are those of the truth in nanoseconds.
func goodSpans() map[string]string {
	trace := callTrace("c1")
	return map[string]string{
		"c1": spanLine("call", "c1", trace, "", "complete", "1767600000000000000", "1767600060000000000", "name", "Board"),
		"c2": spanLine("call", "c2", trace, spanID("call", "c1"), "complete", "1767600001000000000", "1767600060000000000", "name", "Board"),
		"l1": spanLine("call_leg", "l1", trace, spanID("call", "c1"), "complete", "1767600000000000000", "1767600030000000000",
			"reason", "remoteTeardown", "direction", "incoming", "display_name", "Nora"),
	}
}

func TestSpans(t *testing.T) {
	for name, test := range map[string]struct {
		change func(map[string]string)
		want   []Finding
	}{
		"equal":   {func(map[string]string) {}, nil},
		"missing": {func(s map[string]string) { delete(s, "l1") }, []Finding{{Missing, "call_leg l1", "of bridge cms1, from 2026-01-05T08:00:00Z"}}},
		"twice":   {func(s map[string]string) { s["again"] = s["l1"] }, []Finding{{Twice, "call_leg l1", "2 times"}}},
		"reason": {
			func(s map[string]string) { s["l1"] = strings.ReplaceAll(s["l1"], "remoteTeardown", "timeout") },
			[]Finding{{Different, "call_leg l1", "reason is timeout, not remoteTeardown"}},
		},
		"end": {
			func(s map[string]string) { s["c1"] = strings.ReplaceAll(s["c1"], "1767600060", "1767600061") },
			[]Finding{{Different, "call c1", "end is 2026-01-05 08:01:01 +0000 UTC, not 2026-01-05 08:01:00 +0000 UTC"}},
		},
		"parent": {
			func(s map[string]string) {
				s["l1"] = strings.ReplaceAll(s["l1"], spanID("call", "c1"), spanID("call", "c2"))
			},
			[]Finding{{Different, "call_leg l1", "parent is " + spanID("call", "c2") + ", not " + spanID("call", "c1")}},
		},
		"another trace": {
			func(s map[string]string) {
				s["c2"] = strings.ReplaceAll(s["c2"], callTrace("c1"), callTrace("c2"))
			},
			[]Finding{{Different, "conference c1", "trace of its call c2 is " + callTrace("c2") + ", not " + callTrace("c1")}},
		},
		"unknown":      {func(s map[string]string) { s["x"] = strings.ReplaceAll(s["l1"], `"l1"`, `"l9"`) }, []Finding{{Unknown, "call_leg l9", "the simulation had none"}}},
		"lost or open": {func(s map[string]string) { s["x"] = strings.ReplaceAll(s["l1"], `"l1"`, `"lost"`) }, nil},
	} {
		spans := goodSpans()
		test.change(spans)
		var out Output
		for _, line := range spans {
			require.NoError(t, out.ReadFile(strings.NewReader(line)))
		}
		r := Spans(readTruth(t), out.Objects)
		assert.Equal(t, test.want, r.Findings, name)
		assert.Equal(t, map[string]int{"call": 2, "call_leg": 1, "conference": 1}, r.Compared, name)
	}
}

func TestRecords(t *testing.T) {
	record := func(event, index string) string {
		return `{"resourceLogs":[{"resource":{"attributes":[{"key":"cisco.meeting_server.session.id","value":{"stringValue":"s"}}]},"scopeLogs":[{"logRecords":[{"eventName":"` +
			event + `","attributes":[{"key":"cisco.meeting_server.record.index","value":{"intValue":"` + index + `"}}]}]}]}]}` + "\n"
	}
	start, malformed := "cisco.meeting_server.call.start", "cisco.meeting_server.record.malformed"
	good := []string{record(start, "0"), record(start, "1"), record(start, "2"), record(start, "3"), record(malformed, "4"), record("cisco.meeting_server.record.gap", "3")}
	for name, test := range map[string]struct {
		lines []string
		want  []Finding
	}{
		"equal":            {good, nil},
		"in doubt":         {append([]string{record(start, "5")}, good...), nil},
		"missing":          {good[1:], []Finding{{Missing, "record 0 of session s", "it was answered with 200"}}},
		"twice":            {append([]string{good[4]}, good...), []Finding{{Twice, "record 4 of session s", "2 times"}}},
		"never sent":       {append([]string{record(start, "9")}, good...), []Finding{{Unknown, "record 9 of session s", "no bridge of the simulation had it taken"}}},
		"damaged, as good": {append([]string{record(start, "4")}, good[:4]...), []Finding{{Missing, "record 4 of session s", "it was answered with 200"}, {Unknown, "record 4 of session s", "no bridge of the simulation had it taken"}}},
	} {
		var out Output
		require.NoError(t, out.ReadFile(strings.NewReader(strings.Join(test.lines, ""))))
		r := Records(readTruth(t), out.Records)
		assert.Equal(t, test.want, r.Findings, name)
		assert.Equal(t, 5, r.Compared["record"], name)
	}
}

func TestNoOTLP(t *testing.T) {
	assert.ErrorContains(t, new(Output).ReadFile(strings.NewReader("{}\nno json\n")), "line 2 is no OTLP JSON")
}

// The archive's lists have pages; what has not ended is left out.
func TestArchive(t *testing.T) {
	answers := map[string]string{
		"/api/v1/meetings?limit=500": `{"data":[{"trace_id":"t1"}]}`,
		"/api/v1/legs?limit=500":     `{"data":[{"id":"l1","state":"ended","reason":"timeout","started_at":"2026-01-05T08:00:00.000Z"}],"next":"?after=1"}`,
		"/api/v1/legs?after=1":       `{"data":[{"id":"l1","state":"ended"},{"id":"l2","state":"running"}]}`,
		"/api/v1/meetings/t1":        `{"calls":[{"id":"c1","state":"ended","room_name":"Board"}],"recordings":[{"id":"r1","kind":"recording","state":"ended"}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(answers[r.URL.String()]))
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	a := Archive{URL: u, User: "u", Password: "p", Client: server.Client()}
	all, err := a.Read(t.Context())
	require.NoError(t, err)
	var names []string
	for _, o := range all {
		names = append(names, o.Kind+" "+o.ID+" "+o.Values["name"]+o.Values["reason"])
	}
	assert.Equal(t, []string{"call_leg l1 timeout", "call c1 Board", "recording r1 "}, names)
	a.Password = "secret"
	_, err = a.Read(t.Context())
	assert.ErrorContains(t, err, "answered 401 Unauthorized")
	assert.NotContains(t, err.Error(), "secret")
}

func TestReport(t *testing.T) {
	r := newReport()
	r.Compared["call"] = 3
	r.add(Unknown, "call c", "the simulation had none")
	r.add(Missing, "call b", "x")
	r.add(Missing, "call a", "x")
	var out strings.Builder
	require.NoError(t, r.Write(&out, 1))
	assert.Equal(t, "missing    call a  x\nmissing    and 1 more\nunknown    call c  the simulation had none\ncompared 3 of call\n3 findings\n", out.String())
}
