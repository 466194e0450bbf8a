// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"net/http"
	"time"
)

func gap(ctx context.Context, s *Settings) error {
	bridge := s.newSession()
	bridge.addCallStart()
	if err := bridge.postRecords(ctx); err != nil {
		return err
	}
	bridge.skipRecords(38)
	bridge.addCallEnd()
	return bridge.postRecords(ctx)
}

// restart posts a record of a session and, after s.Settle, one of a newer session. By then
// the counters of the new bridge have been scraped at 0.
func restart(ctx context.Context, s *Settings) error {
	for number := range 2 {
		if number > 0 {
			if err := wait(ctx, s.Settle); err != nil {
				return err
			}
		}
		bridge := s.newSession()
		bridge.addCallStart()
		if err := bridge.postRecords(ctx); err != nil {
			return err
		}
	}
	return nil
}

// overlap lets the older of two sessions post after the newer one has begun.
func overlap(ctx context.Context, s *Settings) error {
	first, second := s.newSession(), s.newSession()
	for _, bridge := range []*session{first, second, first, second} {
		bridge.addCallStart()
		if err := bridge.postRecords(ctx); err != nil {
			return err
		}
	}
	return nil
}

func refused(ctx context.Context, s *Settings) error {
	return repeat(ctx, s.hold(standardHold), func() error {
		return s.post(ctx, unknownPath(s.Target), "text/xml", "<records/>", http.StatusNotFound)
	})
}

func garbage(ctx context.Context, s *Settings) error {
	return s.post(ctx, s.Target, "text/xml", "drill: this is no XML", http.StatusOK)
}

// playMeeting runs a meeting of legs, in posts of a size that bridges have. The first two come
// s.Settle before the others, so that their counters are there when these count.
func playMeeting(ctx context.Context, s *Settings, legs int, leg func(bridge *session, n int)) error {
	const batch, first = 25, 1
	bridge := s.newSession()
	bridge.addCallStart()
	for n := range legs {
		leg(bridge, n)
		if n == first {
			if err := bridge.postRecords(ctx); err != nil {
				return err
			}
			if err := wait(ctx, s.Settle); err != nil {
				return err
			}
		}
		if n%batch == batch-1 {
			if err := bridge.postRecords(ctx); err != nil {
				return err
			}
		}
	}
	bridge.addCallEnd()
	return bridge.postRecords(ctx)
}

func limit(ctx context.Context, s *Settings) error {
	bridge := s.newSession()
	bridge.addCallStart()
	for range 3 {
		bridge.addLeg("participantLimitReached", 0, "")
	}
	bridge.addCallEnd()
	return bridge.postRecords(ctx)
}

// playHalfFailing runs 200 legs. Every second one goes wrong.
func playHalfFailing(ctx context.Context, s *Settings, reason string, activated int, alarms string) error {
	return playMeeting(ctx, s, 200, func(bridge *session, n int) {
		if n%2 == 0 {
			bridge.addLeg("remoteTeardown", 60, "")
			return
		}
		bridge.addLeg(reason, activated, alarms)
	})
}

func joins(ctx context.Context, s *Settings) error { return playHalfFailing(ctx, s, "timeout", 0, "") }

func drops(ctx context.Context, s *Settings) error { return playHalfFailing(ctx, s, "timeout", 60, "") }

func packetLoss(ctx context.Context, s *Settings) error {
	return playHalfFailing(ctx, s, "remoteTeardown", 60, `<alarm type="packetLoss" durationPercentage="40.0"/>`)
}

func jitter(ctx context.Context, s *Settings) error {
	return playHalfFailing(ctx, s, "remoteTeardown", 60, `<alarm type="excessiveJitter" durationPercentage="40.0"/>`)
}

func scanner(ctx context.Context, s *Settings) error {
	return playMeeting(ctx, s, 500, func(bridge *session, _ int) {
		id := guid()
		bridge.addRecord("callLegStart", 0, "<callLeg id=%q><remoteParty>100@192.0.2.66</remoteParty><type>sip</type><direction>incoming</direction></callLeg>", id)
		bridge.addRecord("callLegEnd", 0, "<callLeg id=%q><reason>unknownDestination</reason><remoteTeardown>false</remoteTeardown><durationSeconds>0</durationSeconds></callLeg>", id)
	})
}

// recordingStuck ends a call whose recording has no end: callstitch closes it with the
// call.
func recordingStuck(ctx context.Context, s *Settings) error {
	bridge := s.newSession()
	bridge.addCallStart()
	bridge.addRecord("recordingStart", 30*time.Second, "<recording id=%q><path>drill.mp4</path><call>%s</call></recording>", guid(), bridge.call)
	bridge.addLeg("remoteTeardown", 60, "")
	bridge.addCallEnd()
	return bridge.postRecords(ctx)
}
