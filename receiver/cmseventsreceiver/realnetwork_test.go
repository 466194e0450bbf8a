// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

const waitFor, tick = 10 * time.Second, 5 * time.Millisecond

// startTLSBridge starts a bridge with TLS and HTTP/2 on the real network.
func startTLSBridge(t *testing.T) (b *fakeBridge, config ServerConfig) {
	t.Helper()
	certificate := httptest.NewUnstartedServer(nil)
	certificate.EnableHTTP2 = true
	certificate.StartTLS()
	t.Cleanup(certificate.Close)
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	b = newFakeBridge(t, address, func() net.Listener { return tls.NewListener(listener, certificate.TLS) })
	config = serverConfig(address)
	config.HTTP.Endpoint = "https://" + address + "/"
	config.HTTP.TLS.Insecure = false
	config.HTTP.TLS.InsecureSkipVerify = true
	return b, config
}

// The receiver works over TLS and TCP, and no span contains the token.
func TestRealNetwork(t *testing.T) {
	b, server := startTLSBridge(t)
	addCalls(b, 3, 4)
	telemetry := componenttest.NewTelemetry()
	defer func() { _ = telemetry.Shutdown(context.WithoutCancel(t.Context())) }()
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	config := createDefaultConfig().(*Config)
	config.Servers = []ServerConfig{server}
	config.Metrics.Interval = 10 * time.Millisecond
	config.ResourceAttributes = map[string]string{"site": "here"}
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	logs, err := NewFactory().CreateLogs(t.Context(), set, config, sink)
	require.NoError(t, err)
	gauges, err := NewFactory().CreateMetrics(t.Context(), set, config, metrics)
	require.NoError(t, err)
	assert.Same(t, logs, gauges, "one instance for both signals")
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, gauges.Start(t.Context(), componenttest.NewNopHost()))
	assert.Eventually(t, func() bool { return sink.LogRecordCount() == 3+3+12 }, waitFor, tick)
	assert.Eventually(t, func() bool {
		all := metrics.AllMetrics()
		return len(all) > 0 && all[len(all)-1].DataPointCount() == 6
	}, waitFor, tick)
	resource := sink.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw()
	_, port, err := net.SplitHostPort(b.address)
	require.NoError(t, err)
	assert.Equal(t, "here", resource["site"])
	assert.Equal(t, b.address, resource[names.ServiceInstanceID])
	assert.Equal(t, port, fmt.Sprint(resource[names.ServerPort]))

	ctx := context.WithoutCancel(t.Context())
	require.NoError(t, logs.Shutdown(ctx))
	require.NoError(t, gauges.Shutdown(ctx))
	assert.Eventually(t, func() bool { return len(b.peers()) == 0 }, waitFor, tick, "the sockets are closed")
	assert.NotEmpty(t, telemetry.SpanRecorder.Ended())
	for _, span := range telemetry.SpanRecorder.Ended() {
		for _, kv := range span.Attributes() {
			assert.NotContains(t, kv.Value.String(), "token-")
		}
	}
}

// TestLimit compares one request for 99 subscriptions with the fixture: it is one
// unfragmented frame.
func TestLimit(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(fixtures, "limit-99-subscriptions.jsonl"))
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(content), "\n")
	var want struct{ Frame frame }
	require.NoError(t, json.Unmarshal([]byte(first), &want))
	runInBubble(t, 1, func(r *harness) { r.bridges[0].setFaults(func(f *faults) { f.withholdAcks = true }) }, func(r *harness) {
		b := r.bridges[0]
		for _, s := range want.Frame.Message.Subscriptions {
			if s.Type == "callRoster" {
				b.addCall(s.Call, callElements("corr-"+s.Call))
			}
		}
		b.setFaults(func(f *faults) { f.withholdAcks = false })
		r.wait(20 * time.Second)
		got := map[string]bool{}
		for _, p := range b.peers() {
			for _, s := range p.subs {
				got[s.kind+" "+s.call] = true
			}
		}
		for _, s := range want.Frame.Message.Subscriptions {
			assert.Contains(t, got, s.Type+" "+s.Call)
		}
		assert.Len(t, got, 99)
		assert.Equal(t, 99, b.count("subscriptions"))
		assert.Greater(t, r.network.largest, 20_000)
		assert.LessOrEqual(t, b.count("request"), 4, "calls that begin at once share a request")
	})
}

// statusRecorder records the reported status events.
type statusRecorder struct {
	component.Host
	events chan *componentstatus.Event
}

func (h *statusRecorder) Report(e *componentstatus.Event) { h.events <- e }

func (h *statusRecorder) drain() (all []string) {
	for {
		select {
		case e := <-h.events:
			all = append(all, e.Status().String())
		default:
			return all
		}
	}
}

// The component status covers all servers together and is reported on change.
func TestStatus(t *testing.T) {
	var host *statusRecorder
	runInBubble(t, 2, func(r *harness) {
		host = &statusRecorder{componenttest.NewNopHost(), make(chan *componentstatus.Event, 100)}
		r.Host = host
	}, func(r *harness) {
		r.wait(time.Minute)
		assert.Empty(t, host.drain())
		r.bridges[0].stop()
		r.wait(time.Minute)
		assert.Equal(t, []string{"StatusRecoverableError", "StatusRecoverableError"}, host.drain(), "lost, then unreachable")
		r.bridges[1].stop()
		r.wait(time.Minute)
		host.drain()
		r.bridges[0].start()
		r.wait(time.Minute)
		assert.Empty(t, host.drain(), "one is not there yet")
		r.bridges[1].start()
		r.wait(time.Minute)
		assert.Equal(t, []string{"StatusOK"}, host.drain())
	})
}
