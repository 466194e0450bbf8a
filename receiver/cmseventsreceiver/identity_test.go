// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

const ownGUID = "d80df859-cbc0-44ee-8611-449ab1bf39d7"

// joinCluster makes a bridge report that it is cms2, on the second page of its cluster.
func joinCluster(f *faults) {
	f.uniqueName = "cms2"
	f.callBridges = map[string]string{
		"":  `<callBridges total="3"><callBridge id="a"><name>cms1</name></callBridge><callBridge id="b"><name>cms22</name></callBridge></callBridges>`,
		"2": `<callBridges total="3"><callBridge id="` + ownGUID + `"><name>cms2</name></callBridge></callBridges>`,
	}
}

// resources returns the resources of all records and metrics.
func resources(r *harness, metrics *consumertest.MetricsSink) (logs, points []map[string]any) {
	for _, batch := range r.sink.AllLogs() {
		for _, rl := range batch.ResourceLogs().All() {
			logs = append(logs, rl.Resource().Attributes().AsRaw())
		}
	}
	for _, batch := range metrics.AllMetrics() {
		for _, rm := range batch.ResourceMetrics().All() {
			points = append(points, rm.Resource().Attributes().AsRaw())
		}
	}
	return logs, points
}

// The GUID names a bridge of a cluster from the first record on, as in its call detail
// records. A bridge without a GUID is named by host and port.
func TestIdentity(t *testing.T) {
	f := func(change func(*faults), instance string, more map[string]any) {
		t.Helper()
		metrics := new(consumertest.MetricsSink)
		runInBubble(t, 1, func(r *harness) {
			r.Metrics = metrics
			r.config.ResourceAttributes = map[string]string{"service.namespace": "all", "deployment.environment.name": "lab"}
			r.config.Servers[0].ResourceAttributes = map[string]string{"service.namespace": "one"}
			r.bridges[0].setFaults(change)
		}, func(r *harness) {
			addCalls(r.bridges[0], 1, 1)
			awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
			r.wait(r.config.Metrics.Interval)
			want := map[string]any{
				names.ServiceName: names.MeetingServerService, names.ServiceInstanceID: instance,
				names.ServerAddress: "cms1.example.test", names.ServerPort: int64(8443),
				"service.namespace": "one", "deployment.environment.name": "lab",
			}
			maps.Copy(want, more)
			logs, points := resources(r, metrics)
			require.NotEmpty(r.T, logs)
			require.NotEmpty(r.T, points)
			for _, got := range append(logs, points...) {
				assert.Equal(r.T, want, got)
			}
			// It is asked once.
			asked := r.bridges[0].count("bridges")
			r.bridges[0].dropSockets()
			r.wait(time.Minute)
			assert.Equal(r.T, asked, r.bridges[0].count("bridges"))
		})
	}
	const byAddress = "cms1.example.test:8443"
	f(joinCluster, ownGUID, map[string]any{names.CallBridgeID: ownGUID})
	f(func(*faults) {}, byAddress, nil)
	f(func(f *faults) {
		f.uniqueName, f.callBridges = "cms1", map[string]string{"": `<callBridges total="0"/>`}
	}, byAddress, nil)
	f(func(f *faults) { f.uniqueName, f.callBridges = "cms1", map[string]string{"": `{}`} }, byAddress, nil)
	f(func(f *faults) { joinCluster(f); f.uniqueName = "cms9" }, byAddress, nil)
}

// A bridge that reports its GUID later has one resource at a time.
func TestIdentityLearntLate(t *testing.T) {
	metrics := new(consumertest.MetricsSink)
	runInBubble(t, 1, func(r *harness) { r.Metrics = metrics }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
		r.wait(identityInterval / 2)
		b.stop()
		b.setFaults(joinCluster)
		r.wait(identityInterval / 2)
		b.start()
		r.wait(time.Minute)
		r.resetRecords()
		metrics.Reset()
		b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
		r.wait(time.Minute)
		logs, points := resources(r, metrics)
		require.NotEmpty(t, logs)
		require.NotEmpty(t, points)
		for _, got := range append(logs, points...) {
			assert.Equal(t, ownGUID, got[names.ServiceInstanceID])
		}
	})
}

// An unknown GUID is also requested while the connection lasts.
func TestIdentityLearntWithoutAReconnect(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
		b.setFaults(joinCluster)
		r.wait(identityInterval + watchInterval)
		r.resetRecords()
		b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
		r.wait(time.Minute)
		logs, _ := resources(r, new(consumertest.MetricsSink))
		require.NotEmpty(t, logs)
		for _, got := range logs {
			assert.Equal(t, ownGUID, got[names.ServiceInstanceID])
		}
		asked := b.count("bridges")
		r.wait(time.Hour)
		assert.Equal(t, asked, b.count("bridges"), "once it is known it is not asked for")
		assert.Equal(t, 1, b.count("socket"))
	})
}

// signer is a client authentication extension.
type signer struct{}

func (signer) Start(context.Context, component.Host) error { return nil }
func (signer) Shutdown(context.Context) error              { return nil }

func (signer) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		signed := r.Clone(r.Context())
		signed.SetBasicAuth(username, password)
		return base.RoundTrip(signed)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type extendedHost struct {
	component.Host
	all map[component.ID]component.Component
}

func (h extendedHost) GetExtensions() map[component.ID]component.Component { return h.all }

// An auth extension replaces username and password.
func TestAuthExtension(t *testing.T) {
	config, err := load(t, map[string]any{"servers": []any{map[string]any{
		"endpoint": "http://cms1.example.test:8443", "tls": map[string]any{"insecure": true}, "auth": map[string]any{"authenticator": "signer"},
	}}})
	require.NoError(t, err)
	runInBubble(t, 1, func(r *harness) {
		r.config.Servers = config.Servers
		r.Host = extendedHost{r.Host, map[component.ID]component.Component{component.MustNewID("signer"): signer{}}}
	}, func(r *harness) {
		addCalls(r.bridges[0], 1, 1)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
		assert.Zero(t, r.bridges[0].count("unauthorized"))
	})
}

// Credentials come from exactly one source.
func TestCredentials(t *testing.T) {
	f := func(more map[string]any, want string) {
		t.Helper()
		server := map[string]any{"endpoint": "https://cms1"}
		maps.Copy(server, more)
		config := createDefaultConfig().(*Config)
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"servers": []any{server}}).Unmarshal(config))
		err := confmap.Validate(config)
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
	}
	auth := map[string]any{"authenticator": "x"}
	f(map[string]any{"auth": auth}, "")
	f(map[string]any{"username": "u", "password": "p"}, "")
	f(map[string]any{"username": "u", "auth": auth}, "password must not be empty")
	f(map[string]any{"password": "u", "auth": auth}, "username must not be empty")
	f(map[string]any{}, "username must not be empty")
	f(map[string]any{"auth": auth, "timeout": "0s"}, "timeout must be at least 10ms, got 0s")
}

// The server address in internal metrics is the host without the port.
func TestServerAddress(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		r.wait(time.Second)
		seen := 0
		for _, scope := range r.InternalMetrics().ScopeMetrics {
			for _, m := range scope.Metrics {
				gauge, ok := m.Data.(metricdata.Gauge[int64])
				if !ok {
					continue
				}
				for _, p := range gauge.DataPoints {
					address, _ := p.Attributes.Value(names.ServerAddress)
					port, _ := p.Attributes.Value(names.ServerPort)
					assert.Equal(t, "cms1.example.test", address.AsString(), m.Name)
					assert.EqualValues(t, 8443, port.AsInt64(), m.Name)
					seen++
				}
			}
		}
		assert.Greater(t, seen, 10)
	})
}

// A negative number of participants is emitted unchanged, and control characters in a name
// do not break a line.
func TestOddValues(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		e := callElements("x")
		e["participants"], e["name"] = -1, "Two\nlines\t\x01"
		r.bridges[0].addCall("c", e)
		r.wait(time.Second)
		all := receiverkit.Records(r.sink.AllLogs())
		require.NotEmpty(t, all)
		assert.Equal(t, `call active: Two\nlines\t\x01, participants -1`, all[0].Body().Str())
		v, found := all[0].Attributes().Get("cisco.meeting_server.call.participants")
		require.True(t, found)
		assert.Equal(t, pcommon.ValueTypeInt, v.Type())
		assert.EqualValues(t, -1, v.Int())
		assert.Equal(t, "Two\nlines\t\x01", text(all[0], names.CallName))
		for _, lr := range all {
			assert.NotContains(t, lr.Body().Str(), "184467440")
		}
	})
}

// A raw line break in a name is accepted and causes no renewal.
func TestRawLineBreak(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
		r.resetRecords()
		b.mu.Lock()
		b.eachSubscription("callRoster", "call-000", func(p *fakeSocket, index int64) {
			p.sendMessage(fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":"p","updateType":"add","state":"connected","name":"Ada`+"\n"+`L"}]`, index))
		})
		b.mu.Unlock()
		r.wait(time.Minute)
		assert.Zero(t, r.Counter("otelcol_receiver_cmsevents_messages", "malformed"))
		assert.Equal(t, []string{`participant joined: Ada\nL in Board`}, r.bodies())
		assert.Equal(t, 1, b.count("subscribed callRoster"))
	})
}

// State and queue of a server that sends long text stay within their byte limits; ignored
// text is counted, and the component becomes unhealthy.
func TestHostileServer(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) {
		host = holdStatus(r)
		r.config.MaxStateSize, r.config.MaxQueueSize = 1<<20, 1<<20
		r.config.QueueSize = 1_000_000
		r.Logs = blockingConsumer{}
	}, func(r *harness) {
		b := r.bridges[0]
		e := participantElements("P")
		for i := range 40 {
			e[fmt.Sprintf("e%02d", i)] = strings.Repeat("x", 800)
		}
		addCalls(b, 1, 0)
		r.wait(time.Second)
		for i := range 500 {
			b.addParticipant("call-000", fmt.Sprintf("p%03d", i), e)
			if i%10 == 0 {
				r.wait(100 * time.Millisecond)
			}
		}
		r.wait(10 * time.Second)
		assert.LessOrEqual(t, r.Counter("otelcol_receiver_cmsevents_state_size"), int64(1<<20))
		assert.Greater(t, r.Counter("otelcol_receiver_cmsevents_state_size"), int64(1<<19))
		assert.LessOrEqual(t, r.Counter("otelcol_receiver_cmsevents_queue_memory"), int64(1<<20))
		assert.Greater(t, r.Counter("otelcol_receiver_cmsevents_untracked"), int64(400))
		assert.EqualValues(t, 1, r.problemGauge(problemStateFull))
		assert.Equal(t, 1, r.loggedProblems(problemStateFull))
		assert.Equal(t, "StatusRecoverableError", host.last.String())
		for i := range 500 {
			b.removeParticipant("call-000", fmt.Sprintf("p%03d", i), "")
		}
		r.wait(10 * time.Minute)
		assert.Zero(t, r.problemGauge(problemStateFull))
	})
}
