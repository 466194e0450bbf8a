// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// entrance is a way into a meeting.
type entrance int

const (
	direct    entrance = iota // the leg starts in the call
	afterward                 // the leg starts first, and starts the call
	viaMenu                   // through the interactive voice menu
	viaLobby                  // waits for an activator
	viaBoth                   // menu, then lobby
	called                    // the bridge calls the person
)

var entrances = []entrance{direct, direct, afterward, afterward, viaMenu, viaLobby, viaBoth, called}

// joinMeeting brings a person's leg to the meeting's call on h. It returns nil if the meeting
// or the bridge accepts no legs.
func (w *World) joinMeeting(m *meeting, h *host, l *leg, entrance entrance) *leg {
	if !m.isJoinable() || h.availableFrom.After(w.now) {
		return nil
	}
	switch entrance {
	case direct:
		w.startLeg(h, l, w.callOn(m, h))
		w.scheduleAfter(w.dice.Seconds([2]int{0, 1}), func() { w.changePhase(l, PhaseActive) })
	case called:
		l.Confirmation = "required"
		w.startLeg(h, l, w.callOn(m, h))
		w.scheduleAfter(w.dice.Seconds(w.timing.ring), func() { w.answerLeg(l) })
	case afterward:
		w.startLeg(h, l, nil)
		w.enterCall(l, w.callOn(m, h), PhaseActive)
	case viaLobby:
		w.startLeg(h, l, nil)
		w.enterCall(l, w.callOn(m, h), PhaseLobby)
		w.leaveLobby(l)
	case viaMenu, viaBoth:
		l.Confirmation = "notRequired"
		w.startLeg(h, l, nil)
		w.scheduleAfter(time.Second, func() { w.holdInMenu(m, l, entrance == viaBoth) })
	}
	return l
}

// answerLeg connects an outgoing leg whose person pressed the key.
func (w *World) answerLeg(l *leg) {
	l.Confirmation = "confirmed"
	w.changePhase(l, PhaseActive)
}

// leaveLobby lets a waiting leg take part after a while.
func (w *World) leaveLobby(l *leg) {
	w.scheduleAfter(w.dice.Seconds(w.timing.lobby), func() { w.changePhase(l, PhaseActive) })
}

// holdInMenu keeps a leg in the interactive voice menu for a while, then puts it into the meeting
// if that still continues.
func (w *World) holdInMenu(m *meeting, l *leg, lobby bool) {
	w.changePhase(l, PhaseMenu)
	w.scheduleAfter(w.dice.Seconds(w.timing.menu), func() {
		switch {
		case !l.open:
		case !m.isJoinable():
			w.endLeg(l, ReasonIVRTimeout)
		case lobby:
			w.enterCall(l, w.callOn(m, l.host), PhaseLobby)
			w.leaveLobby(l)
		default:
			w.enterCall(l, w.callOn(m, l.host), PhaseActive)
		}
	})
}

// inviteAll invites n people to a meeting and spreads them over hosts; the first host is the
// meeting's home. The first person opens the meeting and stays to its end; the others come in
// the first part and most leave in the second.
func (w *World) inviteAll(m *meeting, n int, hosts ...*host) {
	w.joinMeeting(m, m.home, w.nextCaller(m), chance.Pick(w.dice, []entrance{direct, afterward}))
	for i := 1; i < n; i++ {
		w.schedulePerson(m, hosts[i%len(hosts)])
	}
	w.scheduleFailure(m, hosts[w.dice.IntN(len(hosts))])
}

// nextCaller returns the leg of the next person with the next device.
func (w *World) nextCaller(m *meeting) *leg {
	return w.newCallerLeg(w.people.Deal(w.dice), w.devices.Deal(w.dice), m.dial)
}

// schedulePerson schedules when one person joins and leaves.
func (w *World) schedulePerson(m *meeting, h *host) {
	duration := m.end.Sub(m.start)
	entrance, person, reason := w.entries.Deal(w.dice), w.people.Deal(w.dice), w.hangUpReasons.Deal(w.dice)
	dev := w.devices.Deal(w.dice)
	leave := m.start.Add(w.dice.Share(duration, 0.5, 1.2))
	w.scheduleAfter(w.dice.Share(duration, 0.02, 0.4), func() {
		l := w.newCallerLeg(person, dev, m.dial)
		if entrance == called {
			l = w.newCalleeLeg(person, dev, m.dial)
		}
		if w.joinMeeting(m, h, l, entrance) != nil {
			w.scheduleAt(leave, func() { w.endPersonLeg(l, reason) })
		}
	})
}

// scheduleFailure schedules a leg that fails.
func (w *World) scheduleFailure(m *meeting, h *host) {
	f := w.failures.Deal(w.dice)
	person := w.people.Deal(w.dice)
	w.scheduleAfter(w.dice.Share(m.end.Sub(m.start), 0.1, 0.6), func() { w.playFailure(m, h, person, f) })
}

// playFailure runs one failure.
func (w *World) playFailure(m *meeting, h *host, person person, f failure) {
	c := m.openCallOn(h)
	if h.availableFrom.After(w.now) || f.inCall && c == nil {
		return
	}
	if !f.inCall {
		c = nil
	}
	l := w.newCallerLeg(person, roomDevice, m.dial)
	if f.outgoing {
		l = w.newCalleeLeg(person, roomDevice, m.dial)
	}
	l.Confirmation = f.confirmation
	w.startLeg(h, l, c)
	if f.answered {
		w.changePhase(l, PhaseActive)
	}
	if f.menu {
		w.changePhase(l, PhaseMenu)
	}
	wait := w.dice.Seconds([2]int{0, 2})
	if f.untilTimeout {
		wait = time.Duration(w.timing.patience) * time.Second
	}
	w.scheduleAfter(wait, func() {
		l.Confirmation = f.verdict
		w.endLeg(l, f.reason)
	})
}
