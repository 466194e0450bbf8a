// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Settings say where a drill takes place.
type Settings struct {
	// Target is the URL of cmscdr, and MediaSense that of the mediasense receiver; nil is none.
	Target, MediaSense *url.URL
	// OCMS is the file that the ocms receiver follows, "" for none.
	OCMS string
	// Events is the address where a simulated Call Bridge listens, and Backend that of a
	// simulated backend; "" for none.
	Events, Backend string
	// Directory is on the disk that is filled, "" for none, and MaxFill how many bytes are
	// written into it at most.
	Directory string
	MaxFill   int64
	// Hold is how long a drill keeps a state that it also ends, such as a full disk, or how
	// long it repeats a condition that its alert requires to last. 0 is as long as the alert
	// needs.
	Hold time.Duration
	// Settle is how long the counters of a new bridge need to be seen at 0 before a rate of
	// theirs can be: the interval of the receiver's metrics and that of the scrapes.
	Settle time.Duration
	// FollowWithin is how long a simulated Call Bridge waits for a Collector to follow it.
	FollowWithin time.Duration
	// Recover is how long a simulated Call Bridge or backend stays in good health after
	// the failure, so that the alert resolves; 0 is until ctx ends.
	Recover time.Duration
	// Simulate runs callsim with flags until its context ends. With followed, its meetings
	// begin when a client follows the events of the first bridge, and followed is called then.
	Simulate func(ctx context.Context, followed func(), flags ...string) error
	// Report prints a line about the progress of a drill that takes long.
	Report func(line string)
	// Client posts.
	Client *http.Client
	// Now is the clock.
	Now func() time.Time

	bridge string // the id of the drill's Call Bridge
}

// Drill is one thing that goes wrong.
type Drill struct {
	Name string
	// Alert is the alert that must fire, and Severity its severity.
	Alert, Severity string
	// What happens, in words.
	What string
	needs
	play func(ctx context.Context, s *Settings) error
}

// All drills, by subject.
var All = []Drill{
	{"gap", "CiscoMeetingServerRecordsMissing", "critical", "38 call detail records of a bridge never come", needsTarget, gap},
	{"bridge-restart", "CiscoMeetingServerBridgeRestarted", "warning", "a bridge that is known has a new session", needsTarget, restart},
	{"overlap", "CiscoMeetingServerSessionsOverlap", "warning", "two live bridges have one name", needsTarget, overlap},
	{"refused", "CiscoMeetingServerRecordsRefused", "critical", "a bridge posts to a path that is not the receiver's", needsTarget, refused},
	{"garbage", "CiscoMeetingServerRecordsQuarantined", "warning", "a body is no XML", needsTarget, garbage},
	{"limit", "CiscoMeetingServerLimitReached", "warning", "three people are turned away because a room is full", needsTarget, limit},
	{"joins", "CiscoMeetingServerJoinBudgetBurn", "critical", "100 of 200 joins fail", needsTarget, joins},
	{"drops", "CiscoMeetingServerDropsHigh", "warning", "100 of 200 connections drop", needsTarget, drops},
	{"packet-loss", "CiscoMeetingServerQualityBudgetBurn", "critical", "100 of 200 connections had packet loss for 40 % of their time", needsTarget, packetLoss},
	{"jitter", "CiscoMeetingServerQualityBudgetBurn", "critical", "100 of 200 connections had jitter for 40 % of their time", needsTarget, jitter},
	{"scanner", "CiscoMeetingServerScannerTraffic", "info", "a SIP scanner tries 500 addresses", needsTarget, scanner},
	{"recording-stuck", "CiscoMeetingServerRecordingWithoutEnd", "warning", "a meeting ends, and its recording does not", needsTarget, recordingStuck},
	{"storage-low", "CiscoMediaSenseStorageLow", "info", "a disk of MediaSense is above 75 %", needsMediaSense, storage("LOW", 76)},
	{"storage-critical", "CiscoMediaSenseStorageCritical", "warning", "a disk of MediaSense is above 90 %", needsMediaSense, storage("CRITICAL", 91)},
	{"storage-emergency", "CiscoMediaSenseStorageEmergency", "critical", "a disk of MediaSense is above 99 %", needsMediaSense, storage("EMERGENCY", 99)},
	{"recording-error", "CiscoMediaSenseSessionError", "warning", "a recorded session ends in an error", needsMediaSense, recordingError},
	{"recording-pruned", "CiscoMediaSenseRecordingsPruned", "info", "MediaSense removes a recording", needsMediaSense, recordingPruned},
	{"events-refused", "CiscoMediaSenseEventsRefused", "critical", "MediaSense posts to a path that is not the receiver's", needsMediaSense, eventsRefused},
	{"sip-5xx", "OracleOCMSSIPFailures", "warning", "20 of 40 calls fail with 503 at the SIP proxy", needsOCMS, sipFailures},
	{"silent", "CiscoMeetingServerRecordsSilent", "critical", "calls go on, and no record of the bridge arrives", needsBridge, faulty(13*time.Minute, 1, "-faults", "silent=5s")},
	{"api-alarm", "CiscoMeetingServerAlarmActive", "critical", "no receiver takes the records of a bridge, which raises an alarm", needsBridge, faulty(standardHold, 1, "-target", noReceiver)},
	{"events-down", "CiscoMeetingServerEventsDisconnected", "warning", "the events and the API of a bridge are away", needsBridge, away},
	{"live-loss", "CiscoMeetingServerPacketLossHigh", "critical", "live connections lose a quarter of their packets", needsBridge, faulty(standardHold, 1, "-crowd", "2x15", "-faults", "packet-loss=1")},
	{"licence", "CiscoMeetingServerLicenceExpiring", "critical", "the licence of a bridge expires in 20 days", needsBridge, faulty(standardHold, 1, "-faults", "licence=20")},
	{"database", "CiscoMeetingServerDatabaseNodeDown", "critical", "the database of a cluster of two has a node that is down", needsBridge, faulty(standardHold, 2, "-faults", "database")},
	{"backend-down", "LegatoBackendDown", "warning", "a backend refuses what an exporter sends", needsBackend, backendDown},
	{"disk-full", "LegatoStateUnwritable", "critical", "the disk of the Collector's file_storage is full", needsDisk, diskFull},
}

// Find returns the drill of a name.
func Find(name string) (Drill, bool) {
	for _, d := range All {
		if d.Name == name {
			return d, true
		}
	}
	return Drill{}, false
}

// Run runs the drill. An error names the unexpected answer or the missing setting.
func (d Drill) Run(ctx context.Context, s Settings) error {
	if err := d.check(&s); err != nil {
		return err
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Report == nil {
		s.Report = func(string) {}
	}
	s.bridge = newBridge()
	return d.play(ctx, &s)
}

// needs is the setting that a drill requires.
type needs uint8

const (
	needsTarget needs = iota
	needsMediaSense
	needsOCMS
	needsBridge
	needsBackend
	needsDisk
)

// Flags names the flags that a drill needs.
func (n needs) Flags() string {
	return [...]string{"-target", "-mediasense-target", "-ocms", "-events", "-backend", "-directory"}[n]
}

// check reports the setting that is missing. Drills around a Collector post records too.
func (n needs) check(s *Settings) error {
	missing := [...]bool{s.Target == nil, s.MediaSense == nil, s.OCMS == "", s.Events == "", s.Backend == "", s.Directory == ""}[n]
	switch {
	case missing:
		return errors.New("this drill needs " + n.Flags())
	case n >= needsBridge && s.Target == nil:
		return errors.New("this drill needs -target")
	default:
		return nil
	}
}
