// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// randomAction is an action that a person takes at random times.
type randomAction struct {
	weight int
	run    func(l *behaviorGenerator, g *attendee)
}

var randomActions = []randomAction{
	{40, func(_ *behaviorGenerator, g *attendee) { g.behavior.AudioMuted = !g.behavior.AudioMuted }},
	{15, func(_ *behaviorGenerator, g *attendee) { g.behavior.VideoMuted = !g.behavior.VideoMuted }},
	{15, func(l *behaviorGenerator, g *attendee) { g.behavior.Layout = chance.Pick(l.dice, layouts) }},
	{10, func(l *behaviorGenerator, g *attendee) { g.behavior.Importance = l.dice.IntN(10) }},
	{10, (*behaviorGenerator).putOnHold},
	{10, func(_ *behaviorGenerator, g *attendee) {
		if g.behavior.Name == "" {
			g.behavior.Name = "Caller " + g.leg.Participant[:4]
		}
	}},
}

// scheduleBetween schedules an action after a delay drawn between lo and hi seconds.
func (l *behaviorGenerator) scheduleBetween(lo, hi int, do func()) {
	wait := time.Duration(1000*lo+l.dice.IntN(1000*(hi-lo)+1)) * time.Millisecond
	l.schedule.Add(l.now.Add(wait/time.Duration(l.speedup)), do)
}

// emitBehavior emits the behavior of an attendee who is in a call.
func (l *behaviorGenerator) emitBehavior(g *attendee) {
	if g.meeting == nil {
		return
	}
	l.emit(g.bridge, g.session, BehaviorChanged{Leg: g.leg, Behavior: g.behavior})
}

func (l *behaviorGenerator) emit(bridge int, session string, payload Payload) {
	l.emitted = append(l.emitted, Event{
		At: l.now, Time: l.now.Add(l.skew[bridge]), Bridge: bridge, Session: session, Payload: payload,
	})
}

// prepareAttendee sets the first behavior of an attendee who enters a meeting.
func (l *behaviorGenerator) prepareAttendee(g *attendee) {
	if g.meeting.settings.MuteOnArrive && !g.behavior.AudioMuted {
		g.behavior.AudioMuted = true
		l.emitBehavior(g)
	}
	if g.leg.Direction == "outgoing" && g.leg.Phase == PhaseConnecting {
		l.scheduleBetween(0, 1, func() {
			if g.meeting != nil && g.leg.Phase == PhaseConnecting {
				g.behavior.Ringing = true
				l.emitBehavior(g)
			}
		})
	}
}

// startActions schedules random actions of a connected attendee until they leave.
func (l *behaviorGenerator) startActions(g *attendee) {
	if co := g.meeting; co.kind == CallLync && !co.recorded {
		co.recorded = true
		l.scheduleBetween(1, 4, func() { l.recordOnDevice(g, true) })
	}
	l.scheduleBetween(5, 40, func() { l.scheduleAction(g) })
}

func (l *behaviorGenerator) scheduleAction(g *attendee) {
	if !g.active {
		return
	}
	if g.meeting != nil {
		l.drawAction().run(l, g)
		l.emitBehavior(g)
	}
	l.scheduleBetween(5, 40, func() { l.scheduleAction(g) })
}

// drawAction draws an action by its weight.
func (l *behaviorGenerator) drawAction() randomAction {
	total := 0
	for _, x := range randomActions {
		total += x.weight
	}
	n := l.dice.IntN(total)
	for _, x := range randomActions {
		if n -= x.weight; n < 0 {
			return x
		}
	}
	return randomActions[0]
}

// putOnHold puts an attendee on hold for a while.
func (l *behaviorGenerator) putOnHold(g *attendee) {
	if g.behavior.OnHold {
		return
	}
	g.behavior.OnHold = true
	l.scheduleBetween(4, 20, func() {
		if g.active {
			g.behavior.OnHold = false
			l.emitBehavior(g)
		}
	})
}

// recordOnDevice makes an attendee's device record for a while.
func (l *behaviorGenerator) recordOnDevice(g *attendee, on bool) {
	if !g.active {
		return
	}
	g.behavior.EndpointRecording = on
	l.emitBehavior(g)
	if on {
		l.scheduleBetween(20, 60, func() { l.recordOnDevice(g, false) })
	}
}

// presentShare makes the participant of a sharing leg the presenter.
func (l *behaviorGenerator) presentShare(leg Leg) {
	if g := l.byPerson[leg.Participant]; g != nil && g.meeting != nil && !g.behavior.Presenter {
		l.setPresenter(g, true)
	}
}

// setPresenter makes an attendee the presenter, or ends their presentation.
func (l *behaviorGenerator) setPresenter(g *attendee, on bool) {
	co := g.meeting
	if co == nil || g.behavior.Presenter == on {
		return
	}
	if former := co.presenter; on && former != nil {
		former.behavior.Presenter = false
		l.emitBehavior(former)
	}
	co.presenter = nil
	if on {
		co.presenter = g
	}
	g.behavior.Presenter = on
	l.emitBehavior(g)
}

// startMeetingActions schedules the actions in a meeting until it ends.
func (l *behaviorGenerator) startMeetingActions(co *liveMeeting) {
	l.scheduleBetween(2, 8, func() { l.changeSpeaker(co) })
	l.scheduleBetween(20, 60, func() { l.startPresenting(co) })
	l.scheduleBetween(30, 120, func() { l.changeMeeting(co) })
}

func (co *liveMeeting) hasEnded() bool { return len(co.calls) == 0 }

// changeSpeaker makes another attendee the active speaker, or none.
func (l *behaviorGenerator) changeSpeaker(co *liveMeeting) {
	if co.hasEnded() {
		return
	}
	var next *attendee
	if g := l.randomAttendee(co); g != nil && !g.behavior.AudioMuted && !g.behavior.OnHold {
		next = g
	}
	if former := co.speaker; former != next {
		co.speaker = next
		if former != nil {
			former.behavior.ActiveSpeaker = false
			l.emitBehavior(former)
		}
		if next != nil {
			next.behavior.ActiveSpeaker = true
			l.emitBehavior(next)
		}
	}
	l.scheduleBetween(3, 15, func() { l.changeSpeaker(co) })
}

// randomAttendee returns a random active attendee, or nil.
func (l *behaviorGenerator) randomAttendee(co *liveMeeting) *attendee {
	if len(co.attendees) == 0 {
		return nil
	}
	if g := chance.Pick(l.dice, co.attendees); g.active {
		return g
	}
	return nil
}

// startPresenting makes an attendee present for a while.
func (l *behaviorGenerator) startPresenting(co *liveMeeting) {
	if co.hasEnded() {
		return
	}
	if g := l.randomAttendee(co); g != nil && co.presenter == nil {
		l.setPresenter(g, true)
		l.scheduleBetween(10, 60, func() { l.setPresenter(g, false) })
	}
	l.scheduleBetween(30, 120, func() { l.startPresenting(co) })
}

// changeMeeting locks or unlocks the meeting, or changes whether newcomers are muted.
func (l *behaviorGenerator) changeMeeting(co *liveMeeting) {
	if co.hasEnded() {
		return
	}
	if l.dice.Chance(0.7) {
		co.settings.Locked = !co.settings.Locked
	} else {
		co.settings.MuteOnArrive = !co.settings.MuteOnArrive
	}
	first := co.calls[0]
	l.emit(first.bridge, first.session, SettingsChanged{Correlator: co.correlator, Settings: co.settings})
	l.scheduleBetween(30, 120, func() { l.changeMeeting(co) })
}
