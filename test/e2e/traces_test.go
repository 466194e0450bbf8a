// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/test/otlpsink"
)

// tracing is a Collector that makes spans. The exporter hands on each span
// before it is acknowledged: no queue, no retry of its own.
const tracing = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage }
processors:
  callstitch: { storage: file_storage, linger: %LINGER% }
connectors:
  logtospan: {}
exporters:
  otlp_http: { endpoint: "%SINK%", compression: none, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
  nop: {}
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr], processors: [callstitch], exporters: [nop, logtospan] }
    traces: { receivers: [logtospan], exporters: [otlp_http] }
`

func newTracer(t *testing.T, linger string) (*collector, *otlpsink.Traces) {
	t.Helper()
	sink := otlpsink.NewTraces(t)
	return newCollectorFrom(t, strings.NewReplacer("%SINK%", sink.URL, "%LINGER%", linger).Replace(tracing)), sink
}

// TestFlowIsOneTrace: the six posts of the guide's flow are one call with two
// legs of 10 s in the trace whose id callid prints for the call.
func TestFlowIsOneTrace(t *testing.T) {
	c, sink := newTracer(t, "500ms")
	const call = "d51bb12e-a7ae-4c3e-83ed-33ea6433a5d2"
	for _, post := range []string{"1", "2", "3", "4", "5", "6"} {
		body, err := os.ReadFile(filepath.Join(root, "testdata", "cms-cdr", "flow", "post-"+post+".xml"))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, c.post(string(body)))
	}
	require.Eventually(t, func() bool { spans, _ := sink.Received(); return len(spans) >= 3 }, waitFor, tick)
	c.stop()
	spans, _ := sink.Received()
	require.Len(t, spans, 3)
	printed, err := exec.CommandContext(t.Context(), binary("callid"), "-kind", "call", call).CombinedOutput()
	require.NoError(t, err, "%s", printed)
	names := map[string]int{}
	for _, s := range spans {
		names[s.Name()]++
		assert.Contains(t, string(printed), "trace "+s.TraceID().String()+"\n")
		assert.EqualValues(t, 10e9, s.EndTimestamp()-s.StartTimestamp(), s.Name())
		if s.Name() == "call_leg" {
			assert.Equal(t, spanOf("call", call), s.ParentSpanID())
		}
	}
	assert.Equal(t, map[string]int{"call": 1, "call_leg": 2}, names)
}

const tracedFaults = "lost-ack=0.1,shift,overflow=3,malformed=0.02,garbage=2,restart=2,reorder,scan=20"

// TestTracesAreTheTruth: under faults, on three bridges whose clocks agree,
// the traces are what a perfect observer must conclude.
func TestTracesAreTheTruth(t *testing.T) {
	for _, seed := range []string{"5", "6"} {
		t.Run("seed "+seed, func(t *testing.T) {
			t.Parallel()
			c, sink := newTracer(t, "10s")
			is := c.simulate("-seed", seed, "-bridges", "3", "-meetings", "60", "-faults", tracedFaults, "-max-batch", "20").wait()
			spans := sink.WaitFor(t, is.expectedSpans()...)
			c.stop()
			is.compareSpans(t, index(t, spans), true)
		})
	}
}

// TestTracesSurviveKills: killed at random moments, while bridges post and
// spans are sent, the process emits exactly what it owes: none is lost, and one
// comes twice only if its request was in flight at a kill, and then with the
// same bytes.
func TestTracesSurviveKills(t *testing.T) {
	const kills = 6
	c, sink := newTracer(t, "1s")
	run := c.simulate("-seed", "8", "-bridges", "3", "-meetings", "400", "-max-batch", "5", "-buffer", "1000000", "-faults", "lost-ack=0.05,shift,reorder,restart=1")
	random := rand.New(rand.NewPCG(8, 8))
	var last []int // the request that was the newest at each kill
	for n := range kills {
		_, before := sink.Received()
		more := 1 + random.IntN(3)
		require.Eventually(t, func() bool { _, now := sink.Received(); return now >= before+more }, waitFor, tick/10)
		if n%3 == 2 {
			// Spans pile up, and the process dies with them.
			sink.SetRefuse(true)
			require.Eventually(t, func() bool { return sink.Refusals() > 2 }, waitFor, tick)
		}
		c.kill()
		sink.WaitDisconnected(t)
		_, requests := sink.Received()
		last = append(last, requests)
		sink.SetRefuse(false)
		c.start()
	}
	is := run.wait()
	sink.WaitFor(t, is.expectedSpans()...)
	c.stop()
	spans, _ := sink.Received()

	first := map[pcommon.SpanID]otlpsink.Span{}
	again := 0
	for _, s := range spans {
		known, seen := first[s.SpanID()]
		if !seen {
			first[s.SpanID()] = s
			continue
		}
		again++
		assert.Contains(t, last, known.Request, "%s %s came twice without a kill between", s.Name(), s.SpanID())
		assert.Equal(t, bytesOf(t, known.Span), bytesOf(t, asFarAs(known.Span, s.Span)), "%s %s differs when it comes again", s.Name(), s.SpanID())
	}
	t.Logf("%d spans, %d of them twice after %d kills", len(first), again, kills)
	byID := map[pcommon.SpanID]ptrace.Span{}
	for id, s := range first {
		byID[id] = s.Span
	}
	is.compareSpans(t, byID, false)
}

// asFarAs returns a repeated span without the parts that were unknown when it came
// first: a link to a leg without records, the attributes of its call.
func asFarAs(first, again ptrace.Span) ptrace.Span {
	span := ptrace.NewSpan()
	again.CopyTo(span)
	span.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool {
		_, known := first.Attributes().Get(key)
		return !known
	})
	span.Links().RemoveIf(func(link ptrace.SpanLink) bool {
		for _, known := range first.Links().All() {
			if known.SpanID() == link.SpanID() && known.Attributes().Equal(link.Attributes()) {
				return false
			}
		}
		return true
	})
	return span
}
