// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
  prometheus: { endpoint: %PAGE%, enable_open_metrics: true, resource_to_telemetry_conversion: { enabled: true } }
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
	for _, drill := range drills(t, "-target", "-mediasense-target", "-ocms") {
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
	rig.holdExemplars()
	if labels := hook.labels("CiscoMeetingServerRecordsMissing", "critical"); assert.NotEmpty(t, labels) {
		assert.Equal(t, "drill", labels["cisco_meeting_server_cluster"])
		assert.Regexp(t, "^d4111000-0000-4000-8000-[0-9a-f]{12}$", labels["service_instance_id"])
	}
}

// holdExemplars demands that the exemplars of legs that ended lead to their records.
func (rig *drillRig) holdExemplars() {
	t := rig.t
	t.Helper()
	spans := map[string]bool{}
	for _, record := range rig.collector.output() {
		spans[record.span] = true
	}
	var found []string
	require.Eventually(t, func() bool {
		found = rig.prometheus.exemplars("cisco_meeting_server_call_leg_duration_seconds_bucket", "span_id")
		return len(found) > 0
	}, waitFor, tick)
	for _, span := range found {
		assert.True(t, spans[span], "no record has the span %s", span)
	}
}

// drills reads from the list of callsim those that need one of some flags.
func drills(t *testing.T, flags ...string) (all []drill) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), binary("callsim"), "drill").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		require.Greater(t, len(fields), 4, line)
		if slices.Contains(flags, fields[3]) {
			all = append(all, drill{fields[0], fields[1], fields[2], fields[3], nil})
		}
	}
	require.NotEmpty(t, all)
	return all
}
