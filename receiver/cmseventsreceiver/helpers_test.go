// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"flag"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
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

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/sharedcomponent"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden files anew")

const fixtures = "../../testdata/cms-events"

// harness is a receiver with sinks and fake bridges in a synctest bubble.
type harness struct {
	t        *testing.T
	network  *network
	bridges  []*fakeBridge
	config   *Config
	settings receiver.Settings
	host     component.Host
	logs     consumer.Logs
	sink     *consumertest.LogsSink // the default of logs
	metrics  consumer.Metrics
	log      *observer.ObservedLogs
	reader   *sdkmetric.ManualReader
	receiver *eventsReceiver
	parts    []component.Component
}

// serverConfig returns the configuration of a server in memory.
func serverConfig(address string) ServerConfig {
	s := ServerConfig{HTTP: api.NewDefaultServerConfig().HTTP, Username: username, Password: password}
	s.HTTP.Endpoint = "http://" + address
	s.HTTP.TLS.Insecure = true
	return s
}

// runInBubble runs a test in a synctest bubble; change may alter the harness before it
// starts.
func runInBubble(t *testing.T, bridges int, change func(*harness), test func(r *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, bridges, change)
		r.start()
		test(r)
		r.stop()
		assert.Zero(t, r.network.frames["forbidden"], "text in one frame each, and no pings")
		assert.NotZero(t, r.network.frames["text"]+r.bridges[0].count("token"))
	})
}

func newHarness(t *testing.T, bridges int, change func(*harness)) *harness {
	t.Helper()
	core, log := observer.New(zap.DebugLevel)
	r := &harness{
		t: t, network: newNetwork(), config: createDefaultConfig().(*Config), host: componenttest.NewNopHost(),
		settings: receivertest.NewNopSettings(metadata.Type), log: log, reader: sdkmetric.NewManualReader(), sink: new(consumertest.LogsSink),
	}
	r.logs = r.sink
	r.settings.Logger = zap.New(core)
	r.settings.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	for i := range bridges {
		address := fmt.Sprintf("cms%d.example.test:8443", i+1)
		r.bridges = append(r.bridges, newFakeBridge(t, address, func() net.Listener { return r.network.listen(address) }))
		r.config.Servers = append(r.config.Servers, serverConfig(address))
	}
	if change != nil {
		change(r)
	}
	return r
}

// start creates and starts the receiver for each sink that is set.
func (r *harness) start() {
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
	r.receiver = parts[0].(*sharedcomponent.Component[*eventsReceiver]).Unwrap()
	r.receiver.dial = r.network.dial
	for _, part := range parts {
		require.NoError(r.t, part.Start(r.t.Context(), r.host))
	}
	r.parts = parts
}

func (r *harness) stop() {
	r.t.Helper()
	for _, part := range r.parts {
		require.NoError(r.t, part.Shutdown(context.WithoutCancel(r.t.Context())))
	}
	for _, b := range r.bridges {
		b.stop()
	}
}

// wait lets d pass and waits until all goroutines are idle.
func (r *harness) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// gauges are the sums of the gauges of all servers.
type gauges struct {
	calls, recording, streaming, locked, participants int64
}

func (r *harness) gauges() (sum gauges) {
	all, known := r.receiver.hub.gauges()
	for i, g := range all {
		if !known[i] {
			continue
		}
		sum.calls += g.Calls
		sum.recording += g.Recording
		sum.streaming += g.Streaming
		sum.locked += g.Locked
		for s := range g.Participants {
			for _, n := range g.Participants[s] {
				sum.participants += n
			}
		}
	}
	return sum
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

// bodies returns the bodies of all records since the last resetRecords.
func (r *harness) bodies() (all []string) {
	for _, lr := range records(r.sink.AllLogs()) {
		all = append(all, lr.Body().Str())
	}
	return all
}

func (r *harness) resetRecords() { r.sink.Reset() }

func text(lr plog.LogRecord, key string) string {
	if v, found := lr.Attributes().Get(key); found {
		return v.AsString()
	}
	return ""
}

// participantsOf returns the participants by id, with their elements, after all records. It
// fails the test if a record does not follow from the records before.
func participantsOf(t *testing.T, all []plog.Logs) map[string]map[string]any {
	t.Helper()
	people := make(map[string]map[string]any)
	for _, lr := range records(all) {
		id := text(lr, names.ParticipantID)
		switch lr.EventName() {
		case names.EventEventParticipantAdd:
			assert.NotContains(t, people, id, "added twice")
			people[id] = map[string]any{}
		case names.EventEventParticipantUpdate:
			assert.Contains(t, people, id, "updated, but not there")
		case names.EventEventParticipantRemove:
			assert.Contains(t, people, id, "removed, but not there")
			delete(people, id)
			continue
		default:
			continue
		}
		for key, v := range lr.Attributes().All() {
			if people[id] != nil {
				people[id][key] = v.AsRaw()
			}
		}
	}
	return people
}

// counter returns the sum of those series of an internal metric that have all of the
// attribute values.
func (r *harness) counter(name string, values ...string) (total int64) {
	r.t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(r.t, r.reader.Collect(context.WithoutCancel(r.t.Context()), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				total += sumPoints(d.DataPoints, values)
			case metricdata.Gauge[int64]:
				total += sumPoints(d.DataPoints, values)
			}
		}
	}
	return total
}

func sumPoints(points []metricdata.DataPoint[int64], values []string) (total int64) {
	for _, p := range points {
		has := func(value string) bool {
			return slices.ContainsFunc(p.Attributes.ToSlice(), func(kv attribute.KeyValue) bool { return kv.Value.String() == value })
		}
		if !slices.ContainsFunc(values, func(value string) bool { return !has(value) }) {
			total += p.Value
		}
	}
	return total
}

// callElements returns the usual elements of a call.
func callElements(correlator string) elements {
	return elements{"name": "Board", "participants": 1, "distributedInstances": 0, "recording": "inactive", "streaming": "inactive", "lockState": "notLocked", "callType": "coSpace", "callCorrelator": correlator}
}

func participantElements(name string) elements {
	return elements{"name": name, "uri": "x", "state": "connected", "direction": "incoming", "audioMuted": false, "videoMuted": false, "importance": nil, "activeSpeaker": false}
}
