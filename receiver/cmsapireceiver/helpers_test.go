// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"flag"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden files and tables anew")

// watchedHost keeps the statuses that are reported to it.
type watchedHost struct {
	component.Host
	mu       sync.Mutex
	statuses []*componentstatus.Event
}

func (h *watchedHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses = append(h.statuses, event)
}

func (h *watchedHost) last() *componentstatus.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.statuses) == 0 {
		return nil
	}
	return h.statuses[len(h.statuses)-1]
}

// harness scrapes bridges one scrape at a time.
type harness struct {
	t         *testing.T
	config    *Config
	all       *targets
	host      *watchedHost
	log       *observer.ObservedLogs
	telemetry *componenttest.Telemetry
}

func newHarness(t *testing.T, change func(*Config), bridges ...*bridge) *harness {
	t.Helper()
	config := createDefaultConfig().(*Config)
	var servers []any
	for _, b := range bridges {
		servers = append(servers, map[string]any{
			"endpoint": b.server.URL, "username": username, "password": password, "tls": map[string]any{"insecure": true},
		})
	}
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"servers": servers}).Unmarshal(config))
	if change != nil {
		change(config)
	}
	require.NoError(t, confmap.Validate(config))
	core, log := observer.New(zapcore.InfoLevel)
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, telemetry.Shutdown(context.WithoutCancel(t.Context()))) })
	set := receiver.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: telemetry.NewTelemetrySettings(), BuildInfo: receivertest.NewNopSettings(metadata.Type).BuildInfo}
	set.Logger = zap.New(core)
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	require.NoError(t, err)
	r := &harness{t: t, config: config, all: newTargets(config, set, builder), host: &watchedHost{Host: componenttest.NewNopHost()}, log: log, telemetry: telemetry}
	require.NoError(t, r.all.start(t.Context(), r.host))
	t.Cleanup(func() {
		builder.Shutdown()
		assert.NoError(t, r.all.shutdown(context.WithoutCancel(t.Context())))
	})
	return r
}

// scrape scrapes once and returns the data points by resource.
func (r *harness) scrape() map[string]points {
	r.t.Helper()
	return pointsOf(r.all.scrape(r.t.Context()).metrics)
}

// points are values by metric and labels: "uptime" or "alarm.active{alarm.type=x}".
type points map[string]any

const prefix = "cisco.meeting_server."

func pointsOf(data pmetric.Metrics) map[string]points {
	all := make(map[string]points)
	for _, rm := range data.ResourceMetrics().All() {
		instance, _ := rm.Resource().Attributes().Get("service.instance.id")
		if all[instance.Str()] == nil {
			all[instance.Str()] = make(points)
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				all[instance.Str()].add(m)
			}
		}
	}
	return all
}

func (p points) add(m pmetric.Metric) {
	name := strings.TrimPrefix(m.Name(), prefix)
	number := func(list pmetric.NumberDataPointSlice) {
		for _, dp := range list.All() {
			var value any = dp.IntValue()
			if dp.ValueType() == pmetric.NumberDataPointValueTypeDouble {
				value = dp.DoubleValue()
			}
			p[name+labels(dp.Attributes().AsRaw())] = value
		}
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		number(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		number(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			p[name+labels(dp.Attributes().AsRaw())] = [2]float64{float64(dp.Count()), dp.Sum()}
		}
	}
}

func labels(raw map[string]any) string {
	if len(raw) == 0 {
		return ""
	}
	var list []string
	for key, value := range raw {
		list = append(list, key+"="+value.(string))
	}
	sort.Strings(list)
	return "{" + strings.Join(list, ",") + "}"
}

// names are the metrics that there are.
func (p points) names() map[string]bool {
	all := make(map[string]bool)
	for key := range p {
		name, _, _ := strings.Cut(key, "{")
		all[name] = true
	}
	return all
}

// counter returns a value of the receiver's own telemetry with a label.
func (r *harness) counter(name, label string) (n int64) {
	m, err := r.telemetry.GetMetric("otelcol_" + name)
	if err != nil {
		return 0
	}
	var list []metricdata.DataPoint[int64]
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		list = data.DataPoints
	case metricdata.Gauge[int64]:
		list = data.DataPoints
	}
	for _, dp := range list {
		for _, kv := range dp.Attributes.ToSlice() {
			if kv.Value.String() == label {
				n += dp.Value
			}
		}
	}
	return n
}
