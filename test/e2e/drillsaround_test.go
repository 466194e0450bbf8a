// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

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

// TestDrillsAround is about what goes wrong around a Collector: a backend that is away, a
// bridge that falls silent, has an alarm or is down, a database node that is down, a licence
// that expires, a Collector that is down.
func TestDrillsAround(t *testing.T) {
	alertmanager := allDrills(t)
	api, backend := loopback.MustAddress(t), loopback.MustAddress(t)
	rig := newDrillRig(t, alertmanager, bridgesConfiguration, "%API%", api, "%BACKEND%", backend)
	simulate := func(arguments ...string) (stop func()) {
		return rig.simulate(append([]string{"-bridges", "1", "-events", api}, arguments...)...)
	}
	rig.expect(simulated...)
	// Each new start of the simulator is a restart of the bridge, and at twice the speed its
	// clock is soon off.
	rig.expect("CiscoMeetingServerBridgeRestarted", "CiscoMeetingServerClockSkew")
	stop := simulate()
	t.Cleanup(func() { stop() })

	rig.play(drill{"backend-down", "LegatoBackendDown", "warning", nil}, func() {}, func() {
		listener, err := net.Listen("tcp", backend)
		require.NoError(t, err)
		server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
	})
	// The bridge has run for a minute by now: a restart of one that has just begun is not seen.
	rig.play(drill{"licence", "CiscoMeetingServerLicenceExpiring", "critical", nil}, func() {
		stop()
		stop = simulate("-faults", "licence=20")
	}, func() {
		stop()
		stop = simulate()
	})
	rig.play(drill{"silent", "CiscoMeetingServerRecordsSilent", "critical", []string{"CiscoMeetingServerRecordsIncomplete"}}, func() {
		stop()
		stop = simulate("-faults", "silent=5s")
	}, func() {
		stop()
		stop = simulate()
	})
	for _, down := range []drill{
		{"events-down", "CiscoMeetingServerEventsDisconnected", "warning", []string{"CiscoMeetingServerAPIProblem"}},
		{"api-down", "CiscoMeetingServerAPIProblem", "warning", nil},
	} {
		rig.play(down, func() { stop() }, func() { stop = simulate() })
	}
	// Live legs lose packets, by the API.
	rig.play(drill{"live-loss", "CiscoMeetingServerPacketLossHigh", "critical", []string{"CiscoMeetingServerQualityBudgetBurn"}}, func() {
		stop()
		stop = simulate("-crowd", "2x15", "-faults", "packet-loss=1")
	}, func() {
		stop()
		stop = simulate("-crowd", "2x15")
	})
	// The bridge itself has an alarm while nobody takes its records.
	rig.play(drill{"api-alarm", "CiscoMeetingServerAlarmActive", "warning", nil}, func() {
		stop()
		stop = simulate("-target", "http://"+loopback.MustAddress(t)+"/cdr")
	}, func() {
		stop()
		stop = simulate()
	})
	rig.play(drill{"restart", "CiscoMeetingServerBridgeRestarted", "warning", nil}, func() {
		stop()
		stop = simulate()
	}, func() {})
	// A second bridge makes a cluster, whose database has a node on each.
	cluster := []string{"-bridges", "2", "-events", api + "," + loopback.MustAddress(t)}
	rig.play(drill{"database", "CiscoMeetingServerDatabaseNodeDown", "critical", nil}, func() {
		stop()
		stop = simulate(append(cluster, "-faults", "database")...)
	}, func() {
		stop()
		stop = simulate(cluster...)
	})
	rig.play(drill{"collector-down", "LegatoCollectorDown", "critical", nil}, rig.collector.stop, rig.collector.start)
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
	rig.expect(simulated...)
	stop := rig.simulate("-crowd", "4x40")
	t.Cleanup(stop)
	for _, disk := range []struct {
		drill
		directory string
	}{
		{drill{"disk-full", "LegatoStateUnwritable", "critical", refusedToo}, "state"},
		{drill{"disk-full archive", "LegatoArchiveWriteFailing", "critical", refusedToo}, "archive"},
	} {
		filler := filepath.Join(fmt.Sprintf("/proc/%d/root", rig.collector.process.Process.Pid), rig.collector.directory, disk.directory, "filler")
		rig.play(disk.drill, func() { fill(t, filler) }, func() { require.NoError(t, os.Remove(filler)) })
	}
	t.Log(rig.table.String())
}

// fill writes a file until the disk has no room for another byte.
func fill(t *testing.T, name string) {
	t.Helper()
	file, err := os.Create(name)
	require.NoError(t, err)
	defer file.Close()
	for size := 1 << 20; size > 0; {
		if _, err = file.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}

// TestDrillsDatabase stops the PostgreSQL of the archive.
func TestDrillsDatabase(t *testing.T) {
	alertmanager := allDrills(t)
	server := postgres.New(t)
	rig := newDrillRig(t, alertmanager, archivingConfiguration, "%DRIVER%", "postgres", "%SOURCE%", server.Database(t))
	rig.expect(simulated...)
	t.Cleanup(rig.simulate("-crowd", "4x40"))
	rig.play(drill{"archive-down", "LegatoArchiveWriteFailing", "critical", refusedToo}, func() { require.NoError(t, server.Kill()) }, func() { require.NoError(t, server.Start()) })
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
