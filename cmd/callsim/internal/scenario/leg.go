// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"slices"
	"time"
)

// leg is an open or past leg of a host.
//
//	connecting --menu--> menu --enter--> lobby --activate--> active
//	     \___________________enter______/________________/
//
// and from everywhere endLeg, or nothing at all when the bridge restarts.
type leg struct {
	Leg
	host   *host
	call   *call
	device device
	began  time.Time
	since  time.Time // when the present phase began
	open   bool
	menu   time.Duration
	lobby  time.Duration
	peer   *leg   // the other end of a distribution link
	shares []*leg // screens the same participant shares
	onEnd  func() // called just before the leg ends
}

// startLeg opens a leg, in call c unless that is nil.
func (w *World) startLeg(h *host, l *leg, c *call) {
	l.ID = w.dice.GUID()
	l.host, l.open = h, true
	l.began, l.since = w.now, w.now
	h.legs = append(h.legs, l)
	if c != nil {
		c.addLeg(l)
	}
	w.emit(h, LegStarted{Leg: l.Leg})
}

// setPhase enters a phase and adds up the time spent in the former one.
func (l *leg) setPhase(now time.Time, to Phase) {
	switch spent := now.Sub(l.since); l.Phase {
	case PhaseMenu:
		l.menu += spent
	case PhaseLobby:
		l.lobby += spent
	}
	l.Phase, l.since = to, now
}

// changePhase enters a phase and emits the change.
func (w *World) changePhase(l *leg, to Phase) {
	if !l.open {
		return
	}
	l.setPhase(w.now, to)
	w.emit(l.host, LegChanged{Leg: l.Leg})
}

// enterCall moves a leg into a call, out of its current one.
func (w *World) enterCall(l *leg, c *call, to Phase) {
	former := l.call
	if former != nil {
		former.removeLeg(l)
	}
	c.addLeg(l)
	w.changePhase(l, to)
	if former != nil {
		w.endIfEmpty(former)
	}
}

// endLeg ends a leg and everything that depends on it. It ignores a leg that has ended or
// that a restart forgot.
func (w *World) endLeg(l *leg, reason Reason) {
	if !l.open {
		return
	}
	for _, share := range l.shares {
		w.endLeg(share, reason)
	}
	if l.onEnd != nil {
		l.onEnd()
	}
	l.setPhase(w.now, l.Phase)
	l.open = false
	l.host.legs = slices.DeleteFunc(l.host.legs, func(x *leg) bool { return x == l })
	w.emit(l.host, w.legEndedEvent(l, reason))
	if l.peer != nil {
		w.endLeg(l.peer, ReasonRemote)
	}
	if l.call != nil {
		l.call.completed++
		l.call.removeLeg(l)
		w.endIfEmpty(l.call)
	}
}

func (w *World) legEndedEvent(l *leg, reason Reason) LegEnded {
	ev := LegEnded{
		Leg: l.Leg, Reason: reason, Duration: w.now.Sub(l.began), Menu: l.menu, Lobby: l.lobby,
	}
	if reason == ReasonRemote {
		ev.Detail = l.device.detail
	}
	if l.Phase != PhaseConnecting && ev.Duration > 0 {
		ev.Media = w.drawMedia(l, ev.Duration)
	}
	return ev
}

// endPersonLeg ends a person's leg. By chance the bridge repeats its last state just
// before.
func (w *World) endPersonLeg(l *leg, reason Reason) {
	if l.open && l.Phase == PhaseActive && w.dice.Chance(0.15) {
		w.emit(l.host, LegChanged{Leg: l.Leg, Bare: true})
	}
	w.endLeg(l, reason)
}
