// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
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
	hook := newWebhook(t)
	own, recorder := loopback.MustAddress(t), loopback.MustAddress(t)
	_, ownPort, _ := strings.Cut(own, ":")
	c := newCollectorFrom(t, strings.NewReplacer("%MS%", recorder, "%OWN%", ownPort).Replace(drillConfiguration))
	alerting := startAlertmanager(t, alertmanager, hook.server.URL)
	p := newAlertingPrometheus(t, []map[string]any{
		{"job_name": "meetings", "honor_labels": true, "static_configs": targets(strings.TrimSuffix(strings.TrimPrefix(c.page, "http://"), "/metrics"))},
		{"job_name": "collector", "static_configs": targets(own)},
	}, scaledRules(t), alerting)
	require.Eventually(t, func() bool { return p.series(`{job="collector"}`) > 0 }, waitFor, tick)

	var table strings.Builder
	fmt.Fprintf(&table, "\n%-18s %-38s %10s %10s\n", "drill", "alert", "rings", "resolves")
	for _, drill := range drills(t) {
		if os.Getenv("LEGATO_DRILLS") == "" && !slices.Contains(shortDrills, drill.name) {
			continue
		}
		// Two drills can be about one alert: the one before must be over.
		require.Eventually(t, func() bool { return !hook.firing(drill.alert, drill.severity) }, waitFor, tick, drill.name)
		begin := time.Now()
		command := exec.CommandContext(t.Context(), binary("callsim"), "drill", drill.name, "-target", "http://"+c.address+"/cdr",
			"-mediasense-target", "http://"+recorder+"/mediasense", "-ocms", filepath.Join(c.directory, "event.log"), "-hold", "15s", "-settle", "4s")
		output := new(lockedBuffer)
		command.Stdout, command.Stderr = output, output
		require.NoError(t, command.Start())
		rang := assert.Eventually(t, func() bool { return hook.firing(drill.alert, drill.severity) }, 2*time.Minute, tick, "%s: %s (%s) does not ring; firing: %v", drill.name, drill.alert, drill.severity, p.firing())
		rings := time.Since(begin)
		assert.NoError(t, command.Wait(), "%s: %s", drill.name, output)
		if !rang {
			continue
		}
		assert.Equal(t, drill.severity, hook.labels(drill.alert, drill.severity)["severity"])
		assert.Eventually(t, func() bool { return !hook.firing(drill.alert, drill.severity) }, waitFor, tick, "%s: %s does not resolve", drill.name, drill.alert)
		fmt.Fprintf(&table, "%-18s %-38s %9.0fs %9.0fs\n", drill.name, drill.alert, rings.Seconds(), time.Since(begin).Seconds()-rings.Seconds())
	}
	t.Log(table.String())
	if labels := hook.labels("CiscoMeetingServerRecordsMissing", "critical"); assert.NotEmpty(t, labels) {
		assert.Equal(t, "drill", labels["cisco_meeting_server_cluster"])
		assert.Equal(t, "d4111000-0000-4000-8000-000000000001", labels["service_instance_id"])
	}
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
