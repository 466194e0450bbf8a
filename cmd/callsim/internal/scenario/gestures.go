// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// gesture is a random behavior of a person.
type gesture struct {
	weight int
	do     func(l *lively, g *guest)
}

var gestures = []gesture{
	{40, func(_ *lively, g *guest) { g.manner.AudioMuted = !g.manner.AudioMuted }},
	{15, func(_ *lively, g *guest) { g.manner.VideoMuted = !g.manner.VideoMuted }},
	{15, func(l *lively, g *guest) { g.manner.Layout = chance.Pick(l.dice, layouts) }},
	{10, func(l *lively, g *guest) { g.manner.Importance = l.dice.IntN(10) }},
	{10, (*lively).putOnHold},
	{10, func(_ *lively, g *guest) {
		if g.manner.Name == "" {
			g.manner.Name = "Caller " + g.leg.Participant[:4]
		}
	}},
}

// scheduleBetween schedules an action after a delay drawn between lo and hi seconds.
func (l *lively) scheduleBetween(lo, hi int, do func()) {
	wait := time.Duration(1000*lo+l.dice.IntN(1000*(hi-lo)+1)) * time.Millisecond
	l.agenda.Add(l.now.Add(wait/time.Duration(l.haste)), do)
}

// emitManner emits the manner of a guest who is in a call.
func (l *lively) emitManner(g *guest) {
	if g.company == nil {
		return
	}
	l.add(g.bridge, g.session, PersonBehaved{Leg: g.leg, Manner: g.manner})
}

func (l *lively) add(bridge int, session string, what Happening) {
	l.emitted = append(l.emitted, Event{
		At: l.now, Time: l.now.Add(l.skew[bridge]), Bridge: bridge, Session: session, What: what,
	})
}

// addBehavior prepares a guest who enters a company.
func (l *lively) addBehavior(g *guest) {
	if g.company.manner.MuteOnArrive && !g.manner.AudioMuted {
		g.manner.AudioMuted = true
		l.emitManner(g)
	}
	if g.leg.Direction == "outgoing" && g.leg.Phase == PhaseConnecting {
		l.scheduleBetween(0, 1, func() {
			if g.company != nil && g.leg.Phase == PhaseConnecting {
				g.manner.Ringing = true
				l.emitManner(g)
			}
		})
	}
}

// startBehaving schedules gestures of a connected guest until it leaves.
func (l *lively) startBehaving(g *guest) {
	if co := g.company; co.kind == CallLync && !co.recorded {
		co.recorded = true
		l.scheduleBetween(1, 4, func() { l.recordOnDevice(g, true) })
	}
	l.scheduleBetween(5, 40, func() { l.scheduleGesture(g) })
}

func (l *lively) scheduleGesture(g *guest) {
	if !g.awake {
		return
	}
	if g.company != nil {
		l.drawGesture().do(l, g)
		l.emitManner(g)
	}
	l.scheduleBetween(5, 40, func() { l.scheduleGesture(g) })
}

// drawGesture draws a gesture by its weight.
func (l *lively) drawGesture() gesture {
	total := 0
	for _, x := range gestures {
		total += x.weight
	}
	n := l.dice.IntN(total)
	for _, x := range gestures {
		if n -= x.weight; n < 0 {
			return x
		}
	}
	return gestures[0]
}

// putOnHold puts a guest on hold for a while.
func (l *lively) putOnHold(g *guest) {
	if g.manner.OnHold {
		return
	}
	g.manner.OnHold = true
	l.scheduleBetween(4, 20, func() {
		if g.awake {
			g.manner.OnHold = false
			l.emitManner(g)
		}
	})
}

// recordOnDevice makes a guest's device record for a while.
func (l *lively) recordOnDevice(g *guest, on bool) {
	if !g.awake {
		return
	}
	g.manner.EndpointRecording = on
	l.emitManner(g)
	if on {
		l.scheduleBetween(20, 60, func() { l.recordOnDevice(g, false) })
	}
}

// presentShare makes the participant of a sharing leg the presenter.
func (l *lively) presentShare(leg Leg) {
	if g := l.byPerson[leg.Participant]; g != nil && g.company != nil && !g.manner.Presenter {
		l.setPresenter(g, true)
	}
}

// setPresenter makes a guest the presenter, or ends its presentation.
func (l *lively) setPresenter(g *guest, on bool) {
	co := g.company
	if co == nil || g.manner.Presenter == on {
		return
	}
	if former := co.presenter; on && former != nil {
		former.manner.Presenter = false
		l.emitManner(former)
	}
	co.presenter = nil
	if on {
		co.presenter = g
	}
	g.manner.Presenter = on
	l.emitManner(g)
}

// startCompany schedules the behavior of a company until it ends.
func (l *lively) startCompany(co *company) {
	l.scheduleBetween(2, 8, func() { l.changeSpeaker(co) })
	l.scheduleBetween(20, 60, func() { l.startPresenting(co) })
	l.scheduleBetween(30, 120, func() { l.changeMeeting(co) })
}

func (co *company) over() bool { return len(co.calls) == 0 }

// changeSpeaker makes another guest the active speaker, or none.
func (l *lively) changeSpeaker(co *company) {
	if co.over() {
		return
	}
	var next *guest
	if g := l.randomGuest(co); g != nil && !g.manner.AudioMuted && !g.manner.OnHold {
		next = g
	}
	if former := co.speaker; former != next {
		co.speaker = next
		if former != nil {
			former.manner.ActiveSpeaker = false
			l.emitManner(former)
		}
		if next != nil {
			next.manner.ActiveSpeaker = true
			l.emitManner(next)
		}
	}
	l.scheduleBetween(3, 15, func() { l.changeSpeaker(co) })
}

// randomGuest returns a random guest who behaves, or nil.
func (l *lively) randomGuest(co *company) *guest {
	if len(co.guests) == 0 {
		return nil
	}
	if g := chance.Pick(l.dice, co.guests); g.awake {
		return g
	}
	return nil
}

// startPresenting makes a guest present for a while.
func (l *lively) startPresenting(co *company) {
	if co.over() {
		return
	}
	if g := l.randomGuest(co); g != nil && co.presenter == nil {
		l.setPresenter(g, true)
		l.scheduleBetween(10, 60, func() { l.setPresenter(g, false) })
	}
	l.scheduleBetween(30, 120, func() { l.startPresenting(co) })
}

// changeMeeting locks or unlocks the meeting, or changes whether newcomers are muted.
func (l *lively) changeMeeting(co *company) {
	if co.over() {
		return
	}
	if l.dice.Chance(0.7) {
		co.manner.Locked = !co.manner.Locked
	} else {
		co.manner.MuteOnArrive = !co.manner.MuteOnArrive
	}
	first := co.calls[0]
	l.add(first.bridge, first.session, MeetingBehaved{Correlator: co.correlator, Manner: co.manner})
	l.scheduleBetween(30, 120, func() { l.changeMeeting(co) })
}
