// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"time"
)

// linkCalls connects two calls of a meeting on two bridges: a leg on each side, both
// with the same SIP Call-ID.
func (w *World) linkCalls(m *meeting, from, to *call) {
	w.links++
	id := fmt.Sprintf("link-%d@%s", w.links, from.host.Name)
	out, in := w.newLinkLeg(m, "outgoing", id), w.newLinkLeg(m, "incoming", id)
	out.peer, in.peer = in, out
	w.startLeg(from.host, out, from)
	w.startLeg(to.host, in, to)
	w.changePhase(out, PhaseActive)
	w.changePhase(in, PhaseActive)
}

func (w *World) newLinkLeg(m *meeting, direction, sipCallID string) *leg {
	l := &leg{}
	l.Kind, l.Type, l.SubType = KindLink, "sip", "distributionLink"
	l.Participant, l.Direction = w.dice.GUID(), direction
	l.RemoteParty, l.SIPCallID = m.dial, sipCallID
	return l
}

// runRecorder runs a recorder in a call, an older one or a SIP one, to the end of
// the call or earlier.
func (w *World) runRecorder(c *call, older bool, lasts time.Duration) {
	r := Recording{ID: w.dice.GUID(), Call: c.ID}
	l := w.newServiceLeg(KindRecorder, "recorder@rec.example.test", older)
	w.startLeg(c.host, l, c)
	r.Leg = l.ID
	if older {
		stamp := w.now.Add(c.host.skew).Format("20060102150405-0700")
		r.Path, r.URL = "spaces/"+c.CoSpace+"/"+stamp, "https://rec.example.test:8443"
	} else {
		r.URI = l.RemoteParty
	}
	w.scheduleAfter(time.Second, func() {
		if w.connectService(l) {
			l.onEnd = func() { w.emit(l.host, RecordingEnded{Recording: r}) }
			w.emit(l.host, RecordingStarted{Recording: r})
		}
	})
	w.scheduleAfter(lasts, func() { w.endLeg(l, ReasonLocal) })
}

// runStreamer runs a streamer in a call, as runRecorder runs a recorder.
func (w *World) runStreamer(c *call, older bool, lasts time.Duration) {
	s := Streaming{ID: w.dice.GUID(), Call: c.ID}
	l := w.newServiceLeg(KindStreamer, "streamer@str.example.test", older)
	w.startLeg(c.host, l, c)
	s.Leg = l.ID
	if older {
		s.URL = "https://str.example.test:8443"
		s.StreamURL = fmt.Sprintf("rtmp://live.example.test/app/key-%016x", w.dice.Uint64())
	} else {
		s.URI = l.RemoteParty
	}
	w.scheduleAfter(time.Second, func() {
		if w.connectService(l) {
			l.onEnd = func() { w.emit(l.host, StreamingEnded{Streaming: s}) }
			w.emit(l.host, StreamingStarted{Streaming: s})
		}
	})
	w.scheduleAfter(lasts, func() { w.endLeg(l, ReasonLocal) })
}

// newServiceLeg makes the leg of a recorder or streamer.
func (w *World) newServiceLeg(kind LegKind, uri string, older bool) *leg {
	l := &leg{device: device{kind: "sip", app: true, audio: []string{"aac"}}}
	l.Kind, l.Type, l.Direction = kind, "sip", "outgoing"
	l.Participant, l.RemoteParty = w.dice.GUID(), uri
	if older {
		l.Type = "acano"
	} else {
		l.SIPCallID = w.sipCallID()
	}
	return l
}

// connectService connects a service's leg and reports whether the leg is still open.
func (w *World) connectService(l *leg) bool {
	w.changePhase(l, PhaseActive)
	return l.open
}

// shareScreen adds a screen to the leg of a Lync participant for a while. Each time
// it is a new leg of the same participant.
func (w *World) shareScreen(av *leg, lasts time.Duration) {
	if !av.open || av.call == nil {
		return
	}
	l := &leg{device: av.device}
	l.Kind, l.Participant = KindSharing, av.Participant
	l.Type, l.SubType, l.LyncSubType = "sip", "lync", "applicationSharing"
	l.Direction, l.RemoteParty, l.SIPCallID = "incoming", av.RemoteParty, w.sipCallID()
	w.startLeg(av.host, l, av.call)
	av.shares = append(av.shares, l)
	w.changePhase(l, PhaseActive)
	w.scheduleAfter(lasts, func() { w.endLeg(l, ReasonRemote) })
}

// movePerson continues a person's leg on another bridge. The two bridges report the
// two halves of it in either order, a second apart.
func (w *World) movePerson(m *meeting, old *leg, to *host) {
	if !old.open || old.Phase != PhaseActive || old.SIPCallID == "" || to.availableFrom.After(w.now) {
		return
	}
	leave := func() { w.endLeg(old, ReasonCallMoved) }
	join := func() { w.continueLeg(m, old, to) }
	if w.dice.Chance(0.5) {
		leave, join = join, leave
	}
	leave()
	w.scheduleAfter(time.Second, join)
}

func (w *World) continueLeg(m *meeting, old *leg, to *host) {
	if !m.isJoinable() {
		return
	}
	l := &leg{device: old.device}
	l.Leg = old.Leg
	l.Phase, l.Calls = PhaseConnecting, nil
	l.Participant, l.SIPCallID = w.dice.GUID(), w.sipCallID()
	l.Direction, l.ReplacesSIPCallID = "outgoing", old.SIPCallID
	l.MovedFrom, l.MovedFromBridge = old.ID, old.host.CallBridge
	l.Confirmation, l.CanMove = "", true
	w.startLeg(to, l, w.callOn(m, to))
	w.changePhase(l, PhaseActive)
	w.scheduleAt(m.end.Add(-time.Second), func() { w.endPersonLeg(l, ReasonRemote) })
}

// scanNumber simulates a scanner that tries a number: a leg that never reaches a call.
func (w *World) scanNumber(h *host) {
	if h.availableFrom.After(w.now) {
		return
	}
	l := &leg{}
	l.Kind, l.Type, l.Direction = KindScanner, "sip", "incoming"
	l.Participant, l.SIPCallID = w.dice.GUID(), w.sipCallID()
	l.RemoteParty = fmt.Sprintf("%d@203.0.113.%d", w.dice.Between([2]int{100, 9999}), w.dice.Between([2]int{1, 254}))
	l.RemoteAddress = l.RemoteParty
	l.LocalAddress = fmt.Sprintf("900441632%06d@meet.example.test", w.dice.IntN(1_000_000))
	w.startLeg(h, l, nil)
	w.scheduleAfter(w.dice.Seconds([2]int{0, 1}), func() { w.endLeg(l, ReasonUnknownDestination) })
}

// scanBurst runs the scanner's burst in the middle meeting of the scenario, or in every
// twentieth of an endless one.
func (w *World) scanBurst(m *meeting) {
	middle := m.number%20 == 0
	if w.cfg.Meetings > 0 {
		middle = m.number == (w.cfg.Meetings+1)/2
	}
	if !middle {
		return
	}
	for i := range w.cfg.ScanBurst {
		w.scheduleAfter(time.Duration(i/20)*time.Second, func() { w.scanNumber(m.home) })
	}
}
