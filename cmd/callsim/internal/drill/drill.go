// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	// Hold is how long a drill keeps a state that it also ends, such as a full disk, or how
	// long it repeats a condition that its alert requires to last.
	Hold time.Duration
	// Settle is how long the counters of a new bridge need to be seen at 0 before a rate of
	// theirs can be: the interval of the receiver's metrics and that of the scrapes.
	Settle time.Duration
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

// needs is the set of settings that a drill requires.
type needs uint8

const (
	target needs = iota
	mediaSense
	ocms
)

// All drills, by subject.
var All = []Drill{
	{"gap", "CiscoMeetingServerRecordsMissing", "critical", "38 call detail records of a bridge never come", target, gap},
	{"bridge-restart", "CiscoMeetingServerBridgeRestarted", "warning", "a bridge that is known has a new session", target, restart},
	{"overlap", "CiscoMeetingServerSessionsOverlap", "warning", "two live bridges have one name", target, overlap},
	{"refused", "CiscoMeetingServerRecordsRefused", "critical", "a bridge posts to a path that is not the receiver's", target, refused},
	{"garbage", "CiscoMeetingServerRecordsQuarantined", "warning", "a body is no XML", target, garbage},
	{"limit", "CiscoMeetingServerLimitReached", "warning", "three people are turned away because a room is full", target, limit},
	{"joins", "CiscoMeetingServerJoinBudgetBurn", "critical", "100 of 200 joins fail", target, joins},
	{"drops", "CiscoMeetingServerDropsHigh", "warning", "100 of 200 connections drop", target, drops},
	{"packet-loss", "CiscoMeetingServerQualityBudgetBurn", "critical", "100 of 200 connections had packet loss for 40 % of their time", target, packetLoss},
	{"jitter", "CiscoMeetingServerQualityBudgetBurn", "critical", "100 of 200 connections had jitter for 40 % of their time", target, jitter},
	{"scanner", "CiscoMeetingServerScannerTraffic", "info", "a SIP scanner tries 500 addresses", target, scanner},
	{"recording-stuck", "CiscoMeetingServerRecordingWithoutEnd", "warning", "a meeting ends, and its recording does not", target, recordingStuck},
	{"storage-low", "CiscoMediaSenseStorageLow", "info", "a disk of MediaSense is above 75 %", mediaSense, storage("LOW", 76)},
	{"storage-critical", "CiscoMediaSenseStorageCritical", "warning", "a disk of MediaSense is above 90 %", mediaSense, storage("CRITICAL", 91)},
	{"storage-emergency", "CiscoMediaSenseStorageEmergency", "critical", "a disk of MediaSense is above 99 %", mediaSense, storage("EMERGENCY", 99)},
	{"recording-error", "CiscoMediaSenseSessionError", "warning", "a recorded session ends in an error", mediaSense, recordingError},
	{"recording-pruned", "CiscoMediaSenseRecordingsPruned", "info", "MediaSense removes a recording", mediaSense, recordingPruned},
	{"events-refused", "CiscoMediaSenseEventsRefused", "critical", "MediaSense posts to a path that is not the receiver's", mediaSense, eventsRefused},
	{"sip-5xx", "OracleOCMSSIPFailures", "warning", "20 of 40 calls fail with 503 at the SIP proxy", ocms, sipFailures},
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
	switch {
	case d.needs == target && s.Target == nil:
		return errors.New("this drill needs -target")
	case d.needs == mediaSense && s.MediaSense == nil:
		return errors.New("this drill needs -mediasense-target")
	case d.needs == ocms && s.OCMS == "":
		return errors.New("this drill needs -ocms")
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	s.bridge = newBridge()
	return d.play(ctx, &s)
}

// post sends a body, and wants the status that is asked for.
func (s *Settings) post(ctx context.Context, to *url.URL, contentType, body string, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := s.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != want {
		return fmt.Errorf("%s answered %s, this drill needs %d", to.Redacted(), response.Status, want)
	}
	return nil
}

// repeat does something every second until the hold has ended.
func (s *Settings) repeat(ctx context.Context, do func() error) error {
	end := time.NewTimer(s.Hold)
	defer end.Stop()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		if err := do(); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wait waits for some time.
func wait(ctx context.Context, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	select {
	case <-end.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unknownPath returns the URL with a path that no receiver has.
func unknownPath(of *url.URL) *url.URL {
	other := *of
	other.Path += "-drill"
	return &other
}
