// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

const fixtures = "../../testdata/mediasense"

// rig is a started receiver with sinks, as MediaSense and a pipeline see it.
type rig struct {
	t        *testing.T
	config   *Config
	settings receiver.Settings
	host     component.Host
	logs     consumer.Logs
	metrics  consumer.Metrics
	log      *observer.ObservedLogs
	reader   *sdkmetric.ManualReader
	url      string
	stop     func()
	parts    []component.Component // one for each signal
	client   *http.Client
}

// newRig starts a receiver on a free port; change may alter it before.
func newRig(t *testing.T, change func(*rig)) *rig {
	t.Helper()
	core, log := observer.New(zap.InfoLevel)
	r := &rig{
		t: t, config: createDefaultConfig().(*Config), host: componenttest.NewNopHost(),
		settings: receivertest.NewNopSettings(metadata.Type), log: log,
		reader: sdkmetric.NewManualReader(), client: &http.Client{Transport: &http.Transport{}},
	}
	r.settings.Logger = zap.New(core)
	r.settings.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	r.config.HTTP.NetAddr.Endpoint = loopback.MustAddress(t)
	if change != nil {
		change(r)
	}
	r.start()
	t.Cleanup(func() { r.stop(); r.client.CloseIdleConnections() })
	return r
}

// start creates and starts the receiver for each sink that is set.
func (r *rig) start() {
	r.t.Helper()
	r.client.CloseIdleConnections()
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
	r.url = "http://" + r.config.HTTP.NetAddr.Endpoint + r.config.Path
	r.stop = func() {
		for _, part := range parts {
			require.NoError(r.t, part.Shutdown(context.WithoutCancel(r.t.Context())))
		}
	}
}

func (r *rig) post(body string) int { return r.postTo(r.url, body) }

func (r *rig) postTo(url, body string) int {
	r.t.Helper()
	response, err := r.client.Post(url, "application/json", strings.NewReader(body))
	require.NoError(r.t, err)
	answer, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	require.NoError(r.t, response.Body.Close())
	if response.StatusCode == http.StatusOK {
		require.Empty(r.t, answer, "a 200 has an empty body")
	}
	return response.StatusCode
}

// counter returns the value of a self-telemetry counter's series with the
// attribute value, or the sum of all its series if value is "".
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
				if value == "" || slices.ContainsFunc(p.Attributes.ToSlice(), func(kv attribute.KeyValue) bool { return kv.Value.String() == value }) {
					total += p.Value
				}
			}
		}
	}
	return total
}

func fixture(tb testing.TB, name string) string {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join(fixtures, name))
	require.NoError(tb, err)
	return string(body)
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

func eventNamesOf(sink *consumertest.LogsSink) (names []string) {
	for _, lr := range records(sink.AllLogs()) {
		names = append(names, lr.EventName())
	}
	return names
}

const waitFor, tick = 10 * time.Second, 5 * time.Millisecond

func marshal(t *testing.T, logs plog.Logs) string {
	t.Helper()
	line, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return string(line)
}
