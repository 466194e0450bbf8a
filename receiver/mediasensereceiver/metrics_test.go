// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// withMetrics lets the receiver send its metrics at shutdown only.
func withMetrics(sink *consumertest.MetricsSink) func(*harness) {
	return func(r *harness) {
		r.Metrics = sink
		r.config.Metrics.Interval = time.Hour
	}
}

// measured stops the receiver and returns the metrics it sends then.
func (r *harness) measured(sink *consumertest.MetricsSink) string {
	r.T.Helper()
	r.Stop()
	defer r.Start()
	all := sink.AllMetrics()
	require.NotEmpty(r.T, all)
	return renderMetrics(all[len(all)-1])
}

// TestGoldenMetrics posts all fixtures, each twice, and holds the series that
// come out against testdata/metrics.txt.
func TestGoldenMetrics(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		withMetrics(sink)(r)
		r.Logs = consumertest.NewNop()
	})
	files, err := filepath.Glob(filepath.Join(fixtures, "*-*.*"))
	require.NoError(t, err)
	for _, file := range files {
		for range 2 { // nothing is counted for a copy
			require.Equal(t, http.StatusOK, r.Post(fixture(t, filepath.Base(file))), file)
		}
	}
	got := r.measured(sink)
	path := filepath.Join("testdata", "metrics.txt")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
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
	points := func(all pmetric.NumberDataPointSlice) {
		for _, p := range all.All() {
			value := strconv.FormatInt(p.IntValue(), 10)
			if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
				value = fmt.Sprint(p.DoubleValue())
			}
			lines = append(lines, fmt.Sprintf("%s %s{%s} %s", m.Unit(), m.Name(), renderAttributes(p.Attributes()), value))
		}
	}
	switch m.Type() {
	case pmetric.MetricTypeSum:
		points(m.Sum().DataPoints())
	case pmetric.MetricTypeGauge:
		points(m.Gauge().DataPoints())
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

const partitionLabels = "node.address=192.0.2.60,node.id=1,partition=/common"

// state is the line of the state that is 1.
func state(name string) string {
	return "{state} " + names.MetricStorageState + "{" + partitionLabels + ",state=" + name + "} 1\n"
}

// The table of the guide, through the receiver; the state and how full the disk
// was survive a restart.
func TestStorageState(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		withMetrics(sink)(r)
		withStorage(store)(r)
		r.config.Deduplication.StorageWindow = 0
	})
	f := func(name, want string, ratio float64) {
		t.Helper()
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "storage-"+name+".json")))
		for range 2 { // the second time after a restart
			got := r.measured(sink)
			assert.Contains(t, got, state(want), name)
			assert.Contains(t, got, fmt.Sprintf("1 %s{%s} %v\n", names.MetricStorageUtilization, partitionLabels, ratio), name)
			assert.Equal(t, 4, strings.Count(got, names.MetricStorageState+"{"), "one series for each state")
		}
	}
	f("enter-low", "low", 0.75)
	f("enter-critical", "critical", 0.9)
	f("enter-emergency", "emergency", 0.99)
	f("exit-emergency", "critical", 0.97)
	f("exit-critical", "low", 0.85)
	f("exit-low", "normal", 0.7)
	f("enter-low-doc-70", "low", 0.7)
}

// F13: events repeated and in any order, by way of both servers, end in the
// right state.
func TestStorageStateOutOfOrder(t *testing.T) {
	f := func(want string, posts ...string) {
		t.Helper()
		sink := new(consumertest.MetricsSink)
		r := newHarness(t, func(r *harness) {
			withMetrics(sink)(r)
			r.config.Deduplication.StorageWindow = time.Hour
		})
		for _, name := range posts {
			for range 2 {
				require.Equal(t, http.StatusOK, r.Post(fixture(t, "storage-"+name+".json")))
			}
		}
		got := r.measured(sink)
		assert.Contains(t, got, state(want), "%v", posts)
		assert.Equal(t, len(posts), strings.Count(got, names.MetricStorageThreshold+"{"), "%v: each crossing once", posts)
	}
	f("critical", "enter-critical", "enter-low")
	f("low", "exit-critical", "enter-low", "enter-critical")
	f("normal", "exit-low", "enter-low")
	// The disk was low, or fuller, before the receiver heard of it.
	f("normal", "exit-low", "exit-critical")
	f("low", "exit-critical", "exit-emergency")
	f("low", "exit-critical", "enter-critical")
	f("critical", "enter-emergency", "exit-emergency", "enter-low", "enter-critical")
	f("low", "exit-emergency", "exit-critical", "enter-emergency", "enter-critical", "enter-low")
	// Where one is lost the last one counts.
	f("low", "enter-critical", "exit-critical")
	f("normal", "enter-low", "enter-critical", "exit-low")
}

// Metrics are counted only after the logs were accepted, and not for events that the
// pipeline permanently refused; the disk is as full all the same.
func TestMetricsFollowLogs(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	next := &receiverkit.Failing{Next: consumertest.NewNop(), Err: errors.New("later")}
	r := newHarness(t, func(r *harness) {
		withMetrics(sink)(r)
		r.Logs = next
	})
	require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "session-ended.json")))
	require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "storage-enter-critical.json")))
	next.Set(nil)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	next.FailOnce(consumererror.NewPermanent(errors.New("no")))
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "storage-enter-low.json")))
	got := r.measured(sink)
	assert.Contains(t, got, "{session} "+names.MetricMediaSenseSessionEnded+"{media.type=audio,state=CLOSED_NORMAL} 1\n")
	assert.NotContains(t, got, names.MetricStorageThreshold+"{")
	assert.Contains(t, got, state("low"))
}

// With a metrics pipeline alone, events are acknowledged once they are counted.
func TestMetricsAlone(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		r.Metrics = sink
		r.config.Metrics.Interval = 10 * time.Millisecond
	})
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-pruned.json")))
	}
	assert.Eventually(t, func() bool {
		all := sink.AllMetrics()
		return len(all) > 1 && strings.Contains(renderMetrics(all[len(all)-1]), names.MetricMediaSenseSessionPruned+"{} 1\n")
	}, waitFor, tick)
}

// Wire text cannot make time series without end.
func TestMetricLabelsAreBounded(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		withMetrics(sink)(r)
		r.config.Metrics.CardinalityLimit = 100
	})
	var body strings.Builder
	for i := range 2 * maxPartitions {
		fmt.Fprintf(&body, `{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":{"sessionId":"s%[1]d","sessionState":"x%[1]d","tracks":[{"trackMediaType":"x%[1]d"}]}}`, i)
		fmt.Fprintf(&body, `{"eventType":"TAG_EVENT","eventAction":"ADDED","eventBody":{"sessionId":"s%[1]d","tagType":"x%[1]d"}}`, i)
		fmt.Fprintf(&body, `{"eventType":"STORAGE_THRESHOLD_EVENT","eventAction":"ENTER_LOW_STORAGE_SPACE","eventBody":{"nodeId":%[1]d,"partition":"%[2]s"}}`, i, strings.Repeat("p", 1000))
	}
	require.Equal(t, http.StatusOK, r.Post(body.String()))
	got := r.measured(sink)
	assert.NotContains(t, got, "=x")
	assert.Equal(t, maxPartitions*4, strings.Count(got, names.MetricStorageState+"{"))
	assert.LessOrEqual(t, strings.Count(got, names.MetricStorageThreshold+"{"), maxPartitions*4+1)
	assert.NotContains(t, got, strings.Repeat("p", maxNameBytes+1))
	assert.NotContains(t, got, names.MetricStorageUtilization+"{", "no event has a level")
}

// A duration that cannot be stays out of the histogram.
func TestImplausibleDurations(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, withMetrics(sink))
	for i, duration := range []string{"98000", "-100", "9223372036854775807", "60000"} {
		require.Equal(t, http.StatusOK, r.Post(fmt.Sprintf(`{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":`+
			`{"sessionId":"s%d","sessionState":"CLOSED_NORMAL","sessionDuration":%s}}`, i, duration)))
	}
	assert.Contains(t, r.measured(sink), names.MetricMediaSenseSessionDuration+"{} count=2 sum=158.0000")
}

// A node is the same one in whichever way its number is written.
func TestNodeNumbers(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	r := newHarness(t, withMetrics(sink))
	for percentage, node := range []string{`1`, `"1"`, `" 1"`, `1.0`} {
		require.Equal(t, http.StatusOK, r.Post(fmt.Sprintf(`{"eventType":"STORAGE_THRESHOLD_EVENT","eventAction":"ENTER_LOW_STORAGE_SPACE",`+
			`"eventBody":{"nodeId":%s,"partition":"/common","percentageUtilization":%d}}`, node, 75+percentage)))
	}
	got := r.measured(sink)
	assert.Equal(t, 1, strings.Count(got, names.MetricStorageUtilization+"{"), got)
	assert.Contains(t, got, names.KeyNodeID+"=1,")
}

// A server that the subscription names has its series before its first event, all at 0.
func TestSeriesOfNamedServers(t *testing.T) {
	measured := func(change func(*Config)) string {
		config := namingServers("https://192.0.2.60:8440", "https://192.0.2.61:8440")
		change(config)
		named := newNamedSenders(config, zap.NewNop())
		m, err := newMetricSet(config, receivertest.NewNopSettings(metadata.Type), func() []partitionState { return nil }, named)
		require.NoError(t, err)
		data, err := m.collect(t.Context())
		require.NoError(t, err)
		return renderMetrics(data)
	}
	series := `
{session} cisco.mediasense.session.deleted{} 0
{session} cisco.mediasense.session.ended{media.type=audio,state=CLOSED_ERROR} 0
{session} cisco.mediasense.session.ended{media.type=audio,state=CLOSED_NORMAL} 0
{session} cisco.mediasense.session.ended{media.type=video,state=CLOSED_ERROR} 0
{session} cisco.mediasense.session.ended{media.type=video,state=CLOSED_NORMAL} 0
{session} cisco.mediasense.session.pruned{} 0
{session} cisco.mediasense.session.started{media.type=audio} 0
{session} cisco.mediasense.session.started{media.type=video} 0
`
	assert.Equal(t, "# service.instance.id=192.0.2.60,service.name=cisco-mediasense"+series+
		"# service.instance.id=192.0.2.61,service.name=cisco-mediasense"+series, measured(func(*Config) {}))
	assert.Empty(t, measured(func(c *Config) { c.QueryParameters = map[string]string{"node": names.ServiceInstanceID} }), "only a post says which server it is")
}
