// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

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

// TestDrillsAround plays the drills of what is around a Collector: a backend that is away, a
// bridge that falls silent, has an alarm, loses packets or is down, a database node that is
// down, a licence that expires; and a Collector that is down.
func TestDrillsAround(t *testing.T) {
	alertmanager := allDrills(t)
	api, backend := loopback.MustAddress(t), loopback.MustAddress(t)
	rig := newDrillRig(t, alertmanager, bridgesConfiguration, "%API%", api, "%BACKEND%", backend)
	rig.expect(simulated...)
	// Between two drills the bridge is away. Each change is a restart of the bridge, and at
	// twice the speed its clock is soon off.
	rig.expect("CiscoMeetingServerEventsDisconnected", "CiscoMeetingServerAPIProblem", "CiscoMeetingServerBridgeRestarted", "CiscoMeetingServerClockSkew")
	// The backend of the first drill stays, and takes everything.
	for _, drill := range drills(t, "-backend") {
		run := rig.startDrill(drill, "-backend", backend, "-hold", "20s")
		defer run.stop()
		rig.play(drill, run.until("the failure begins"), run.until("the failure is over"))
	}
	also := map[string][]string{
		"silent":    {"CiscoMeetingServerRecordsIncomplete"},
		"api-alarm": {"CiscoMeetingServerReceiverNotRegistered"}, // the bridge posts to another URI
	}
	hold := map[string]string{"silent": "35s"}
	for _, drill := range drills(t, "-events") {
		drill.also = also[drill.name]
		run := rig.startDrill(drill, "-events", api, "-speed", "2", "-settle", "10s", "-hold", cmp.Or(hold[drill.name], "15s"))
		rig.play(drill, run.until("the failure begins"), run.until("the failure is over"))
		run.stop()
	}

	stop := rig.simulate("-bridges", "1", "-events", api)
	t.Cleanup(func() { stop() })
	again := func() { stop = rig.simulate("-bridges", "1", "-events", api) }
	rig.play(drill{"api-down", "CiscoMeetingServerAPIProblem", "warning", "", nil}, func() { stop() }, again)
	rig.play(drill{"collector-down", "LegatoCollectorDown", "critical", "", nil}, rig.collector.stop, rig.collector.start)
	t.Log(rig.table.String())
}

// archivingConfiguration stores its state and its archive on disks of their own.
const archivingConfiguration = `
extensions:
  file_storage: { directory: %DIR%/state, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage, metrics: { interval: 200ms } }
processors:
  callstitch: { linger: 1s, storage: file_storage }
exporters:
  callrecord: { driver: %DRIVER%, datasource: "%SOURCE%", timeout: 2s, retry_on_failure: { initial_interval: 100ms, max_interval: 1s, max_elapsed_time: 0 } }
  prometheus: { endpoint: %PAGE%, resource_to_telemetry_conversion: { enabled: true } }
service:
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: localhost, port: %OWN% } } } } ] } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr], processors: [callstitch], exporters: [callrecord] }
    metrics: { receivers: [cmscdr], exporters: [prometheus] }
`

// simulated are the alerts that the simulator's meetings ring by themselves: some of its
// people have bad lines or cannot join, and some of its rooms are full.
var simulated = []string{
	"CiscoMeetingServerJitterHigh", "CiscoMeetingServerLatencyHigh", "CiscoMeetingServerLimitReached", "CiscoMeetingServerJoinBudgetBurn",
	"CiscoMeetingServerQualityBudgetBurn",
}

// refusedToo are the alerts about bridges whose posts are refused while nothing can be
// stored: without a queue, an archive that is away refuses them too.
var refusedToo = []string{"CiscoMeetingServerRecordsRefused"}

// TestDrillsDisk fills the disk of the state, and that of the archive. The disks are small
// tmpfs that only the Collector sees, in namespaces that need no privilege.
func TestDrillsDisk(t *testing.T) {
	alertmanager := allDrills(t)
	if output, err := exec.CommandContext(t.Context(), "unshare", "-r", "-m", "mount", "-t", "tmpfs", "none", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("disk-full is not played: unshare -r -m: %v: %s: the system allows no user namespaces", err, output)
	}
	wrapper := []string{"unshare", "-r", "-m", "sh", "-c", "mkdir %DIR%/state %DIR%/archive && mount -t tmpfs -o size=24m none %DIR%/state && mount -t tmpfs -o size=24m none %DIR%/archive && exec \"$0\" \"$@\""}
	rig := newWrappedDrillRig(t, alertmanager, wrapper, archivingConfiguration, "%DRIVER%", "sqlite", "%SOURCE%", "%DIR%/archive/calls.db")
	disks := drills(t, "-directory")
	require.Len(t, disks, 1)
	for _, disk := range []struct{ row, alert, directory string }{
		{disks[0].name, disks[0].alert, "state"},
		{disks[0].name + " archive", "LegatoArchiveWriteFailing", "archive"},
	} {
		directory := filepath.Join(fmt.Sprintf("/proc/%d/root", rig.collector.process.Process.Pid), rig.collector.directory, disk.directory)
		drill := disks[0]
		run := rig.startDrill(drill, "-directory", directory, "-hold", "20s")
		drill.name, drill.alert, drill.also = disk.row, disk.alert, refusedToo
		rig.play(drill, run.until("the failure begins"), run.until("the disk has room again"))
		assert.NoError(t, run.process.Wait(), "%s", run.output)
	}
	t.Log(rig.table.String())
}

// TestDrillsDatabase stops the PostgreSQL of the archive.
func TestDrillsDatabase(t *testing.T) {
	alertmanager := allDrills(t)
	server := postgres.New(t)
	rig := newDrillRig(t, alertmanager, archivingConfiguration, "%DRIVER%", "postgres", "%SOURCE%", server.Database(t))
	rig.expect(simulated...)
	t.Cleanup(rig.simulate("-crowd", "4x40"))
	rig.play(drill{"archive-down", "LegatoArchiveWriteFailing", "critical", "", refusedToo}, func() { require.NoError(t, server.Kill()) }, func() { require.NoError(t, server.Start()) })
	t.Log(rig.table.String())
}

// allDrills skips unless all drills are to be played, and returns the path of Alertmanager.
func allDrills(t *testing.T) (alertmanager string) {
	t.Helper()
	if os.Getenv("LEGATO_DRILLS") == "" {
		t.Skip("part of make drills: set LEGATO_DRILLS")
	}
	alertmanager, err := exec.LookPath("prometheus-alertmanager")
	require.NoError(t, err)
	return alertmanager
}

// simulate plays meetings at twice their speed until it is stopped.
func (rig *drillRig) simulate(arguments ...string) (stop func()) {
	rig.t.Helper()
	command := exec.Command(binary("callsim"), append([]string{"-live", "-speed", "2", "-target", "http://" + rig.collector.address + "/cdr"}, arguments...)...)
	require.NoError(rig.t, command.Start())
	return sync.OnceFunc(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
}
