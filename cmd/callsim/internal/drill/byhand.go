// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

// ByHand is a drill of something that no post can make go wrong.
type ByHand struct {
	Name, Alert string
	// How it is played: a command, or an instruction for the environment of the Collector.
	How string
}

// live starts a simulated Call Bridge that the Collector follows.
const live = "callsim -live -bridges 1 -events HOST:8451 -target URL"

// AllByHand are the drills that docs/drills.md has beside All.
var AllByHand = []ByHand{
	{"database", "CiscoMeetingServerDatabaseNodeDown", live + " -bridges 2 -faults database"},
	{"licence", "CiscoMeetingServerLicenceExpiring", live + " -faults licence=20"},
	{"silent", "CiscoMeetingServerRecordsSilent", live + " -faults silent=5s"},
	{"live-loss", "CiscoMeetingServerPacketLossHigh", live + " -crowd 2x15 -faults packet-loss=1"},
	{"api-alarm", "CiscoMeetingServerAlarmActive", live + ", with a -target where nobody listens"},
	{"events-down", "CiscoMeetingServerEventsDisconnected", "stop a simulated Call Bridge that the Collector follows"},
	{"backend-down", "LegatoBackendDown", "point an exporter with a sending_queue at a port where nobody listens"},
	{"disk-full", "LegatoStateUnwritable", "fill the disk of the Collector's file_storage on a test system"},
	{"archive-down", "LegatoArchiveWriteFailing", "stop the PostgreSQL of the call archive on a test system"},
}

// FindByHand returns the drill of a name.
func FindByHand(name string) (ByHand, bool) {
	for _, d := range AllByHand {
		if d.Name == name {
			return d, true
		}
	}
	return ByHand{}, false
}
