// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

const missingMetric = "otelcol_receiver_cmscdr_records_missing"

// updates is a body of a session with an update for each index. root is what else
// the root says.
func updates(session, root string, indices ...uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<records session="%s" %s>`, session, root)
	for _, index := range indices {
		b.WriteString(update1(index, ""))
	}
	return b.String() + "</records>"
}

func update1(index uint64, header string) string {
	return fmt.Sprintf(`<record type="callLegUpdate" time="2024-03-05T09:14:02Z" correlatorIndex="%d" %s><callLeg id="l"/></record>`, index, header)
}

// The identity that a session sent holds for all that it sends, over a restart too:
// resource of logs, resource of metrics, and the names that sessions follow.
func TestIdentityOfASession(t *testing.T) {
	store := testkit.NewStorage()
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		withMetrics(metrics)(r)
		withStorage(store)(r)
	})
	post := func(query, body string) { require.Equal(t, http.StatusOK, r.PostTo(r.URL+query, body)) }
	post("?system_id=cms1", updates("s1", `callBridge="b"`, 0))
	post("", updates("s1", "", 1))
	r.Stop()
	r.Start()
	post("", updates("s1", "", 2))
	post("?system_id=cms1", updates("s2", "", 0)) // the bridge restarts and leaves its id out
	post("", updates("s2", `callBridge="b"`, 1))
	post("", updates("s2", "", 2))
	assert.Equal(t, strings.Join([]string{
		"call_leg.update index=0 of b", "call_leg.update index=1 of b", "call_leg.update index=2 of b",
		"call_leg.update index=0 of b", "session.start previous_id=s1 of b", "call_leg.update index=1 of b", "call_leg.update index=2 of b", "",
	}, "\n"), shownEvents(sink))
	for _, logs := range sink.AllLogs() {
		attributes := logs.ResourceLogs().At(0).Resource().Attributes()
		for key, want := range map[string]string{names.CallBridgeID: "b", names.SystemID: "cms1"} {
			got, _ := attributes.Get(key)
			assert.Equal(t, want, got.AsString(), "%s", key)
		}
	}
	r.Stop()
	for _, data := range metrics.AllMetrics() {
		require.Equal(t, 1, data.ResourceMetrics().Len(), "one bridge is one resource")
	}
	r.Start()
}

// Two bridges under one system_id: no restart of either ends the objects of the other,
// and the receiver logs a warning.
func TestSharedSystemID(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	next := map[string]uint64{}
	for _, session := range []string{"a1", "b1", "a1", "b1", "a2", "b1", "a2", "b2", "a2", "b2"} {
		require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?system_id=cms1", updates(session, "", next[session])))
		next[session]++
	}
	var previous []string
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		if lr.EventName() == names.EventSessionStart {
			id := ""
			if v, exists := lr.Attributes().Get(names.SessionPreviousID); exists {
				id = v.Str()
			}
			previous = append(previous, id)
		}
	}
	assert.Equal(t, []string{"a1", "", ""}, previous, "only the first looked like a restart, until a1 spoke again")
	assert.EqualValues(t, 3, r.Counter("otelcol_receiver_cmscdr_overlapping_sessions"))
	assert.Equal(t, 1, r.Log.FilterMessageSnippet("share a system_id").Len(), "once a minute")
}

// A label that is added while a session runs does not hide the next start.
func TestLabelAddedWhileASessionRuns(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	require.Equal(t, http.StatusOK, r.Post(updates("s1", "", 0)))
	require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?system_id=cms1", updates("s1", "", 1)))
	require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?system_id=cms1", updates("s2", "", 0)))
	assert.Contains(t, shownEvents(sink), "session.start previous_id=s1")
}

// A number that cannot be right is an event, and no metric is touched.
func TestImplausibleGap(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withMetrics(metrics)(r) })
	require.Equal(t, http.StatusOK, r.Post(updates("s", `callBridge="b"`, 0, math.MaxInt64)))
	require.Equal(t, http.StatusOK, r.Post(`<records session="s" callBridge="b">`+update1(1, `numPrecedingRecordsMissing="4294967295"`)+`</records>`))
	require.Equal(t, http.StatusOK, r.Post(updates("s", `callBridge="b"`, 3)))
	assert.EqualValues(t, 1, r.Counter(missingMetric))
	gap := receiverkit.Records(sink.AllLogs())[1]
	assert.Equal(t, names.EventRecordGap, gap.EventName())
	kind, _ := gap.Attributes().Get(names.ErrorType)
	assert.Equal(t, "implausible_gap", kind.Str())
	missing, _ := gap.Attributes().Get(names.RecordMissing)
	assert.EqualValues(t, math.MaxInt64-1, missing.Int())
	r.Stop()
	assert.Contains(t, renderMetrics(metrics.AllMetrics()[0]), names.MetricRecordMissing+"{} 1\n")
	r.Start()
}

// Durations that cannot be stay out of histograms, and on the record.
func TestImplausibleDurations(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withMetrics(metrics)(r) })
	for i, value := range []string{"98", "-100", "1.7e308", "9223372036854775807", "NaN", "60"} {
		require.Equal(t, http.StatusOK, r.Post(fmt.Sprintf(`<records session="s" callBridge="b"><record type="callEnd" correlatorIndex="%d"><call id="c">`+
			`<durationSeconds>%s</durationSeconds><callLegsMaxActive>%[2]s</callLegsMaxActive></call></record>`+
			`<record type="callLegEnd" correlatorIndex="%d"><callLeg id="l"><durationSeconds>%[2]s</durationSeconds><activatedDuration>%[2]s</activatedDuration>`+
			`<rxAudio><packetStatistics><packetLossBursts><duration>%[2]s</duration><density>%[2]s</density></packetLossBursts>`+
			`<packetGap><duration>%[2]s</duration><density>%[2]s</density></packetGap></packetStatistics></rxAudio></callLeg></record></records>`,
			2*i, value, 2*i+1)))
	}
	r.Stop()
	histograms := 0
	for line := range strings.Lines(renderMetrics(metrics.AllMetrics()[0])) {
		if strings.Contains(line, "buckets=") {
			histograms++
			assert.Contains(t, line, "count=2 sum=158.0000")
		}
	}
	assert.Equal(t, 8, histograms)
	sent, _ := receiverkit.Records(sink.AllLogs())[4].Attributes().Get("cisco.meeting_server.call.duration_seconds")
	assert.InDelta(t, 1.7e308, sent.Double(), 0)
	r.Start()
}

// A body in UTF-16 cannot be read, but what is in it is not lost as well.
func TestUTF16IsQuarantinedAndNotLost(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	require.Equal(t, http.StatusOK, r.Post(updates("s", "", 0, 1)))
	var body strings.Builder
	body.WriteString("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(`<?xml version="1.0" encoding="UTF-16"?>` + updates("s", "", 2, 3, 6))) {
		body.WriteByte(byte(unit))
		body.WriteByte(byte(unit >> 8))
	}
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post(body.String()))
	}
	require.Equal(t, http.StatusOK, r.Post(updates("s", "", 7)))
	assert.EqualValues(t, 2, r.Counter(missingMetric), "4 and 5 alone")
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "malformed"))
	assert.EqualValues(t, 3, r.Counter(recordsMetric, "accepted"))
}

// However a session's records are damaged, put into documents and bodies and sent
// again, what came in any shape is not counted as lost.
func TestQuarantinedIsNeverLost(t *testing.T) {
	damage := []func(string) string{
		func(s string) string { return strings.Replace(s, `type="callLegUpdate"`, `type=callLegUpdate`, 1) }, // the start tag
		func(s string) string { return strings.Replace(s, "<callLeg id=", "<callLeg x=1 id=", 1) },
		func(s string) string { return strings.Replace(s, "<callLeg id=\"l\"/>", "<callLeg>", 1) },
		func(s string) string { return strings.TrimSuffix(s, "</record>") },
	}
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 6))
		r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop() })
		var lost int64
		var records []string
		for index := range uint64(80) {
			if index > 0 && index < 79 && random.IntN(8) == 0 {
				lost++
				continue
			}
			record := update1(index, "")
			if index > 0 && index < 79 && random.IntN(3) == 0 {
				record = damage[random.IntN(len(damage))](record)
			}
			records = append(records, record)
		}
		var bodies []string
		for len(records) > 0 {
			n := min(len(records), 1+random.IntN(12))
			piece := records[:n:n]
			records = records[n:]
			root := `<records session="s">`
			if random.IntN(6) == 0 {
				root = `<records session="s" x=y>` // all of it is quarantined
			}
			body := root + strings.Join(piece, "\n") + "</records>"
			if random.IntN(3) == 0 && len(bodies) > 0 {
				bodies[len(bodies)-1] += "\n<?xml version=\"1.0\"?>" + body
				continue
			}
			bodies = append(bodies, body)
		}
		for i := range bodies {
			require.Equal(t, http.StatusOK, r.Post(bodies[i]), "seed %d", seed)
			require.Equal(t, http.StatusOK, r.Post(bodies[random.IntN(i+1)]), "seed %d", seed)
		}
		require.Equal(t, lost, r.Counter(missingMetric), "seed %d", seed)
		r.Stop()
		r.Start()
	}
}

// A body with documents of several sessions: each is checked, numbered and named by
// itself; refused records come again.
func TestDocumentsOfSeveralSessions(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	body := updates("s", `callBridge="b"`, 0, 1) + "\n" + updates("t", `callBridge="c"`, 5, 7) + "junk" + updates("s", "", 2)
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post(body))
	}
	assert.Equal(t, strings.Join([]string{
		"call_leg.update index=0 of b", "call_leg.update index=1 of b",
		"call_leg.update index=5 of c", "record.gap index=7 missing=1 of c", "call_leg.update index=7 of c", "record.malformed of c",
		"call_leg.update index=2 of b", "",
	}, "\n"), shownEvents(sink))
}

// Sessions without a name, however many, leave the ledger of a named one alone.
func TestStrangersLeaveNamedSessions(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	require.Equal(t, http.StatusOK, r.Post(updates("s", `callBridge="b"`, 0)))
	require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?system_id=cms1", updates("t", "", 0)))
	for i := range ledger.DefaultLimits.UnnamedSessions + 10 {
		require.Equal(t, http.StatusOK, r.Post(updates(fmt.Sprint("made up ", i), "", 0)))
	}
	sink.Reset()
	require.Equal(t, http.StatusOK, r.Post(updates("s", "", 0)))
	require.Equal(t, http.StatusOK, r.Post(updates("t", "", 0)))
	assert.Empty(t, sink.AllLogs(), "they are known")
	require.Equal(t, http.StatusOK, r.Post(updates("made up 0", "", 0)))
	assert.Equal(t, 1, sink.LogRecordCount(), "it was forgotten")
}

func TestOverlapLimiter(t *testing.T) {
	var l warnLimiter
	now := time.Unix(1000, 0)
	assert.True(t, l.allow(now))
	assert.False(t, l.allow(now.Add(overlapLogInterval-1)))
	assert.True(t, l.allow(now.Add(overlapLogInterval)))
}

// A body that cannot be read starts no session of a known bridge: its session is
// a guess. The first one that can be read does.
func TestUnreadableBodyStartsNoSession(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	post := func(body string) { require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?system_id=cms1", body)) }
	post(updates("s1", "", 0))
	post(updates("s2", "x=y", 0, 1))
	post(updates("s1", "", 1))
	assert.NotContains(t, shownEvents(sink), "session.start")
	assert.Zero(t, r.Counter("otelcol_receiver_cmscdr_overlapping_sessions"))
	sink.Reset()
	post(updates("s3", "x=y", 0, 1))
	post(updates("s3", "", 2))
	assert.Equal(t, "record.malformed of nobody\nsession.start previous_id=s1 of s3\ncall_leg.update index=2 of s3\n", shownEvents(sink))
	assert.Zero(t, r.Counter(missingMetric))
}
