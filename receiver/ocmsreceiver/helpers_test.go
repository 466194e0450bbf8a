// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"fmt"
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
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/receiver/ocmsreceiver/internal/metadata"
)

const fixtures = "../../testdata/ocms"

const waitFor, tick = 20 * time.Second, 5 * time.Millisecond

// rig is a started receiver with sinks and a directory of files to read.
type rig struct {
	t        *testing.T
	dir      string
	config   *Config
	settings receiver.Settings
	host     component.Host
	logs     consumer.Logs
	metrics  consumer.Metrics
	log      *observer.ObservedLogs
	reader   *sdkmetric.ManualReader
	stop     func()
}

// newRig starts a receiver of all files of a directory, which polls fast; change
// may alter it before.
func newRig(t *testing.T, change func(*rig)) *rig {
	t.Helper()
	core, log := observer.New(zap.InfoLevel)
	r := &rig{
		t: t, dir: t.TempDir(), config: createDefaultConfig().(*Config), host: componenttest.NewNopHost(),
		settings: receivertest.NewNopSettings(metadata.Type), log: log, reader: sdkmetric.NewManualReader(),
	}
	r.settings.Logger = zap.New(core)
	r.settings.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	r.config.File.Include = []string{filepath.Join(r.dir, "*.log*")}
	r.config.File.StartAt = "beginning"
	r.config.File.PollInterval = 10 * time.Millisecond
	r.config.RetryOnFailure.InitialInterval = 5 * time.Millisecond
	r.config.RetryOnFailure.MaxInterval = 20 * time.Millisecond
	r.config.ResourceAttributes = map[string]string{"host.name": "ocms1", "service.instance.id": "ocms1"}
	if change != nil {
		change(r)
	}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// withStorage lets a receiver keep what it knows.
func withStorage(r *rig, store *testkit.Storage) {
	id := component.MustNewID("store")
	r.config.Storage, r.host = &id, testkit.Host{id: store}
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
	r.stop = func() {
		r.stop = func() {}
		for _, part := range parts {
			require.NoError(r.t, part.Shutdown(context.WithoutCancel(r.t.Context())))
		}
	}
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

// write appends text to a file.
func (r *rig) write(name, text string) {
	r.t.Helper()
	file, err := os.OpenFile(r.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(r.t, err)
	_, err = file.WriteString(text)
	require.NoError(r.t, err)
	require.NoError(r.t, file.Close())
}

// event is the line of the answer to an INVITE, told from others by n.
func event(n int) string {
	return fmt.Sprintf("CreationTime=2024-06-10T09:00:00.%03dZ,To=<sip:8600@example.test>;tag=t%d,TimeZoneOffset=120,Method=INVITE,"+
		"Service=eventlogger.a.B.RESPONSE.INVITE.200,Call-ID=call-%d@192.0.2.33,StatusCode=200,CSeq=1 INVITE,"+
		"Via=SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK%d,From=Paula <sip:paula@example.test>;tag=f%d\n", n%1000, n, n, n, n)
}

// events are the lines from and up to, without the last.
func events(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(event(n))
	}
	return b.String()
}

// callIDs are those of all records, in the order of their numbers.
func callIDs(sink *consumertest.LogsSink) (all []string) {
	for _, lr := range records(sink.AllLogs()) {
		id, _ := lr.Attributes().Get(names.SIPCallID)
		all = append(all, id.Str())
	}
	slices.SortFunc(all, func(a, b string) int {
		if n := len(a) - len(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	return all
}

// callIDsOf are the Call-IDs of events.
func callIDsOf(from, to int) (all []string) {
	for n := from; n < to; n++ {
		all = append(all, fmt.Sprintf("call-%d@192.0.2.33", n))
	}
	return all
}

// eventually waits until the sink has exactly these events.
func (r *rig) eventually(sink *consumertest.LogsSink, want []string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return sink.LogRecordCount() >= len(want) }, waitFor, tick)
	require.Equal(r.t, want, callIDs(sink))
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

func (r *rig) outcome(what string) int64 { return r.counter("otelcol_receiver_ocms_records", what) }

func fixture(tb testing.TB, path string) string {
	tb.Helper()
	content, err := os.ReadFile(path)
	require.NoError(tb, err)
	return string(content)
}

// everything is all text that a receiver sent or logged.
func (r *rig) everything(all []plog.Logs) string {
	var text strings.Builder
	for _, logs := range all {
		for _, rl := range logs.ResourceLogs().All() {
			fmt.Fprintln(&text, rl.Resource().Attributes().AsRaw())
		}
	}
	for _, lr := range records(all) {
		body := lr.Body().AsString()
		if lr.Body().Type() == pcommon.ValueTypeBytes {
			body = string(lr.Body().Bytes().AsRaw())
		}
		for key, value := range lr.Attributes().All() {
			if value.Type() == pcommon.ValueTypeBytes {
				fmt.Fprintln(&text, key, string(value.Bytes().AsRaw()))
			}
		}
		fmt.Fprintln(&text, lr.EventName(), body, lr.Attributes().AsRaw())
	}
	for _, entry := range r.log.All() {
		fmt.Fprintln(&text, entry.Message, entry.ContextMap())
	}
	return text.String()
}
