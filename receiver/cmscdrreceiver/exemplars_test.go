// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// exemplarSpans are the span ids of a metric's exemplars. None may have a trace id.
func exemplarSpans(t *testing.T, md pmetric.Metrics, name string) (spans []string) {
	t.Helper()
	add := func(all pmetric.ExemplarSlice) {
		for _, e := range all.All() {
			assert.True(t, e.TraceID().IsEmpty(), name)
			assert.Zero(t, e.FilteredAttributes().Len(), name)
			spans = append(spans, e.SpanID().String())
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch {
				case m.Name() != name:
				case m.Type() == pmetric.MetricTypeHistogram:
					for _, p := range m.Histogram().DataPoints().All() {
						add(p.Exemplars())
					}
				case m.Type() == pmetric.MetricTypeSum:
					for _, p := range m.Sum().DataPoints().All() {
						add(p.Exemplars())
					}
				}
			}
		}
	}
	return spans
}

// An exemplar has the span id that the leg's or the call's stitched span has.
func TestExemplars(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, withMetrics(sink))
	require.Equal(t, http.StatusOK, r.Post(`<records session="s" callBridge="b">`+
		`<record type="callLegEnd" correlatorIndex="1"><callLeg id="Leg-1"><reason>remoteTeardown</reason><durationSeconds>30</durationSeconds>`+
		`<activatedDuration>700</activatedDuration><alarm type="packetLoss" durationPercentage="1.0"/></callLeg></record>`+
		`<record type="callLegEnd" correlatorIndex="2"><callLeg id="leg-2"><reason>remoteTeardown</reason><durationSeconds>40</durationSeconds></callLeg></record>`+
		`<record type="callEnd" correlatorIndex="3"><call id="call"><durationSeconds>40</durationSeconds></call></record>`+
		`<record type="callLegEnd" correlatorIndex="4"><callLeg><reason>remoteTeardown</reason><durationSeconds>50</durationSeconds></callLeg></record></records>`))
	r.Stop()
	metrics := sink.AllMetrics()[0]
	spanOf := func(kind, id string) string { return pcommon.SpanID(ids.Span(kind, id)).String() }
	first, second := spanOf(names.KindCallLeg, "leg-1"), spanOf(names.KindCallLeg, "leg-2")
	assert.Equal(t, []string{second}, exemplarSpans(t, metrics, names.MetricCallLegDuration), "the newest below a minute; a leg without an id has none")
	assert.Equal(t, []string{first}, exemplarSpans(t, metrics, names.MetricCallLegActivatedDuration))
	assert.Equal(t, []string{first}, exemplarSpans(t, metrics, names.MetricCallLegAlarm))
	assert.Equal(t, []string{first}, exemplarSpans(t, metrics, names.MetricCallLegAlarmRatio))
	assert.Equal(t, []string{first}, exemplarSpans(t, metrics, names.MetricCallLegQuality))
	assert.Equal(t, []string{spanOf(names.KindCall, "call")}, exemplarSpans(t, metrics, names.MetricCallDuration))
	assert.Empty(t, exemplarSpans(t, metrics, names.MetricCallLegEnded))
	r.Start()
}
