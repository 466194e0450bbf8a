// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
	"github.com/legato-otel/legato/internal/testkit/secrets"
)

const head = "2024-03-05T16:50:25.736 user.info cms-n1 host:server: INFO : "

// Lines come by each way, with the resource of their bridge.
func TestTransports(t *testing.T) {
	for name, send := range map[string]func(*harness){
		"udp":                 func(r *harness) { r.udp(head + "text") },
		"udp, two lines":      func(r *harness) { r.udp(head + "text\n\n") },
		"tcp, line end":       func(r *harness) { r.tcp(head + "text\n") },
		"tcp, no line end":    func(r *harness) { r.tcp(head + "text") },
		"tcp, octet counting": func(r *harness) { r.tcp(fmt.Sprintf("%d <14>%stext", len("<14>"+head+"text"), head)) },
		"file":                nil,
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			r := newHarness(t, func(r *harness) {
				r.Logs = sink
				r.config.Servers = []ServerConfig{{Host: "CMS-N1", CallBridge: "bridge-1", ResourceAttributes: map[string]string{"site": "north"}}}
				r.config.ResourceAttributes = map[string]string{"site": "all", "service.namespace": "video"}
				if send == nil {
					r.file(head + "text\n")
					return
				}
				r.config.TCP.AddAttributes = true
			})
			if send != nil {
				send(r)
			}
			lr := wait(t, sink, 1)[0]
			assert.Equal(t, "text", lr.Body().Str())
			assert.Equal(t, names.EventSyslogLine, lr.EventName())
			assert.Equal(t, plog.SeverityNumberInfo, lr.SeverityNumber())
			assert.Equal(t, "INFO", lr.SeverityText())
			assert.Equal(t, "2024-03-05T16:50:25.736Z", lr.Timestamp().AsTime().Format(time.RFC3339Nano))
			assert.Equal(t, "host:server", attributeOf(lr, names.SyslogTag))
			if file, _ := attributeOf(lr, names.LogFilePath).(string); send == nil {
				assert.Equal(t, r.config.File.Include[0], file)
			}
			resource := sink.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw()
			if strings.HasPrefix(name, "tcp") {
				assert.Contains(t, []any{"127.0.0.1", "::1"}, resource[names.ClientAddress])
				delete(resource, names.ClientAddress)
			}
			assert.Equal(t, map[string]any{
				"service.name": "cisco-meeting-server", "service.instance.id": "bridge-1", "cisco.meeting_server.call_bridge.id": "bridge-1",
				"host.name": "cms-n1", "site": "north", "service.namespace": "video",
			}, resource)
		})
	}
}

func TestResource(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Servers = []ServerConfig{{Host: "192.0.2.7", CallBridge: "bridge-7"}}
	all := newResources(config)
	for _, row := range []struct {
		of       bridge
		instance string
		named    bool
	}{
		{bridge{"cms1", ""}, "cms1", false},
		{bridge{"cms1", "192.0.2.1"}, "cms1", false},
		{bridge{"", "192.0.2.1"}, "192.0.2.1", false},
		{bridge{"cms1", "192.0.2.7"}, "bridge-7", true},
		{bridge{"", ""}, "", false},
		{bridge{"cms\xff", ""}, "cms\ufffd", false},
	} {
		r := all.resourceOf(row.of)
		got := ""
		for _, kv := range r.attributes {
			if kv.Key == names.ServiceInstanceID {
				got = kv.Value.AsString()
			}
		}
		assert.Equal(t, row.instance, got)
		assert.Equal(t, row.named, r.named)
		assert.Same(t, r, all.resourceOf(row.of))
		set := r.metricAttributes()
		assert.False(t, set.HasValue(names.ClientAddress))
	}
	for i := range 10 * maxResources {
		all.resourceOf(bridge{host: strconv.Itoa(i)})
		require.LessOrEqual(t, len(all.cache), maxResources)
	}
}

// A request ends when its time is up, though no line comes.
func TestRequestEndsByTime(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; r.config.Requests.TraceTimeout = 100 * time.Millisecond })
	r.udp(head + `API trace 9: GET for "/api/v1/calls" (from 192.0.2.1)`)
	r.udp(head + "API trace 9: sending 200 response, size 0")
	lr := wait(t, sink, 1)[0]
	assert.Equal(t, names.EventAPIRequest, lr.EventName())
	assert.EqualValues(t, 200, attributeOf(lr, names.HTTPResponseStatusCode))
	assert.Nil(t, attributeOf(lr, names.APIIncomplete))
}

// A stop passes on what is open.
func TestStopFlushes(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) { r.Logs, r.Metrics = sink, metrics; r.config.FlushInterval = time.Hour })
	r.udp(head + `API trace 9: GET for "/api/v1/calls" (from 192.0.2.1)`)
	require.Eventually(t, func() bool { return r.Counter("otelcol_receiver_cmssyslog_lines", "udp") == 1 }, waitFor, tick)
	r.Stop()
	lr := wait(t, sink, 1)[0]
	assert.Equal(t, "no_response", attributeOf(lr, names.APIIncomplete))
	assert.Equal(t, map[string]float64{"/api/v1/calls GET none ": 1, "/api/v1/calls 5xx GET ": 0}, points(metrics.AllMetrics(), names.MetricAPIRequests))
}

// What the pipeline refuses for now comes again, each record once and in order.
func TestRefusedForNow(t *testing.T) {
	sink := new(consumertest.LogsSink)
	var refusals sync.Mutex
	left := 3
	r := newHarness(t, func(r *harness) {
		r.Logs = must(consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
			refusals.Lock()
			defer refusals.Unlock()
			if left--; left >= 0 {
				logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true }) // a consumer may
				return errors.New("sending queue is full")
			}
			return sink.ConsumeLogs(ctx, logs)
		}))
		r.config.MaxBatchRecords = 2
	})
	r.tcp(head + "1\n" + head + "2\n" + head + "3\n" + head + "4\n" + head + "5\n")
	for i, lr := range wait(t, sink, 5) {
		assert.Equal(t, strconv.Itoa(i+1), lr.Body().Str())
	}
	assert.EqualValues(t, 5, r.Counter("otelcol_receiver_cmssyslog_records", "accepted"))
	assert.Positive(t, r.Counter("otelcol_receiver_cmssyslog_records", "refused"))
	assert.Zero(t, r.Counter("otelcol_receiver_cmssyslog_records", "lost"))
}

// A record that the pipeline refuses permanently costs no other one.
func TestRefusedPermanently(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		r.Metrics = metrics
		r.Logs = must(consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
			for _, lr := range receiverkit.Records([]plog.Logs{logs}) {
				if lr.Body().Str() == "bad" {
					return consumererror.NewPermanent(errors.New("too large"))
				}
			}
			return sink.ConsumeLogs(ctx, logs)
		}))
		r.file(strings.Repeat(head+"good\n", 20) + head + "bad\n" + strings.Repeat(head+"good\n", 20))
	})
	wait(t, sink, 40)
	require.Eventually(t, func() bool { return r.Counter("otelcol_receiver_cmssyslog_records", "lost") == 1 }, waitFor, tick)
	assert.EqualValues(t, 40, r.Counter("otelcol_receiver_cmssyslog_records", "accepted"))
	r.Stop()
	assert.Equal(t, map[string]float64{"INFO line ": 40}, points(metrics.AllMetrics(), names.MetricSyslogRecords))
}

// Lines of a file that a stop leaves are read again after the start; those that were
// taken before are not.
func TestFileIsReadAgain(t *testing.T) {
	store, sink := testkit.NewStorage(), new(consumertest.LogsSink)
	var refuse sync.Mutex
	busy := true
	refused := make(chan struct{}, 1000)
	logs := must(consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
		refuse.Lock()
		defer refuse.Unlock()
		if busy {
			refused <- struct{}{}
			return errors.New("busy")
		}
		return sink.ConsumeLogs(ctx, logs)
	}))
	id := component.MustNewID("file_storage")
	r := newHarness(t, func(r *harness) {
		r.Logs, r.Host = logs, testkit.Host{id: store}
		r.config.Storage, r.config.ShutdownTimeout = &id, 200*time.Millisecond
		r.file(head + "1\n" + head + "2\n")
	})
	<-refused
	r.Stop()
	assert.Zero(t, sink.LogRecordCount())
	assert.Zero(t, store.Open())
	refuse.Lock()
	busy = false
	refuse.Unlock()
	for range 2 {
		r.Start()
		require.Eventually(t, func() bool { return sink.LogRecordCount() == 2 }, waitFor, tick)
		r.Stop()
	}
	assert.Equal(t, 2, sink.LogRecordCount(), "what was taken is not read again")
}

// No byte of logs, metrics or the Collector's own log holds a secret.
func TestNoSecretLeaves(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	text := fixture(t, "cms-api/syslog-api-trace.log")
	text = strings.ReplaceAll(text, "2a78aad6-4767-4cef-83a8-566fe076a996", secrets.Secret)
	text = strings.ReplaceAll(text, "passcode=********", "passcode="+secrets.Secret)
	lines := []string{text}
	for _, element := range secrets.XML {
		lines = append(lines, head+element+"\n", element+"\n")
	}
	text = strings.Join(lines, "")
	r := newHarness(t, func(r *harness) { r.Logs, r.Metrics = sink, metrics; r.file(text) })
	require.Eventually(t, func() bool {
		return r.Counter("otelcol_receiver_cmssyslog_lines") >= int64(strings.Count(text, "\n"))
	}, waitFor, tick)
	r.Stop()
	var all strings.Builder
	for _, logs := range sink.AllLogs() {
		content, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		all.Write(content)
	}
	for _, m := range metrics.AllMetrics() {
		fmt.Fprint(&all, points(append(metrics.AllMetrics()[:0:0], m), names.MetricSyslogRedacted))
	}
	for _, entry := range r.Log.All() {
		fmt.Fprint(&all, entry.Message, entry.ContextMap())
	}
	assert.False(t, secrets.In(all.String()))
	assert.Greater(t, strings.Count(all.String(), "REDACTED"), 20)
}

// Hosts that a stranger makes up push out no metrics of a bridge that servers names.
func TestMadeUpHosts(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	var text strings.Builder
	text.WriteString(head + "text\n")
	for i := range 1000 {
		text.WriteString(strings.Replace(head, "cms-n1", fmt.Sprint("x", i), 1) + "text\n")
	}
	r := newHarness(t, func(r *harness) {
		r.Logs, r.Metrics = sink, metrics
		r.config.Servers = []ServerConfig{{Host: "cms-n1", CallBridge: "bridge-1"}}
		r.file(text.String())
	})
	wait(t, sink, 1001)
	r.Stop()
	last := metrics.AllMetrics()[len(metrics.AllMetrics())-1]
	assert.LessOrEqual(t, last.ResourceMetrics().Len(), 1+maxUnnamedBridges)
	held := false
	for _, rm := range last.ResourceMetrics().All() {
		id, _ := rm.Resource().Attributes().Get(names.ServiceInstanceID)
		held = held || id.Str() == "bridge-1"
	}
	assert.True(t, held)
}

// Metrics of the seed's log, by hand.
func TestMetrics(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs, r.Metrics = sink, metrics
		r.file(fixture(t, "cms-api/syslog-api-trace.log"))
	})
	require.Eventually(t, func() bool { return r.Counter("otelcol_receiver_cmssyslog_lines", "file") == 82 }, waitFor, tick)
	r.Stop()
	all := metrics.AllMetrics()
	want := map[string]float64{
		"/api/v1/system/status GET 2xx ": 1, "/api/v1/callBridges GET 2xx ": 1, "/api/v1/callProfiles 2xx POST ": 1,
		"/api/v1/coSpaceBulkParameterSets 2xx POST ": 1, "/api/v1/participants GET 2xx ": 1, "/api/v1/coSpaces 4xx GET ": 1,
		"/api/v1/coSpaces/{id} 2xx PUT ": 1, "/api/v1/calls 2xx POST ": 1, "/api/v1/callLegs 2xx GET ": 1,
		"/api/v1/calls/{id}/callLegs 2xx POST ": 1, "/api/v1/calls/{id} 2xx DELETE ": 1,
	}
	sorted := make(map[string]float64)
	for labels, n := range want {
		parts := map[string]any{}
		for i, part := range strings.Fields(labels) {
			parts[strconv.Itoa(i)] = part
		}
		sorted[textOf(parts)] = n
		// An alert is about the failures on each route: their series is there before them.
		for i, part := range parts {
			if part == "2xx" || part == "4xx" {
				parts[i] = serverError
			}
		}
		sorted[textOf(parts)] = 0
	}
	assert.Equal(t, sorted, points(all, names.MetricAPIRequests))
	assert.Equal(t, map[string]float64{"created ": 4, "modified ": 1, "deleted ": 1}, points(all, names.MetricAPIAudits))
	assert.Equal(t, map[string]float64{
		"handshake_error ": 1, "unencrypted_fallback ": 1,
		"recorder_missing ": 0, "nfs_mount_failed ": 0, "database_fatal ": 0, "c2w_down ": 0, "sso_error ": 0,
	}, points(all, names.MetricSyslogFaults))
	assert.Equal(t, map[string]float64{"": 1}, points(all, names.MetricSyslogRedacted))
	requests := 0.0
	for _, n := range points(all, names.MetricAPIRequestDuration) {
		requests += n
	}
	assert.EqualValues(t, 11, requests)
	assert.EqualValues(t, 11, r.Counter("otelcol_receiver_cmssyslog_requests", "complete"))
	assert.EqualValues(t, 11, r.Counter("otelcol_receiver_cmssyslog_requests"))
}

// All bounded series of a bridge are there with its first record, at 0.
func TestCountersBeginAtZero(t *testing.T) {
	sink, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) { r.Logs, r.Metrics = sink, metrics })
	r.udp(head + "a line about nothing")
	wait(t, sink, 1)
	r.Stop()
	all := metrics.AllMetrics()
	assert.Equal(t, map[string]float64{"": 0}, points(all, names.MetricSyslogRedacted))
	assert.Equal(t, map[string]float64{"created ": 0, "modified ": 0, "deleted ": 0}, points(all, names.MetricAPIAudits))
	assert.Equal(t, map[string]float64{
		"handshake_error ": 0, "unencrypted_fallback ": 0, "recorder_missing ": 0, "nfs_mount_failed ": 0,
		"database_fatal ": 0, "c2w_down ": 0, "sso_error ": 0,
	}, points(all, names.MetricSyslogFaults))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
