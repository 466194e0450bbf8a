// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// scene is one kind of meeting. It is run when the meeting convenes and schedules all its
// actions; it returns the meeting it is about.
type scene func(*World) *meeting

// scenes are dealt from a deck: each occurs once before any occurs again.
var scenes = []scene{
	ordinaryMeeting, adHocMeeting, forwardedCall, lyncConference, lobbyMeeting, sharingMeeting, transferBetweenCalls,
	distributedMeeting, distributedMeeting, moveBetweenBridges, recordedMeeting, streamedMeeting, meetingWithStrayCalls,
}

// ordinaryMeeting is an ordinary meeting in a coSpace.
func ordinaryMeeting(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, w.dice.Between([2]int{2, 6}), h)
	return m
}

// adHocMeeting is a meeting outside coSpaces.
func adHocMeeting(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallAdHoc, h)
	w.inviteAll(m, w.dice.Between([2]int{2, 4}), h)
	return m
}

// distributedMeeting is a meeting on two or three bridges.
func distributedMeeting(w *World) *meeting {
	first := w.clusteredHost()
	if first == nil {
		return ordinaryMeeting(w)
	}
	hosts := w.clusteredFrom(first)
	hosts = hosts[:min(len(hosts), w.dice.Between([2]int{2, 3}))]
	m := w.newMeeting(CallCoSpace, first)
	w.inviteAll(m, w.dice.Between([2]int{4, 8}), hosts...)
	return m
}

// forwardedCall is a call through the bridge to one far end, which may not answer.
// When one side hangs up, the bridge ends the other.
func forwardedCall(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallForwarding, h)
	m.name = "Forwarded call"
	in := w.joinMeeting(m, h, w.newCallerLeg(w.people.Deal(w.dice), roomDevice, "+15550100@meet.example.test"), afterward)
	if in == nil {
		return m
	}
	out := w.newCalleeLeg(w.people.Deal(w.dice), w.devices.Deal(w.dice), in.RemoteParty)
	w.startLeg(h, out, in.call)
	if w.dice.Chance(0.3) {
		reason := chance.Pick(w.dice, []Reason{ReasonRemoteBusy, ReasonRemoteRejected, ReasonRingingTimeout})
		w.scheduleAfter(w.dice.Seconds(w.timing.ring), func() { w.hangUp(out, in, reason) })
		return m
	}
	w.scheduleAfter(w.dice.Seconds(w.timing.ring), func() { w.changePhase(out, PhaseActive) })
	w.scheduleAt(m.end.Add(-time.Second), func() { w.hangUp(in, out, ReasonRemote) })
	return m
}

func (w *World) hangUp(first, then *leg, reason Reason) {
	w.endLeg(first, reason)
	w.endLeg(then, ReasonLocal)
}

// lyncConference is a call into a conference that a Lync server hosts.
func lyncConference(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallLync, h)
	m.name = "Lync conference"
	w.inviteAll(m, w.dice.Between([2]int{1, 3}), h)
	c := m.openCallOn(h)
	if c == nil {
		return m
	}
	far := &leg{device: lyncDevice}
	far.Kind, far.Type, far.SubType, far.Direction = KindLink, "sip", "lyncdistribution", "outgoing"
	far.RemoteParty, far.SIPCallID = "conf-77@lync.example.test", w.sipCallID()
	far.Participant = w.dice.GUID()
	w.startLeg(h, far, c)
	w.scheduleAfter(time.Second, func() { w.changePhase(far, PhaseActive) })
	return m
}

// lobbyMeeting is a meeting whose people all pass the menu or the lobby.
func lobbyMeeting(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 1, h)
	for i, entrance := range []entrance{viaMenu, viaLobby, viaBoth} {
		person, dev := w.people.Deal(w.dice), w.devices.Deal(w.dice)
		w.scheduleAfter(time.Duration(i+1)*time.Second, func() { w.joinMeeting(m, h, w.newCallerLeg(person, dev, m.dial), entrance) })
	}
	return m
}

// sharingMeeting is a meeting with a Lync participant who shares a screen twice.
func sharingMeeting(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 2, h)
	av := w.joinMeeting(m, h, w.newCallerLeg(w.people.Deal(w.dice), lyncDevice, m.dial), direct)
	if av == nil {
		return m
	}
	duration := m.end.Sub(m.start)
	for _, from := range []float64{0.2, 0.6} {
		w.scheduleAfter(w.dice.Share(duration, from, from+0.1), func() { w.shareScreen(av, w.dice.Share(duration, 0.1, 0.25)) })
	}
	return m
}

// transferBetweenCalls is an ad hoc call of two people. One of them is then moved into a
// coSpace meeting on the same bridge, so that their leg is in two calls, one after the other.
func transferBetweenCalls(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 3, h)
	adHoc := w.newMeeting(CallAdHoc, h)
	w.inviteAll(adHoc, 1, h)
	l := w.joinMeeting(adHoc, h, w.nextCaller(adHoc), afterward)
	w.scheduleAfter(w.dice.Share(m.end.Sub(m.start), 0.1, 0.5), func() {
		if c := m.openCallOn(h); c != nil && l != nil && l.open {
			w.enterCall(l, c, PhaseActive)
		}
	})
	return m
}

// moveBetweenBridges is a meeting in which a person is moved to another bridge.
func moveBetweenBridges(w *World) *meeting {
	first := w.clusteredHost()
	if first == nil || len(w.clusteredFrom(first)) == 1 {
		return ordinaryMeeting(w)
	}
	m := w.newMeeting(CallCoSpace, first)
	w.inviteAll(m, 2, first)
	l := w.joinMeeting(m, first, w.newCallerLeg(w.people.Deal(w.dice), roomDevice, m.dial), direct)
	if l == nil {
		return m
	}
	to := w.clusteredFrom(first)[1]
	w.scheduleAfter(w.dice.Share(m.end.Sub(m.start), 0.3, 0.6), func() { w.movePerson(m, l, to) })
	return m
}

// recordedMeeting is a meeting with an older and a SIP recorder.
func recordedMeeting(w *World) *meeting { return meetingWithService(w, (*World).runRecorder) }

// streamedMeeting is a meeting with an older and a SIP streamer.
func streamedMeeting(w *World) *meeting { return meetingWithService(w, (*World).runStreamer) }

// meetingWithService runs a meeting in which a service runs twice, the first time until it is stopped,
// the second time until the meeting ends.
func meetingWithService(w *World, serve func(w *World, c *call, older bool, lasts time.Duration)) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 3, h)
	duration := m.end.Sub(m.start)
	for _, older := range []bool{true, false} {
		from, lasts := w.dice.Share(duration, 0.1, 0.3), w.dice.Share(duration, 0.2, 0.3)
		if !older {
			from, lasts = w.dice.Share(duration, 0.5, 0.7), duration
		}
		w.scheduleAfter(from, func() {
			if c := m.openCallOn(h); c != nil {
				serve(w, c, older, lasts)
			}
		})
	}
	return m
}

// meetingWithStrayCalls is a meeting during which a scanner tries a few numbers.
func meetingWithStrayCalls(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 3, h)
	for range w.dice.Between([2]int{1, 4}) {
		w.scheduleAfter(w.dice.Share(m.end.Sub(m.start), 0, 0.9), func() { w.scanNumber(h) })
	}
	return m
}
