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

// scenes are dealt like cards: every kind once before any comes again.
var scenes = []scene{
	gathering, adHoc, forwarding, lyncConference, waiting, sharing, transfer,
	distributed, distributed, moving, recorded, streamed, strays,
}

// gathering is an ordinary meeting in a coSpace.
func gathering(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, w.dice.Between([2]int{2, 6}), h)
	return m
}

// adHoc is a meeting outside coSpaces.
func adHoc(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallAdHoc, h)
	w.inviteAll(m, w.dice.Between([2]int{2, 4}), h)
	return m
}

// distributed is a meeting on two or three bridges.
func distributed(w *World) *meeting {
	first := w.clusteredHost()
	if first == nil {
		return gathering(w)
	}
	hosts := w.clusteredFrom(first)
	hosts = hosts[:min(len(hosts), w.dice.Between([2]int{2, 3}))]
	m := w.newMeeting(CallCoSpace, first)
	w.inviteAll(m, w.dice.Between([2]int{4, 8}), hosts...)
	return m
}

// forwarding is a call through the bridge to one far end, which may not answer.
// When one side hangs up, the bridge ends the other.
func forwarding(w *World) *meeting {
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
		why := chance.Pick(w.dice, []Reason{ReasonRemoteBusy, ReasonRemoteRejected, ReasonRingingTimeout})
		w.scheduleAfter(w.dice.Seconds(w.timing.ring), func() { w.hangUp(out, in, why) })
		return m
	}
	w.scheduleAfter(w.dice.Seconds(w.timing.ring), func() { w.changePhase(out, PhaseActive) })
	w.scheduleAt(m.end.Add(-time.Second), func() { w.hangUp(in, out, ReasonRemote) })
	return m
}

func (w *World) hangUp(first, then *leg, why Reason) {
	w.endLeg(first, why)
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

// waiting is a meeting whose guests all pass the menu and the lobby.
func waiting(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 1, h)
	for i, by := range []entrance{viaMenu, viaLobby, viaBoth} {
		who, dev := w.people.Deal(w.dice), w.devices.Deal(w.dice)
		w.scheduleAfter(time.Duration(i+1)*time.Second, func() { w.joinMeeting(m, h, w.newCallerLeg(who, dev, m.dial), by) })
	}
	return m
}

// sharing is a meeting with a Lync participant who shares a screen twice.
func sharing(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 2, h)
	av := w.joinMeeting(m, h, w.newCallerLeg(w.people.Deal(w.dice), lyncDevice, m.dial), direct)
	if av == nil {
		return m
	}
	life := m.end.Sub(m.start)
	for _, from := range []float64{0.2, 0.6} {
		w.scheduleAfter(w.dice.Share(life, from, from+0.1), func() { w.shareScreen(av, w.dice.Share(life, 0.1, 0.25)) })
	}
	return m
}

// transfer is an ad hoc call of two, one of whom is then put into a coSpace
// meeting on the same bridge: a leg that is in two calls one after the other.
func transfer(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 3, h)
	aside := w.newMeeting(CallAdHoc, h)
	w.inviteAll(aside, 1, h)
	l := w.joinMeeting(aside, h, w.nextCaller(aside), afterward)
	w.scheduleAfter(w.dice.Share(m.end.Sub(m.start), 0.1, 0.5), func() {
		if c := m.openCallOn(h); c != nil && l != nil && l.open {
			w.enterCall(l, c, PhaseActive)
		}
	})
	return m
}

// moving is a meeting in which a person is moved to another bridge.
func moving(w *World) *meeting {
	first := w.clusteredHost()
	if first == nil || len(w.clusteredFrom(first)) == 1 {
		return gathering(w)
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

// recorded is a meeting with an older and a SIP recorder.
func recorded(w *World) *meeting { return served(w, (*World).runRecorder) }

// streamed is a meeting with an older and a SIP streamer.
func streamed(w *World) *meeting { return served(w, (*World).runStreamer) }

// served runs a meeting in which a service runs twice, the first time until it is stopped,
// the second time until the meeting ends.
func served(w *World, serve func(w *World, c *call, older bool, lasts time.Duration)) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 3, h)
	life := m.end.Sub(m.start)
	for _, older := range []bool{true, false} {
		from, lasts := w.dice.Share(life, 0.1, 0.3), w.dice.Share(life, 0.2, 0.3)
		if !older {
			from, lasts = w.dice.Share(life, 0.5, 0.7), life
		}
		w.scheduleAfter(from, func() {
			if c := m.openCallOn(h); c != nil {
				serve(w, c, older, lasts)
			}
		})
	}
	return m
}

// strays is a meeting during which strangers try a few numbers.
func strays(w *World) *meeting {
	h := chance.Pick(w.dice, w.hosts)
	m := w.newMeeting(CallCoSpace, h)
	w.inviteAll(m, 3, h)
	for range w.dice.Between([2]int{1, 4}) {
		w.scheduleAfter(w.dice.Share(m.end.Sub(m.start), 0, 0.9), func() { w.scanNumber(h) })
	}
	return m
}
