// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// harness is a started processor, with the next consumer, a storage, a log and internal metrics.
type harness struct {
	processor.Logs
	t         testing.TB
	config    *Config
	host      component.Host
	next      *next
	behind    consumer.Logs // the next consumer, if it is not next
	log       *observer.ObservedLogs
	telemetry *componenttest.Telemetry
	stop      func()
}

// newHarness starts a processor; change may alter what it is given.
func newHarness(tb testing.TB, change func(*harness)) *harness {
	tb.Helper()
	core, log := observer.New(zap.DebugLevel)
	r := &harness{
		t: tb, config: createDefaultConfig().(*Config), host: componenttest.NewNopHost(),
		next: new(next), log: log, telemetry: componenttest.NewTelemetry(),
	}
	if change != nil {
		change(r)
	}
	settings := processortest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	settings.Logger = zap.New(core)
	var behind consumer.Logs = r.next
	if r.behind != nil {
		behind = r.behind
	}
	made, err := NewFactory().CreateLogs(tb.Context(), settings, r.config, behind)
	require.NoError(tb, err)
	require.NoError(tb, made.Start(tb.Context(), r.host))
	r.Logs = made
	r.stop = sync.OnceFunc(func() {
		ctx := context.WithoutCancel(tb.Context())
		assert.NoError(tb, made.Shutdown(ctx))
		assert.NoError(tb, r.telemetry.Shutdown(ctx))
	})
	tb.Cleanup(func() { r.stop() })
	return r
}

func (r *harness) consume(all ...plog.Logs) {
	r.t.Helper()
	for _, logs := range all {
		require.NoError(r.t, r.ConsumeLogs(r.t.Context(), clone(logs)))
	}
}

// withStorage keeps the state in a storage.
func withStorage(store component.Component) func(*harness) {
	id := component.MustNewID("test_storage")
	return func(r *harness) {
		r.config.Storage = &id
		r.host = testkit.Host{id: store}
	}
}

// next is the next consumer: it keeps passing and stitched records apart, and refuses
// those that the test selects.
type next struct {
	mu       sync.Mutex
	passed   consumertest.LogsSink
	stitched []plog.Logs
	refuse   func(ctx context.Context, stitched []plog.LogRecord) error
}

func (*next) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (n *next) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if !isStitched(logs) {
		return n.passed.ConsumeLogs(ctx, logs)
	}
	n.mu.Lock()
	refuse := n.refuse
	n.mu.Unlock()
	if refuse != nil {
		if err := refuse(ctx, records(logs)); err != nil {
			return err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stitched = append(n.stitched, logs)
	return nil
}

// refuseWith makes the next consumer answer stitched records so; nil ends it.
func (n *next) refuseWith(refuse func(context.Context, []plog.LogRecord) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refuse = refuse
}

var errBusy = errors.New("busy")

func busy(context.Context, []plog.LogRecord) error { return errBusy }

// spans are the stitched records so far.
func (n *next) spans() []plog.LogRecord {
	n.mu.Lock()
	defer n.mu.Unlock()
	return records(n.stitched...)
}

// isStitched tells whether it is the processor itself that says it.
func isStitched(logs plog.Logs) bool {
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).Scope().Name() == metadata.ScopeName
}

// records returns the log records of all batches in order.
func records(all ...plog.Logs) (out []plog.LogRecord) {
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

func clone(logs plog.Logs) plog.Logs {
	to := plog.NewLogs()
	logs.CopyTo(to)
	return to
}

// post is what the cmscdr receiver makes of a post of a Call Bridge.
func post(tb testing.TB, name string) plog.Logs {
	tb.Helper()
	return readLogs(tb, "../../receiver/cmscdrreceiver/testdata/golden/"+name+".json")
}

func posts(tb testing.TB, all ...string) (out []plog.Logs) {
	tb.Helper()
	for _, name := range all {
		out = append(out, post(tb, name))
	}
	return out
}

func readLogs(tb testing.TB, path string) plog.Logs {
	tb.Helper()
	content, err := os.ReadFile(path)
	require.NoError(tb, err)
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(content)
	require.NoError(tb, err, path)
	return logs
}

// flow is the guide's example: a call of 10 s with two legs.
var flow = []string{"flow/post-1", "flow/post-2", "flow/post-3", "flow/post-4", "flow/post-5", "flow/post-6"}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// say returns a request with one record that a bridge sends some seconds after
// noon.
func say(event string, second int, attributes map[string]any) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceName, names.MeetingServerService)
	rl.Resource().Attributes().PutStr(names.SessionID, "session-1")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(event)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(second) * time.Second)))
	if err := lr.Attributes().FromRaw(attributes); err != nil {
		panic(err)
	}
	return logs
}

// together makes one request of several.
func together(all ...plog.Logs) plog.Logs {
	to := plog.NewLogs()
	for _, logs := range all {
		clone(logs).ResourceLogs().MoveAndAppendTo(to.ResourceLogs())
	}
	return to
}

// legEnd is the end record of a leg, of which there is a span after the linger.
func legEnd(id string) plog.Logs {
	return say(names.EventCallLegEnd, 45, map[string]any{
		names.CallLegID: id, "cisco.meeting_server.call_leg.duration_seconds": 45.0, keyReason: "remoteTeardown",
	})
}

func str(lr plog.LogRecord, key string) string { return text(lr.Attributes(), key) }

func traceOf(lr plog.LogRecord) string {
	id := lr.TraceID()
	return hex.EncodeToString(id[:])
}

func spanOf(lr plog.LogRecord) string {
	id := lr.SpanID()
	return hex.EncodeToString(id[:])
}

// bytesOf is the wire form of a record on its own.
func bytesOf(tb testing.TB, lr plog.LogRecord) string {
	tb.Helper()
	logs := plog.NewLogs()
	lr.CopyTo(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	wire, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(tb, err)
	return string(wire)
}

// linger is how long to wait until everything that ended has been sent.
const linger = 11 * time.Second

// startOf is the start record of a leg.
func startOf(id string) plog.Logs {
	return say(names.EventCallLegStart, 0, map[string]any{names.CallLegID: id})
}

// alone takes turns with nobody, at a fixed time.
type alone time.Time

func (a alone) now() time.Time       { return time.Time(a) }
func (alone) yield() error           { return nil }
func (alone) waitForRoom(_ int) bool { return false }
