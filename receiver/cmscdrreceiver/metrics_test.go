// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// withMetrics lets the receiver send its metrics at shutdown only.
func withMetrics(sink *consumertest.MetricsSink) func(*harness) {
	return func(r *harness) {
		r.Metrics = sink
		r.config.Metrics.Interval = time.Hour
	}
}

// TestGoldenMetrics posts all well-formed fixtures of one clustered bridge and
// holds the series that come out against testdata/metrics.txt.
func TestGoldenMetrics(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		withMetrics(sink)(r)
		r.Logs = consumertest.NewNop()
	})
	for _, pattern := range []string{"*.xml", "flow/post-[1-6].xml", "[ilrsu]*/*.xml", "gap/*.xml"} {
		files, err := filepath.Glob(filepath.Join(fixtures, pattern))
		require.NoError(t, err)
		for _, file := range files {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			// Twice: nothing is counted for a duplicate.
			require.Equal(t, http.StatusOK, r.Post(string(body)), file)
			require.Equal(t, http.StatusOK, r.Post(string(body)), file)
		}
	}
	r.Stop()
	all := sink.AllMetrics()
	require.Len(t, all, 1, "one sending, at shutdown")
	got := renderMetrics(all[0])

	path := filepath.Join("testdata", "metrics.txt")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
	r.Start()
}

// renderMetrics writes one line per series, sorted, below a line per resource.
func renderMetrics(md pmetric.Metrics) string {
	var blocks []string
	for _, rm := range md.ResourceMetrics().All() {
		var series []string
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				series = append(series, renderMetric(m)...)
			}
		}
		slices.Sort(series)
		blocks = append(blocks, "# "+renderAttributes(rm.Resource().Attributes())+"\n"+strings.Join(series, "\n")+"\n")
	}
	slices.Sort(blocks)
	return strings.Join(blocks, "")
}

func renderMetric(m pmetric.Metric) (lines []string) {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		for _, p := range m.Sum().DataPoints().All() {
			lines = append(lines, fmt.Sprintf("%s %s{%s} %d", m.Unit(), m.Name(), renderAttributes(p.Attributes()), p.IntValue()))
		}
	case pmetric.MetricTypeGauge:
		for _, p := range m.Gauge().DataPoints().All() {
			lines = append(lines, fmt.Sprintf("%s %s{%s} %d", m.Unit(), m.Name(), renderAttributes(p.Attributes()), p.IntValue()))
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			lines = append(lines, fmt.Sprintf("%s %s{%s} count=%d sum=%.4f buckets=%v", m.Unit(), m.Name(),
				renderAttributes(p.Attributes()), p.Count(), p.Sum(), p.BucketCounts().AsRaw()))
		}
	}
	return lines
}

func renderAttributes(m pcommon.Map) string {
	var pairs []string
	for k, v := range m.All() {
		pairs = append(pairs, k+"="+v.AsString())
	}
	slices.SortFunc(pairs, cmp.Compare)
	return strings.Join(pairs, ",")
}

// Metrics are counted only after the logs were accepted, and not for records that the
// pipeline permanently refused.
func TestMetricsFollowLogs(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	next := &receiverkit.Failing{Next: consumertest.NewNop(), Err: errors.New("later")}
	r := newHarness(t, func(r *harness) {
		withMetrics(sink)(r)
		r.Logs = next
	})
	require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "flow/post-6.xml")))
	next.Set(nil)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-6.xml")))
	r.Stop()
	assert.Contains(t, renderMetrics(sink.AllMetrics()[0]), "{call} "+names.MetricCallEnded+"{} 1\n")
	r.Start()
}

// With a metrics pipeline alone, records are acknowledged once they are counted.
func TestMetricsAlone(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		r.Metrics = sink
		r.config.Metrics.Interval = 10 * time.Millisecond
	})
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-6.xml")))
	}
	assert.Eventually(t, func() bool {
		all := sink.AllMetrics()
		return len(all) > 1 && strings.Contains(renderMetrics(all[len(all)-1]), names.MetricCallEnded+"{} 1\n")
	}, waitFor, tick)
}

// Wire text cannot make time series: what is not documented is _OTHER.
func TestMetricLabelsAreBounded(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, withMetrics(sink))
	var body strings.Builder
	body.WriteString(`<records session="s" callBridge="b">`)
	for i := range 500 {
		fmt.Fprintf(&body, `<record type="callLegEnd" time="2024-03-05T09:14:12Z" correlatorIndex="%[1]d"><callLeg id="%[1]d"><reason>r%[1]d</reason>`+
			`<alarm type="a%[1]d" durationPercentage="%[1]d"/><rxAudio><codec>c%[1]d</codec></rxAudio></callLeg></record>`, 2*i)
		fmt.Fprintf(&body, `<record type="callLegStart" time="2024-03-05T09:14:12Z" correlatorIndex="%[1]d"><callLeg id="%[1]d">`+
			`<type>t%[1]d</type><subType>s%[1]d</subType><direction>d%[1]d</direction></callLeg></record>`, 2*i+1)
	}
	body.WriteString(`</records>`)
	require.Equal(t, http.StatusOK, r.Post(body.String()))
	r.Stop()
	for line := range strings.Lines(renderMetrics(sink.AllMetrics()[0])) {
		assert.NotRegexp(t, `=[ractsd]\d`, line)
	}
	assert.Len(t, countedSeries(sink.AllMetrics()[0]), 9)
	r.Start()
}

// Several alarms of one type are one alarm, with the largest part, as in the
// record's attribute.
func TestAlarmsOfOneType(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, withMetrics(sink))
	require.Equal(t, http.StatusOK, r.Post(`<records session="s" callBridge="b"><record type="callLegEnd" correlatorIndex="1"><callLeg id="l">`+
		`<alarm type="packetLoss" durationPercentage="1.0"/><alarm type="packetLoss" durationPercentage="50"/><alarm type="packetLoss" durationPercentage="x"/>`+
		`</callLeg></record></records>`))
	r.Stop()
	got := renderMetrics(sink.AllMetrics()[0])
	assert.Contains(t, got, "{alarm} "+names.MetricCallLegAlarm+"{alarm.type=packetLoss} 1\n")
	assert.Contains(t, got, names.MetricCallLegAlarmRatio+"{alarm.type=packetLoss} count=1 sum=0.5000")
	r.Start()
}

// The position is what the API of the bridge shows when all has arrived: the
// recorded status after post 6 says 8. It never goes back for what comes late or
// again, counts what is missing or in quarantine, and starts anew with a session.
func TestRecordPosition(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs, r.Metrics = consumertest.NewNop(), sink
		r.config.Metrics.Interval = 10 * time.Millisecond
	})
	position := func(want int) {
		t.Helper()
		line := fmt.Sprintf("{record} %s{} %d\n", names.MetricRecordPosition, want)
		assert.Eventually(t, func() bool {
			all := sink.AllMetrics()
			return len(all) > 0 && strings.Contains(renderMetrics(all[len(all)-1]), line)
		}, waitFor, tick, line)
	}
	for n := 1; n <= 6; n++ {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, fmt.Sprintf("flow/post-%d.xml", n))))
	}
	position(8)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-1.xml")))
	position(8)
	record := func(session string, index int) string {
		return fmt.Sprintf(`<records session="%s" callBridge="d80df859-cbc0-44ee-8611-449ab1bf39d7"><record type="callEnd" time="2024-03-05T09:14:12Z" correlatorIndex="%d">`+
			`<call id="46d49cb4-8171-4abc-97f5-b88035b1da0a"/></record></records>`, session, index)
	}
	require.Equal(t, http.StatusOK, r.Post(record("next", 40)))
	position(41)
	require.Equal(t, http.StatusOK, r.Post(record("next", 39)))
	require.Equal(t, http.StatusOK, r.Post(record("next", 41)))
	position(42)
	require.Equal(t, http.StatusOK, r.Post(record("after", 0)))
	position(1)
}

// A body that names no session is counted, and has no position.
func TestMetricsOfABodyWithoutASession(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, withMetrics(sink))
	for _, body := range []string{"a", "<records/>", `<records session="s"/>`, "<records><record/></records>"} {
		require.Equal(t, http.StatusOK, r.Post(body), body)
	}
}

// The bridges of a large estate keep their series: none evicts another between two posts.
func TestEstateKeepsItsSeries(t *testing.T) {
	m := newMetricSet(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type))
	const estate = 1000
	first := make([]*instruments, estate)
	for round := range 2 {
		for bridge := range estate {
			got, err := m.bridges.InstrumentsFor(attribute.NewSet(attribute.Int(names.ServiceInstanceID, bridge)))
			require.NoError(t, err)
			if round == 0 {
				first[bridge] = got
			}
			assert.Same(t, first[bridge], got)
		}
	}
}
