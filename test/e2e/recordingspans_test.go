// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/test/otlpsink"
)

// recordingTraces is a Collector that makes spans of recorded sessions.
const recordingTraces = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  mediasense: { endpoint: %MS%, storage: file_storage }
processors:
  callstitch: { storage: file_storage, linger: 5s }
connectors:
  logtospan: {}
exporters:
  otlp_http: { endpoint: "%SINK%", compression: none, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
  nop: {}
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [mediasense], processors: [callstitch], exporters: [nop, logtospan] }
    traces: { receivers: [logtospan], exporters: [otlp_http] }
`

// recordedSpan and recordedTrace are the ids of what MediaSense recorded, by the
// published recipe.
func recordedSpan(kind, id string) pcommon.SpanID {
	sum := sha256.Sum256([]byte("span\x00cisco.mediasense." + kind + "\x00" + strings.ToLower(id)))
	return pcommon.SpanID(sum[:8])
}

func recordedTrace(id string) pcommon.TraceID {
	sum := sha256.Sum256([]byte("trace\x00cisco.mediasense.session\x00" + strings.ToLower(id)))
	return pcommon.TraceID(sum[:16])
}

func trackID(session string, number int) string { return fmt.Sprintf("%s-track%d", session, number) }

// TestRecordingsAreSpans: each session and each of its tracks is a span with
// what all its events say, in whatever order they come.
func TestRecordingsAreSpans(t *testing.T) {
	for seed, faults := range map[string]string{"8": oddities, "9": oddities + ",ms-reorder=0.2"} {
		t.Run("seed "+seed, func(t *testing.T) {
			t.Parallel()
			sink := otlpsink.NewTraces(t)
			address := loopback.MustAddress(t)
			c := newCollectorFrom(t, strings.NewReplacer("%SINK%", sink.URL, "%MS%", address).Replace(recordingTraces))
			is := record(t, "-mediasense-target", "http://"+address+"/mediasense", "-seed", seed, "-meetings", "20", "-mediasense-disk", "1e6", "-faults", faults).end()
			require.Empty(t, is.Missed)
			var expected []pcommon.SpanID
			for _, s := range is.Sessions {
				expected = append(expected, recordedSpan("session", s.ID))
				for _, track := range s.Tracks {
					expected = append(expected, recordedSpan("track", trackID(s.ID, track.Number)))
				}
			}
			spans := index(t, sink.WaitFor(t, expected...))
			c.stop()
			assert.Len(t, spans, len(expected), "nothing else is a span")
			var failed, paused, silent, transferred int
			for i := range is.Sessions {
				s := &is.Sessions[i]
				compareSession(t, spans, s)
				failed += counted(s.State == "CLOSED_ERROR")
				paused += counted(s.PausedSeconds > 0)
				transferred += counted(s.Former != "")
				silent += counted(slices.ContainsFunc(s.Tracks, func(track recordedTrack) bool { return track.SilentSeconds > 0 }))
			}
			for what, n := range map[string]int{"failed": failed, "paused": paused, "silent": silent, "transferred": transferred} {
				assert.Positive(t, n, "%s sessions to compare", what)
			}
		})
	}
}

func counted(is bool) int {
	if is {
		return 1
	}
	return 0
}

func compareSession(t *testing.T, spans map[pcommon.SpanID]ptrace.Span, s *recordedSession) {
	t.Helper()
	span := spans[recordedSpan("session", s.ID)]
	assert.Equal(t, "session", span.Name())
	assert.Equal(t, recordedTrace(s.ID), span.TraceID())
	assert.EqualValues(t, s.StartUnixNano, span.StartTimestamp(), "start of %s", s.ID)
	assert.EqualValues(t, s.EndUnixNano, span.EndTimestamp(), "end of %s", s.ID)
	assert.Equal(t, s.CCID, attribute(span, "cisco.mediasense.session.ccid"))
	assert.Equal(t, s.State, attribute(span, "cisco.mediasense.session.session_state"))
	assert.InDelta(t, s.PausedSeconds, number(span, "cisco.mediasense.session.paused_seconds"), 1e-6, "pauses of %s", s.ID)
	assert.Equal(t, "complete", attribute(span, "callstitch.outcome"))
	want := ptrace.StatusCodeUnset
	if s.State == "CLOSED_ERROR" {
		want = ptrace.StatusCodeError
	}
	assert.Equal(t, want, span.Status().Code(), "status of %s", s.ID)
	if s.Former == "" {
		assert.Zero(t, span.Links().Len(), "links of %s", s.ID)
	} else if assert.Equal(t, 1, span.Links().Len(), "links of %s", s.ID) {
		assert.Equal(t, recordedSpan("session", s.Former), span.Links().At(0).SpanID())
		assert.Equal(t, recordedTrace(s.Former), span.Links().At(0).TraceID())
	}
	for _, track := range s.Tracks {
		compareTrack(t, spans, s, &track)
	}
}

func compareTrack(t *testing.T, spans map[pcommon.SpanID]ptrace.Span, s *recordedSession, track *recordedTrack) {
	t.Helper()
	id := trackID(s.ID, track.Number)
	span := spans[recordedSpan("track", id)]
	assert.Equal(t, "track", span.Name())
	assert.Equal(t, recordedTrace(s.ID), span.TraceID())
	assert.Equal(t, recordedSpan("session", s.ID), span.ParentSpanID())
	assert.EqualValues(t, track.StartUnixNano, span.StartTimestamp(), "start of %s", id)
	assert.EqualValues(t, track.EndUnixNano, span.EndTimestamp(), "end of %s", id)
	assert.Equal(t, track.Media, attribute(span, "cisco.mediasense.track.track_media_type"))
	assert.Equal(t, track.Codec, attribute(span, "cisco.mediasense.track.codec"))
	assert.InDelta(t, track.SilentSeconds, number(span, "cisco.mediasense.track.silent_seconds"), 1e-6, "silences of %s", id)
	list, _ := span.Attributes().Get("cisco.mediasense.track.participants")
	if !assert.Equal(t, len(track.Participants), list.Slice().Len(), "participants of %s", id) {
		return
	}
	for i, p := range track.Participants {
		one := list.Slice().At(i).Map()
		text := func(key string) string {
			v, found := one.Get(key)
			if !found {
				return ""
			}
			return v.AsString()
		}
		assert.Equal(t, p.DeviceRef, text("device_ref"), id)
		assert.Equal(t, p.XRefCi, text("x_ref_ci"), id)
		assert.Equal(t, p.DeviceID, text("device_id"), id)
		assert.Equal(t, strconv.FormatBool(p.Conference), text("is_conference"), id)
		assert.Equal(t, strconv.FormatInt(p.StartUnixNano/1e6, 10), text("participant_start_date"), id)
		assert.Equal(t, strconv.FormatInt((p.EndUnixNano-p.StartUnixNano)/1e6, 10), text("participant_duration"), id)
	}
}
