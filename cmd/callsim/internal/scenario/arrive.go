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
	afterward                 // the leg starts, and because of it the call
	viaMenu                   // through the interactive voice menu
	viaLobby                  // waits for an activator
	viaBoth                   // menu, then lobby
	called                    // the bridge calls the person
)

var entrances = []entrance{direct, direct, afterward, afterward, viaMenu, viaLobby, viaBoth, called}

// arrive brings a person's leg to the meeting's call on h. It returns nil when
// the person finds the door shut.
func (w *World) arrive(m *meeting, h *host, l *leg, by entrance) *leg {
	if !m.admits() || h.booted.After(w.now) {
		return nil
	}
	switch by {
	case direct:
		w.startLeg(h, l, w.callOn(m, h))
		w.after(w.dice.Seconds([2]int{0, 1}), func() { w.change(l, PhaseActive) })
	case called:
		l.Confirmation = "required"
		w.startLeg(h, l, w.callOn(m, h))
		w.after(w.dice.Seconds(w.tempo.ring), func() { w.answer(l) })
	case afterward:
		w.startLeg(h, l, nil)
		w.enter(l, w.callOn(m, h), PhaseActive)
	case viaLobby:
		w.startLeg(h, l, nil)
		w.enter(l, w.callOn(m, h), PhaseLobby)
		w.leaveLobby(l)
	case viaMenu, viaBoth:
		l.Confirmation = "notRequired"
		w.startLeg(h, l, nil)
		w.after(time.Second, func() { w.menu(m, l, by == viaBoth) })
	}
	return l
}

// answer connects an outgoing leg whose person pressed the key.
func (w *World) answer(l *leg) {
	l.Confirmation = "confirmed"
	w.change(l, PhaseActive)
}

// leaveLobby lets a waiting leg take part after a while.
func (w *World) leaveLobby(l *leg) {
	w.after(w.dice.Seconds(w.tempo.lobby), func() { w.change(l, PhaseActive) })
}

// menu keeps a leg in the interactive voice menu for a while, then puts it into
// the meeting if that still goes on.
func (w *World) menu(m *meeting, l *leg, lobby bool) {
	w.change(l, PhaseMenu)
	w.after(w.dice.Seconds(w.tempo.menu), func() {
		switch {
		case !l.open:
		case !m.admits():
			w.endLeg(l, ReasonIVRTimeout)
		case lobby:
			w.enter(l, w.callOn(m, l.host), PhaseLobby)
			w.leaveLobby(l)
		default:
			w.enter(l, w.callOn(m, l.host), PhaseActive)
		}
	})
}

// populate invites n people to a meeting, spread over hosts, the first of which
// is its home. The first person opens the meeting and stays to its end; the
// others come in the first part and most leave in the second.
func (w *World) populate(m *meeting, n int, hosts ...*host) {
	w.arrive(m, m.home, w.anybody(m), chance.Pick(w.dice, []entrance{direct, afterward}))
	for i := 1; i < n; i++ {
		w.invite(m, hosts[i%len(hosts)])
	}
	w.disappoint(m, hosts[w.dice.IntN(len(hosts))])
}

// anybody is the next person with the next device.
func (w *World) anybody(m *meeting) *leg {
	return w.caller(w.people.Deal(w.dice), w.devices.Deal(w.dice), m.dial)
}

// invite schedules the coming and going of one person.
func (w *World) invite(m *meeting, h *host) {
	life := m.end.Sub(m.start)
	by, who, why := w.entries.Deal(w.dice), w.people.Deal(w.dice), w.partings.Deal(w.dice)
	dev := w.devices.Deal(w.dice)
	leave := m.start.Add(w.dice.Share(life, 0.5, 1.2))
	w.after(w.dice.Share(life, 0.02, 0.4), func() {
		l := w.caller(who, dev, m.dial)
		if by == called {
			l = w.callee(who, dev, m.dial)
		}
		if w.arrive(m, h, l, by) != nil {
			w.at(leave, func() { w.part(l, why) })
		}
	})
}

// disappoint schedules a leg that does not work out.
func (w *World) disappoint(m *meeting, h *host) {
	f := w.failures.Deal(w.dice)
	who := w.people.Deal(w.dice)
	w.after(w.dice.Share(m.end.Sub(m.start), 0.1, 0.6), func() { w.fail(m, h, who, f) })
}

// fail plays one failure.
func (w *World) fail(m *meeting, h *host, who person, f failure) {
	c := m.on(h)
	if h.booted.After(w.now) || f.inCall && c == nil {
		return
	}
	if !f.inCall {
		c = nil
	}
	l := w.caller(who, roomDevice, m.dial)
	if f.outgoing {
		l = w.callee(who, roomDevice, m.dial)
	}
	l.Confirmation = f.confirmation
	w.startLeg(h, l, c)
	if f.answered {
		w.change(l, PhaseActive)
	}
	if f.menu {
		w.change(l, PhaseMenu)
	}
	wait := w.dice.Seconds([2]int{0, 2})
	if f.patient {
		wait = time.Duration(w.tempo.patience) * time.Second
	}
	w.after(wait, func() {
		l.Confirmation = f.verdict
		w.endLeg(l, f.reason)
	})
}
