// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden files anew")

const waitFor, tick = 10 * time.Second, 5 * time.Millisecond

// rig is a started receiver with sinks, as bridges and a pipeline see it.
type rig struct {
	t        *testing.T
	config   *Config
	settings receiver.Settings
	host     component.Host
	logs     consumer.Logs
	metrics  consumer.Metrics
	log      *observer.ObservedLogs
	reader   *sdkmetric.ManualReader
	stop     func()
	parts    []component.Component // one for each signal
}

// newRig starts a receiver that listens by UDP and TCP on free ports; change may alter
// it before.
func newRig(t *testing.T, change func(*rig)) *rig {
	t.Helper()
	core, log := observer.New(zap.InfoLevel)
	r := &rig{
		t: t, config: createDefaultConfig().(*Config), host: componenttest.NewNopHost(),
		settings: receivertest.NewNopSettings(metadata.Type), log: log, reader: sdkmetric.NewManualReader(),
	}
	r.settings.Logger = zap.New(core)
	r.settings.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	r.config.FlushInterval = 10 * time.Millisecond
	r.config.RetryOnFailure.InitialInterval = 5 * time.Millisecond
	r.config.File.PollInterval = 10 * time.Millisecond
	r.config.File.StartAt = "beginning"
	r.config.UDP = &udp.BaseConfig{ListenAddress: loopback.MustAddress(t)}
	r.config.TCP = &tcp.BaseConfig{ListenAddress: loopback.MustAddress(t)}
	if change != nil {
		change(r)
	}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// start creates and starts the receiver for each sink that is set.
func (r *rig) start() {
	r.t.Helper()
	var parts []component.Component
	factory := NewFactory()
	if r.logs != nil {
		part, err := factory.CreateLogs(r.t.Context(), r.settings, r.config, r.logs)
		require.NoError(r.t, err)
		parts = append(parts, part)
	}
	if r.metrics != nil {
		part, err := factory.CreateMetrics(r.t.Context(), r.settings, r.config, r.metrics)
		require.NoError(r.t, err)
		parts = append(parts, part)
	}
	for _, part := range parts {
		require.NoError(r.t, part.Start(r.t.Context(), r.host))
	}
	r.parts = parts
	r.stop = func() {
		for _, part := range parts {
			require.NoError(r.t, part.Shutdown(context.WithoutCancel(r.t.Context())))
		}
	}
}

func (r *rig) udp(text string) { r.send("udp", r.config.UDP.ListenAddress, text) }

func (r *rig) tcp(text string) { r.send("tcp", r.config.TCP.ListenAddress, text) }

func (r *rig) send(network, address, text string) {
	r.t.Helper()
	conn, err := net.Dial(network, address)
	require.NoError(r.t, err)
	_, err = conn.Write([]byte(text))
	require.NoError(r.t, err)
	require.NoError(r.t, conn.Close())
}

// file lets the receiver read a file instead of listening.
func (r *rig) file(text string) {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "messages")
	require.NoError(r.t, os.WriteFile(path, []byte(text), 0o600))
	r.config.File.Include = []string{path}
	r.config.UDP, r.config.TCP = nil, nil
}

// counter returns the value of a self-telemetry counter's series with the attribute
// value, or the sum of all its series if value is "".
func (r *rig) counter(name, value string) (total int64) {
	r.t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(r.t, r.reader.Collect(r.t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if m.Name != name || !ok {
				continue
			}
			for _, p := range sum.DataPoints {
				if value == "" || slices.ContainsFunc(p.Attributes.ToSlice(), func(kv attribute.KeyValue) bool { return kv.Value.AsString() == value }) {
					total += p.Value
				}
			}
		}
	}
	return total
}

func fixture(tb testing.TB, path string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", path))
	require.NoError(tb, err)
	return string(text)
}

// records returns the log records of all batches in order.
func records(all []plog.Logs) (out []plog.LogRecord) {
	for _, logs := range all {
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					out = append(out, lr)
				}
			}
		}
	}
	return out
}

// wait returns the records of a sink when there are n.
func wait(t *testing.T, sink *consumertest.LogsSink, n int) []plog.LogRecord {
	t.Helper()
	require.Eventually(t, func() bool { return sink.LogRecordCount() >= n }, waitFor, tick)
	all := records(sink.AllLogs())
	require.Len(t, all, n)
	return all
}

func attributeOf(lr plog.LogRecord, key string) any {
	value, ok := lr.Attributes().Get(key)
	if !ok {
		return nil
	}
	return value.AsRaw()
}

// points returns the data points of a metric, by the text of their attributes.
func points(all []pmetric.Metrics, name string) map[string]float64 {
	found := make(map[string]float64)
	if len(all) == 0 {
		return found
	}
	for _, rm := range all[len(all)-1].ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch {
				case m.Name() != name:
				case m.Type() == pmetric.MetricTypeSum:
					for _, p := range m.Sum().DataPoints().All() {
						found[textOf(p.Attributes().AsRaw())] += float64(p.IntValue())
					}
				case m.Type() == pmetric.MetricTypeHistogram:
					for _, p := range m.Histogram().DataPoints().All() {
						found[textOf(p.Attributes().AsRaw())] += float64(p.Count())
					}
				}
			}
		}
	}
	return found
}

func textOf(attributes map[string]any) string {
	var all []string
	for _, value := range attributes {
		all = append(all, value.(string))
	}
	slices.Sort(all)
	return strings.Join(append(all, ""), " ")
}
