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
)

const ownGUID = "d80df859-cbc0-44ee-8611-449ab1bf39d7"

// clustered makes a bridge say that it is cms2, on the second page of its cluster.
func clustered(f *faults) {
	f.name = "cms2"
	f.bridges = map[string]string{
		"":  `<callBridges total="3"><callBridge id="a"><name>cms1</name></callBridge><callBridge id="b"><name>cms22</name></callBridge></callBridges>`,
		"2": `<callBridges total="3"><callBridge id="` + ownGUID + `"><name>cms2</name></callBridge></callBridges>`,
	}
}

// resources are the resources of all records and metrics so far.
func resources(r *rig, metrics *consumertest.MetricsSink) (logs, points []map[string]any) {
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

// A bridge of a cluster is named by its GUID, as its call detail records name it,
// from the first record on; one without is named by host and port.
func TestIdentity(t *testing.T) {
	f := func(change func(*faults), instance string, more map[string]any) {
		t.Helper()
		metrics := new(consumertest.MetricsSink)
		bubble(t, 1, func(r *rig) {
			r.metrics = metrics
			r.config.ResourceAttributes = map[string]string{"service.namespace": "all", "deployment.environment.name": "lab"}
			r.config.Servers[0].ResourceAttributes = map[string]string{"service.namespace": "one"}
			r.bridges[0].set(change)
		}, func(r *rig) {
			busy(r.bridges[0], 1, 1)
			right(r, 10*time.Second, gauges{calls: 1, participants: 1})
			r.settle(r.config.Metrics.Interval)
			want := map[string]any{
				names.ServiceName: names.MeetingServerService, names.ServiceInstanceID: instance,
				names.ServerAddress: "cms1.example.test", names.ServerPort: int64(8443),
				"service.namespace": "one", "deployment.environment.name": "lab",
			}
			maps.Copy(want, more)
			logs, points := resources(r, metrics)
			require.NotEmpty(r.t, logs)
			require.NotEmpty(r.t, points)
			for _, got := range append(logs, points...) {
				assert.Equal(r.t, want, got)
			}
			// It is asked once.
			asked := r.bridges[0].count("bridges")
			r.bridges[0].drop()
			r.settle(time.Minute)
			assert.Equal(r.t, asked, r.bridges[0].count("bridges"))
		})
	}
	const byAddress = "cms1.example.test:8443"
	f(clustered, ownGUID, map[string]any{names.CallBridgeID: ownGUID})
	f(func(*faults) {}, byAddress, nil)
	f(func(f *faults) { f.name, f.bridges = "cms1", map[string]string{"": `<callBridges total="0"/>`} }, byAddress, nil)
	f(func(f *faults) { f.name, f.bridges = "cms1", map[string]string{"": `{}`} }, byAddress, nil)
	f(func(f *faults) { clustered(f); f.name = "cms9" }, byAddress, nil)
}

// A bridge that says later who it is keeps one resource at a time.
func TestIdentityLearntLate(t *testing.T) {
	metrics := new(consumertest.MetricsSink)
	bubble(t, 1, func(r *rig) { r.metrics = metrics }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 10*time.Second, gauges{calls: 1, participants: 1})
		r.settle(identityInterval / 2)
		b.stop()
		b.set(clustered)
		r.settle(identityInterval / 2)
		b.start()
		r.settle(time.Minute)
		r.forget()
		metrics.Reset()
		b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
		r.settle(time.Minute)
		logs, points := resources(r, metrics)
		require.NotEmpty(t, logs)
		require.NotEmpty(t, points)
		for _, got := range append(logs, points...) {
			assert.Equal(t, ownGUID, got[names.ServiceInstanceID])
		}
	})
}

// A bridge that says who it is while its connection lasts is asked by the watch.
func TestIdentityLearntWithoutAReconnect(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 10*time.Second, gauges{calls: 1, participants: 1})
		b.set(clustered)
		r.settle(identityInterval + watchInterval)
		r.forget()
		b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
		r.settle(time.Minute)
		logs, _ := resources(r, new(consumertest.MetricsSink))
		require.NotEmpty(t, logs)
		for _, got := range logs {
			assert.Equal(t, ownGUID, got[names.ServiceInstanceID])
		}
		asked := b.count("bridges")
		r.settle(time.Hour)
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

// An extension can stand for username and password.
func TestAuthExtension(t *testing.T) {
	config, err := load(t, map[string]any{"servers": []any{map[string]any{
		"endpoint": "http://cms1.example.test:8443", "tls": map[string]any{"insecure": true}, "auth": map[string]any{"authenticator": "signer"},
	}}})
	require.NoError(t, err)
	bubble(t, 1, func(r *rig) {
		r.config.Servers = config.Servers
		r.host = extendedHost{r.host, map[component.ID]component.Component{component.MustNewID("signer"): signer{}}}
	}, func(r *rig) {
		busy(r.bridges[0], 1, 1)
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
		assert.Zero(t, r.bridges[0].count("unauthorized"))
	})
}

// Credentials come from one place, and from one at least.
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
	f(map[string]any{"auth": auth, "timeout": "0s"}, "timeout must be positive, got 0s")
}

// In self-telemetry the server's address is its host alone.
func TestServerAddress(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		r.settle(time.Second)
		var data metricdata.ResourceMetrics
		require.NoError(t, r.reader.Collect(context.WithoutCancel(t.Context()), &data))
		seen := 0
		for _, scope := range data.ScopeMetrics {
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

// A negative number of participants is shown as it came, and control characters in
// a name do not break a line.
func TestOddValues(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		e := board("x")
		e["participants"], e["name"] = -1, "Two\nlines\t\x01"
		r.bridges[0].addCall("c", e)
		r.settle(time.Second)
		all := records(r.sink.AllLogs())
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

// A raw line break in a name is read as it stands: nothing is asked for anew.
func TestRawLineBreak(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
		r.forget()
		b.mu.Lock()
		b.each("callRoster", "call-000", func(p *peer, index int64) {
			p.message(fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":"p","updateType":"add","state":"connected","name":"Ada`+"\n"+`L"}]`, index))
		})
		b.mu.Unlock()
		r.settle(time.Minute)
		assert.Zero(t, r.counter("otelcol_receiver_cmsevents_messages", "malformed"))
		assert.Equal(t, []string{`participant joined: Ada\nL in Board`}, r.bodies())
		assert.Equal(t, 1, b.count("subscribed callRoster"))
	})
}

// A server that fills its participants with text is bounded in bytes, in state and
// queue; what is left out is counted, and the health tells.
func TestHostileServer(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) {
		host = observed(r)
		r.config.MaxStateSize, r.config.MaxQueueSize = 1<<20, 1<<20
		r.config.QueueSize = 1_000_000
		r.logs = blocked{}
	}, func(r *rig) {
		b := r.bridges[0]
		e := person("P")
		for i := range 40 {
			e[fmt.Sprintf("e%02d", i)] = strings.Repeat("x", 800)
		}
		busy(b, 1, 0)
		r.settle(time.Second)
		for i := range 500 {
			b.addParticipant("call-000", fmt.Sprintf("p%03d", i), e)
			if i%10 == 0 {
				r.settle(100 * time.Millisecond)
			}
		}
		r.settle(10 * time.Second)
		assert.LessOrEqual(t, r.counter("otelcol_receiver_cmsevents_state_size"), int64(1<<20))
		assert.Greater(t, r.counter("otelcol_receiver_cmsevents_state_size"), int64(1<<19))
		assert.LessOrEqual(t, r.counter("otelcol_receiver_cmsevents_queue_memory"), int64(1<<20))
		assert.Greater(t, r.counter("otelcol_receiver_cmsevents_untracked"), int64(400))
		assert.EqualValues(t, 1, r.problem(problemStateFull))
		assert.Equal(t, 1, r.logged(problemStateFull))
		assert.Equal(t, "StatusRecoverableError", host.last.String())
		for i := range 500 {
			b.removeParticipant("call-000", fmt.Sprintf("p%03d", i), "")
		}
		r.settle(10 * time.Minute)
		assert.Zero(t, r.problem(problemStateFull))
	})
}
