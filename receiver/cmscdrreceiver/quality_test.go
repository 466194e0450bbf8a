// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
)

// A leg with media counts once in call_leg.quality, whatever number of alarms it
// has; a leg that never got media is in no state. The label activated tells a join
// that failed from a connection that dropped.
func TestLegQuality(t *testing.T) {
	const alarm = `<alarm type="packetLoss" durationPercentage="`
	const media = `<rxAudio><codec>opus</codec></rxAudio>`
	for name, test := range map[string]struct{ fields, state, activated string }{
		"no alarm":                      {`<activatedDuration>60</activatedDuration>`, "good", "true"},
		"no alarm, an older release":    {media, "good", "true"},
		"a short alarm":                 {`<activatedDuration>60</activatedDuration>` + alarm + `9.9"/>`, "degraded", "true"},
		"an alarm that rounds to 0":     {`<activatedDuration>60</activatedDuration>` + alarm + `0.0"/>`, "degraded", "true"},
		"a tenth of the time":           {`<activatedDuration>60</activatedDuration>` + alarm + `10"/>`, "bad", "true"},
		"three alarms, one of them bad": {media + alarm + `1"/><alarm type="excessiveJitter" durationPercentage="40"/><alarm type="highRoundTripTime"/>`, "bad", "true"},
		"a part that cannot be":         {media + alarm + `1000"/>`, "degraded", "true"},
		"an undocumented alarm":         {media + `<alarm type="mouthToEar" durationPercentage="50"/>`, "bad", "true"},
		"never activated":               {`<activatedDuration>0</activatedDuration>` + media, "", "false"},
		"never any media":               {`<durationSeconds>3</durationSeconds>`, "", "false"},
		"an activated time in words":    {`<activatedDuration>long</activatedDuration>`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var quality, ended []string
			for _, line := range emittedFor(t, legEndOf(`<reason>error</reason>`+test.fields)).series {
				switch {
				case strings.Contains(line, names.MetricCallLegQuality):
					quality = append(quality, line)
				case strings.Contains(line, names.MetricCallLegEnded):
					ended = append(ended, line)
				}
			}
			var want []string
			if test.state != "" {
				want = []string{"{call_leg} " + names.MetricCallLegQuality + "{state=" + test.state + "} 1"}
			}
			assert.Equal(t, want, quality)
			label := ""
			if test.activated != "" {
				label = "activated=" + test.activated + ","
			}
			assert.Equal(t, []string{"{call_leg} " + names.MetricCallLegEnded + "{" + label + "reason=error} 1"}, ended)
		})
	}
}

// Series that alerts are about are there, at 0, with the first record of a bridge: an
// increase from nothing to 3 is seen by nobody.
func TestSeriesBeginAtZero(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, withMetrics(sink))
	require.Equal(t, http.StatusOK, r.Post(`<records session="s" callBridge="b"><record type="callStart" correlatorIndex="0"><call id="c"/></record></records>`))
	r.Stop()
	got := renderMetrics(sink.AllMetrics()[0])
	for _, series := range []string{
		names.MetricRecordMissing + "{}", names.MetricSessionStarted + "{}", names.MetricCallEnded + "{}",
		names.MetricRecordingStarted + "{}", names.MetricRecordingEnded + "{}", names.MetricStreamingStarted + "{}", names.MetricStreamingEnded + "{}",
		names.MetricCallLegQuality + "{state=good}", names.MetricCallLegQuality + "{state=degraded}", names.MetricCallLegQuality + "{state=bad}",
		names.MetricCallLegAlarm + "{alarm.type=packetLoss}", names.MetricCallLegAlarm + "{alarm.type=highRoundTripTime}",
		names.MetricCallLegEnded + "{activated=false,reason=participantLimitReached,remote_teardown=false}",
		names.MetricCallLegEnded + "{activated=true,reason=timeout,remote_teardown=false}",
	} {
		assert.Contains(t, got, " "+series+" 0\n")
	}
	r.Start()
}

// A new session of a known bridge is counted once, though its first body comes in
// pieces and again.
func TestSessionsAreCounted(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		withMetrics(sink)(r)
		r.Logs = consumertest.NewNop()
		r.config.MaxBatchRecords = 1
	})
	for range 2 {
		for _, session := range []string{"first", "second", "third"} {
			require.Equal(t, http.StatusOK, r.Post(updates(session, `callBridge="b"`, 0, 1, 2)))
		}
	}
	r.Stop()
	assert.Contains(t, renderMetrics(sink.AllMetrics()[0]), names.MetricSessionStarted+"{} 2\n")
	r.Start()
}
