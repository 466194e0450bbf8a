// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// shortDrills are played in each run; LEGATO_DRILLS plays all (make drills).
var shortDrills = []string{"gap", "limit", "storage-emergency"}

// drillConfiguration has every receiver that a drill is for.
const drillConfiguration = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage, metrics: { interval: 200ms }, resource_attributes: { cisco.meeting_server.cluster: drill } }
  mediasense: { endpoint: "%MS%", metrics: { interval: 200ms }, resource_attributes: { cisco.meeting_server.cluster: drill } }
  ocms: { include: [ %DIR%/event.log ], start_at: beginning, metrics: { interval: 200ms }, resource_attributes: { cisco.meeting_server.cluster: drill } }
processors:
  callstitch: { linger: 1s, storage: file_storage }
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  prometheus: { endpoint: %PAGE%, resource_to_telemetry_conversion: { enabled: true } }
service:
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: localhost, port: %OWN% } } } } ] } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr, mediasense, ocms], processors: [callstitch], exporters: [file] }
    metrics: { receivers: [cmscdr, mediasense, ocms], exporters: [prometheus] }
`

// TestDrills lets each drill of callsim happen to a real Collector, whose metrics a real
// Prometheus reads with the rules of the mixin, and demands that the alert arrives at a
// webhook of a real Alertmanager, and that it resolves. The rules are the committed ones
// with all times divided by 60 (time_scale).
func TestDrills(t *testing.T) {
	alertmanager, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		if os.Getenv("LEGATO_REQUIRE_PROMETHEUS") != "" {
			t.Fatal("Alertmanager is not installed (Debian: apt-get install prometheus-alertmanager)")
		}
		t.Skip("Alertmanager is not installed (Debian: apt-get install prometheus-alertmanager)")
	}
	recorder := loopback.MustAddress(t)
	rig := newDrillRig(t, alertmanager, drillConfiguration, "%MS%", recorder)
	c, hook := rig.collector, rig.hook
	for _, drill := range drills(t) {
		if os.Getenv("LEGATO_DRILLS") == "" && !slices.Contains(shortDrills, drill.name) {
			continue
		}
		command := exec.CommandContext(t.Context(), binary("callsim"), "drill", drill.name, "-target", "http://"+c.address+"/cdr",
			"-mediasense-target", "http://"+recorder+"/mediasense", "-ocms", filepath.Join(c.directory, "event.log"), "-hold", "15s", "-settle", "4s")
		output := new(lockedBuffer)
		command.Stdout, command.Stderr = output, output
		rig.play(drill, func() { require.NoError(t, command.Start()) }, func() { assert.NoError(t, command.Wait(), "%s: %s", drill.name, output) })
	}
	t.Log(rig.table.String())
	if labels := hook.labels("CiscoMeetingServerRecordsMissing", "critical"); assert.NotEmpty(t, labels) {
		assert.Equal(t, "drill", labels["cisco_meeting_server_cluster"])
		assert.Equal(t, "d4111000-0000-4000-8000-000000000001", labels["service_instance_id"])
	}
}

// drillRig is a Collector with a Prometheus, an Alertmanager and a webhook behind it.
type drillRig struct {
	t          *testing.T
	collector  *collector
	prometheus *prometheus
	hook       *webhook
	table      strings.Builder
}

// newDrillRig starts all of it; replace fills the configuration in.
func newDrillRig(t *testing.T, alertmanager, configuration string, replace ...string) *drillRig {
	t.Helper()
	rig := &drillRig{t: t, hook: newWebhook(t)}
	own := loopback.MustAddress(t)
	_, ownPort, _ := strings.Cut(own, ":")
	rig.collector = newCollectorFrom(t, strings.NewReplacer(append(replace, "%OWN%", ownPort)...).Replace(configuration))
	rig.prometheus = newAlertingPrometheus(t, []map[string]any{
		{"job_name": "meetings", "honor_labels": true, "static_configs": targets(strings.TrimSuffix(strings.TrimPrefix(rig.collector.page, "http://"), "/metrics"))},
		{"job_name": "collector", "static_configs": targets(own)},
	}, scaledRules(t), startAlertmanager(t, alertmanager, rig.hook.server.URL))
	require.Eventually(t, func() bool { return rig.prometheus.series(`{job="collector"}`) > 0 }, waitFor, tick)
	fmt.Fprintf(&rig.table, "\n%-18s %-38s %10s %10s\n", "drill", "alert", "rings", "resolves")
	return rig
}

// play lets something go wrong and mends it once the alert has arrived. The alert must
// come and resolve.
func (rig *drillRig) play(d drill, goWrong, mend func()) {
	rig.t.Helper()
	firing := func() bool { return rig.hook.firing(d.alert, d.severity) }
	// Two drills can be about one alert: the one before must be over.
	require.Eventually(rig.t, func() bool { return !firing() }, waitFor, tick, d.name)
	begin := time.Now()
	goWrong()
	rang := assert.Eventually(rig.t, firing, 2*time.Minute, tick, "%s: %s (%s) does not ring", d.name, d.alert, d.severity)
	rings := time.Since(begin)
	mend()
	if !rang {
		rig.t.Logf("firing: %v", rig.prometheus.firing())
		return
	}
	mended := time.Now()
	assert.Eventually(rig.t, func() bool { return !firing() }, waitFor, tick, "%s: %s does not resolve", d.name, d.alert)
	fmt.Fprintf(&rig.table, "%-18s %-38s %9.0fs %9.0fs\n", d.name, d.alert, rings.Seconds(), time.Since(mended).Seconds())
}

// bridgesConfiguration follows the Call Bridges of callsim, and has a backend.
const bridgesConfiguration = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage, metrics: { interval: 200ms } }
  cmsevents: { servers: [ { endpoint: "http://%API%", username: api, password: x, tls: { insecure: true } } ], metrics: { interval: 200ms } }
  cmsapi: { collection_interval: 1s, initial_delay: 0s, cdr_receiver_uri: "http://%CDR%/cdr", servers: [ { endpoint: "http://%API%", username: api, password: x, tls: { insecure: true } } ] }
processors:
  callstitch: { linger: 1s, storage: file_storage }
exporters:
  otlp_http: { endpoint: "http://%BACKEND%", encoding: json, sending_queue: { queue_size: 100000, storage: file_storage }, retry_on_failure: { initial_interval: 100ms, max_interval: 1s, max_elapsed_time: 0 } }
  prometheus: { endpoint: %PAGE%, resource_to_telemetry_conversion: { enabled: true } }
service:
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: localhost, port: %OWN% } } } } ] } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr, cmsevents], processors: [callstitch], exporters: [otlp_http] }
    metrics: { receivers: [cmscdr, cmsevents, cmsapi], exporters: [prometheus] }
`

// TestDrillsAround is about what goes wrong around a Collector: a backend that is away, a
// bridge that falls silent, has an alarm or is down, a Collector that is down. It takes minutes and is
// part of make drills.
func TestDrillsAround(t *testing.T) {
	if os.Getenv("LEGATO_DRILLS") == "" {
		t.Skip("part of make drills: set LEGATO_DRILLS")
	}
	alertmanager, err := exec.LookPath("prometheus-alertmanager")
	require.NoError(t, err)
	api, backend := loopback.MustAddress(t), loopback.MustAddress(t)
	rig := newDrillRig(t, alertmanager, bridgesConfiguration, "%API%", api, "%BACKEND%", backend)
	simulate := func(arguments ...string) (stop func()) {
		command := exec.Command(binary("callsim"), append([]string{"-live", "-bridges", "1", "-speed", "2", "-target", "http://" + rig.collector.address + "/cdr", "-events", api}, arguments...)...)
		require.NoError(t, command.Start())
		return sync.OnceFunc(func() {
			_ = command.Process.Signal(syscall.SIGTERM)
			_ = command.Wait()
		})
	}
	stop := simulate()
	t.Cleanup(func() { stop() })

	rig.play(drill{"backend-down", "LegatoBackendDown", "warning"}, func() {}, func() {
		listener, err := net.Listen("tcp", backend)
		require.NoError(t, err)
		server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
	})
	rig.play(drill{"silent", "CiscoMeetingServerRecordsSilent", "critical"}, func() {
		stop()
		stop = simulate("-faults", "silent=5s")
	}, func() {
		stop()
		stop = simulate()
	})
	for _, down := range []drill{{"events-down", "CiscoMeetingServerEventsDisconnected", "warning"}, {"api-down", "CiscoMeetingServerAPIProblem", "warning"}} {
		rig.play(down, func() { stop() }, func() { stop = simulate() })
	}
	// Live legs lose packets, by the API.
	rig.play(drill{"live-loss", "CiscoMeetingServerPacketLossHigh", "critical"}, func() {
		stop()
		stop = simulate("-crowd", "2x15", "-faults", "packet-loss=1")
	}, func() {
		stop()
		stop = simulate("-crowd", "2x15")
	})
	// The bridge itself has an alarm while nobody takes its records.
	rig.play(drill{"api-alarm", "CiscoMeetingServerAlarmActive", "warning"}, func() {
		stop()
		stop = simulate("-target", "http://"+loopback.MustAddress(t)+"/cdr")
	}, func() {
		stop()
		stop = simulate()
	})
	rig.play(drill{"restart", "CiscoMeetingServerBridgeRestarted", "warning"}, func() {
		stop()
		stop = simulate()
	}, func() {})
	rig.play(drill{"collector-down", "LegatoCollectorDown", "critical"}, rig.collector.stop, rig.collector.start)
	t.Log(rig.table.String())
}

type drill struct{ name, alert, severity string }

// drills reads the list of callsim.
func drills(t *testing.T) (all []drill) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), binary("callsim"), "drill").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		require.Greater(t, len(fields), 3, line)
		all = append(all, drill{fields[0], fields[1], fields[2]})
	}
	require.Greater(t, len(all), 10)
	return all
}

// scaledRules makes the rules of the mixin with all times divided by 60.
func scaledRules(t *testing.T) (groups []ruleGroup) {
	t.Helper()
	directory := t.TempDir()
	config := filepath.Join(directory, "mixin.yaml")
	require.NoError(t, os.WriteFile(config, []byte("time_scale: 0.0166667\n"), 0o600))
	output, err := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(root, "mixin"), "run", "./cmd/mixin", "-config", config, "-out", directory).CombinedOutput()
	require.NoError(t, err, "%s", output)
	for _, file := range []string{"recordings.yaml", "alerts.yaml"} {
		content, err := os.ReadFile(filepath.Join(directory, file))
		require.NoError(t, err)
		var rules struct{ Groups []ruleGroup }
		require.NoError(t, yaml.Unmarshal(content, &rules))
		groups = append(groups, rules.Groups...)
	}
	return groups
}

// startAlertmanager starts Alertmanager with a webhook, and returns its address.
func startAlertmanager(t *testing.T, program, webhook string) string {
	t.Helper()
	directory, address := t.TempDir(), loopback.MustAddress(t)
	config := filepath.Join(directory, "alertmanager.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
route: { receiver: webhook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers: [ { name: webhook, webhook_configs: [ { url: %q, send_resolved: true } ] } ]
`, webhook), 0o600))
	var log lockedBuffer
	process := exec.Command(program, "--config.file="+config, "--storage.path="+filepath.Join(directory, "data"), "--web.listen-address="+address, "--cluster.listen-address=")
	process.Stderr = &log
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
		if t.Failed() {
			t.Logf("log of Alertmanager:\n%s", &log)
		}
	})
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitFor, tick, "Alertmanager is not ready:\n%s", &log)
	return address
}

// webhook keeps the newest state of each alert that arrives.
type webhook struct {
	server *httptest.Server
	mu     sync.Mutex
	alerts map[string]notification // by name, severity and labels
}

type notification struct {
	Status string
	Labels map[string]string
}

func newWebhook(t *testing.T) *webhook {
	t.Helper()
	w := &webhook{alerts: map[string]notification{}}
	w.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Alerts []notification }
		if !assert.NoError(t, json.NewDecoder(r.Body).Decode(&body)) {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, alert := range body.Alerts {
			w.alerts[fmt.Sprint(alert.Labels)] = alert
		}
	}))
	t.Cleanup(w.server.Close)
	return w
}

// firing tells whether an alert of a severity arrived and has not resolved.
func (w *webhook) firing(name, severity string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, alert := range w.alerts {
		if alert.Labels["alertname"] == name && alert.Labels["severity"] == severity && alert.Status == "firing" {
			return true
		}
	}
	return false
}

// labels returns those of an alert that arrived, nil if none did.
func (w *webhook) labels(name, severity string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, alert := range w.alerts {
		if alert.Labels["alertname"] == name && alert.Labels["severity"] == severity {
			return alert.Labels
		}
	}
	return nil
}
