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

// drillRig is a Collector with a Prometheus, an Alertmanager and a webhook behind it.
type drillRig struct {
	t          *testing.T
	collector  *collector
	prometheus *prometheus
	hook       *webhook
	expected   map[string]bool // alerts that a drill so far may have rung
	table      strings.Builder
}

// newDrillRig starts all of it; replace fills the configuration in.
func newDrillRig(t *testing.T, alertmanager, configuration string, replace ...string) *drillRig {
	t.Helper()
	return newWrappedDrillRig(t, alertmanager, nil, configuration, replace...)
}

// newWrappedDrillRig does so with a Collector that another program executes.
func newWrappedDrillRig(t *testing.T, alertmanager string, wrapper []string, configuration string, replace ...string) *drillRig {
	t.Helper()
	rig := &drillRig{t: t, hook: newWebhook(t), expected: map[string]bool{}}
	own := loopback.MustAddress(t)
	_, ownPort, _ := strings.Cut(own, ":")
	rig.collector = newWrappedCollector(t, wrapper, strings.NewReplacer(append(replace, "%OWN%", ownPort)...).Replace(configuration))
	rig.prometheus = newAlertingPrometheus(t, []map[string]any{
		{"job_name": "meetings", "honor_labels": true, "static_configs": targets(strings.TrimSuffix(strings.TrimPrefix(rig.collector.page, "http://"), "/metrics"))},
		{"job_name": "collector", "static_configs": targets(own)},
	}, scaledRules(t), startAlertmanager(t, alertmanager, rig.hook.server.URL))
	require.Eventually(t, func() bool { return rig.prometheus.series(`{job="collector"}`) > 0 }, waitFor, tick)
	fmt.Fprintf(&rig.table, "\n%-18s %-38s %10s %10s\n", "drill", "alert", "rings", "resolves")
	return rig
}

// drill is an alert that must ring, and the other alerts that the same cause may ring. flag
// is the one that callsim drill needs for it.
type drill struct {
	name, alert, severity, flag string
	also                        []string
}

// play lets something go wrong and mends it once the alert has arrived. The alert must
// come and resolve, and no alert may come that is neither the drill's own nor in also. An
// alert of a former drill is not counted again: windows of an hour outlast it.
func (rig *drillRig) play(d drill, goWrong, mend func()) {
	rig.t.Helper()
	firing := func() bool { return rig.hook.firing(d.alert, d.severity) }
	// Two drills can be about one alert: the one before must be over.
	require.Eventually(rig.t, func() bool { return !firing() }, waitFor, tick, d.name)
	rig.expect(append([]string{d.alert}, d.also...)...)
	goWrong()
	begin := time.Now()
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
	for _, name := range rig.hook.names() {
		assert.True(rig.t, rig.expected[name], "%s: the alert %s arrived too", d.name, name)
		rig.expect(name)
	}
}

// playing is a run of callsim drill.
type playing struct {
	rig     *drillRig
	drill   drill
	process *exec.Cmd
	output  *lockedBuffer
}

// startDrill starts callsim drill against the Collector of the rig.
func (rig *drillRig) startDrill(d drill, arguments ...string) *playing {
	rig.t.Helper()
	p := &playing{rig, d, exec.Command(binary("callsim"), append([]string{"drill", d.name, "-target", "http://" + rig.collector.address + "/cdr"}, arguments...)...), new(lockedBuffer)}
	p.process.Stdout, p.process.Stderr = p.output, p.output
	require.NoError(rig.t, p.process.Start())
	rig.t.Cleanup(func() { _ = p.process.Process.Kill() })
	return p
}

// until waits until the drill reports something.
func (p *playing) until(line string) func() {
	return func() {
		p.rig.t.Helper()
		require.Eventually(p.rig.t, func() bool { return strings.Contains(p.output.String(), line) }, 2*time.Minute, tick, "%s: %s", p.drill.name, p.output)
	}
}

// stop ends a drill whose failure is over.
func (p *playing) stop() {
	p.rig.t.Helper()
	_ = p.process.Process.Signal(syscall.SIGTERM)
	assert.NoError(p.rig.t, p.process.Wait(), "%s: %s", p.drill.name, p.output)
}

// expect adds alerts that may arrive from now on.
func (rig *drillRig) expect(alerts ...string) {
	for _, name := range alerts {
		rig.expected[name] = true
	}
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

// firing reports whether an alert of a severity arrived and has not resolved.
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

// names returns the names of all alerts that ever arrived.
func (w *webhook) names() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, alert := range w.alerts {
		all = append(all, alert.Labels["alertname"])
	}
	return all
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
