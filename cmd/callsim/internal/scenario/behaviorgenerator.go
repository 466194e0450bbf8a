// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"iter"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// WithBehavior adds the behavior of people to the events of a scenario: they ring, mute
// themselves, speak, present, are put on hold, lock the meeting. It yields the events
// unchanged and in their order. Between them it yields [BehaviorChanged] and [SettingsChanged]
// events, which it draws from a random stream of its own. The events must be those of the same
// Config.
func WithBehavior(cfg Config, events iter.Seq[Event]) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		l := newBehaviorGenerator(cfg)
		for ev := range events {
			for l.schedule.Len() > 0 && l.schedule.When().Before(ev.At) {
				next := l.schedule.Next()
				l.now = next.At
				next.Do()
				if !l.yieldEmitted(yield) {
					return
				}
			}
			l.now = ev.At
			if !yield(ev) {
				return
			}
			l.applyEvent(ev)
			if !l.yieldEmitted(yield) {
				return
			}
		}
	}
}

// behaviorGenerator applies the events of a scenario and draws the behavior of its people.
type behaviorGenerator struct {
	dice     chance.Dice
	speedup  int // divides all durations
	now      time.Time
	schedule chance.Schedule
	emitted  []Event // behavior events not yielded yet

	attendees     map[string]*attendee    // by leg
	byPerson      map[string]*attendee    // by participant
	meetings      map[string]*liveMeeting // by correlator
	meetingOfCall map[string]*liveMeeting // by call
	skew          map[int]time.Duration
}

// attendee is a person's leg and its behavior.
type attendee struct {
	leg      Leg
	bridge   int
	session  string
	behavior Behavior
	meeting  *liveMeeting // nil outside calls and after the leg has ended
	active   bool         // takes random actions
}

// liveMeeting is a meeting with its open calls and attendees.
type liveMeeting struct {
	correlator string
	kind       CallType
	settings   MeetingSettings
	calls      []liveCall
	attendees  []*attendee
	speaker    *attendee
	presenter  *attendee
	recorded   bool // a device has recorded
}

// liveCall is an open call of a meeting.
type liveCall struct {
	id      string
	bridge  int
	session string
}

func newBehaviorGenerator(cfg Config) *behaviorGenerator {
	l := &behaviorGenerator{
		dice: chance.NewDice(cfg.Seed, streamBehavior), speedup: 1,
		attendees: map[string]*attendee{}, byPerson: map[string]*attendee{},
		meetings: map[string]*liveMeeting{}, meetingOfCall: map[string]*liveMeeting{}, skew: map[int]time.Duration{},
	}
	if cfg.Short {
		l.speedup = 4
	}
	return l
}

func (l *behaviorGenerator) yieldEmitted(yield func(Event) bool) bool {
	for _, ev := range l.emitted {
		if !yield(ev) {
			return false
		}
	}
	l.emitted = l.emitted[:0]
	return true
}

func (l *behaviorGenerator) applyEvent(ev Event) {
	l.skew[ev.Bridge] = ev.Time.Sub(ev.At)
	switch payload := ev.Payload.(type) {
	case CallStarted:
		l.addCall(ev, payload.Call)
	case CallEnded:
		l.endCall(payload.Call.ID)
	case LegStarted:
		l.updateAttendee(ev, payload.Leg)
	case LegChanged:
		l.updateAttendee(ev, payload.Leg)
	case LegEnded:
		l.endLeg(payload.Leg)
	case BridgeRestarted:
		l.clearBridge(ev.Bridge)
	}
}

func (l *behaviorGenerator) addCall(ev Event, c Call) {
	co := l.meetings[c.Correlator]
	if co == nil {
		co = &liveMeeting{correlator: c.Correlator, kind: c.Type}
		l.meetings[c.Correlator] = co
		l.startMeetingActions(co)
	}
	co.calls = append(co.calls, liveCall{id: c.ID, bridge: ev.Bridge, session: ev.Session})
	l.meetingOfCall[c.ID] = co
}

func (l *behaviorGenerator) endCall(id string) {
	co := l.meetingOfCall[id]
	if co == nil {
		return
	}
	delete(l.meetingOfCall, id)
	co.calls = slices.DeleteFunc(co.calls, func(h liveCall) bool { return h.id == id })
	if len(co.calls) == 0 {
		delete(l.meetings, co.correlator)
	}
}

func (l *behaviorGenerator) updateAttendee(ev Event, leg Leg) {
	if leg.Kind == KindSharing {
		l.presentShare(leg)
	}
	if leg.Kind != KindPerson {
		return
	}
	g := l.attendees[leg.ID]
	if g == nil {
		g = &attendee{bridge: ev.Bridge, session: ev.Session, behavior: InitialBehavior(leg)}
		l.attendees[leg.ID], l.byPerson[leg.Participant] = g, g
	}
	g.leg = leg
	if co := l.meetingOfCall[leg.Call()]; co != nil && co != g.meeting {
		l.leaveMeeting(g)
		g.meeting = co
		co.attendees = append(co.attendees, g)
		l.prepareAttendee(g)
	}
	if leg.Phase == PhaseActive && g.meeting != nil && !g.active {
		g.active = true
		l.startActions(g)
	}
}

func (l *behaviorGenerator) endLeg(leg Leg) {
	g := l.byPerson[leg.Participant]
	switch {
	case g == nil:
	case leg.Kind == KindSharing:
		l.setPresenter(g, false)
	case leg.Kind == KindPerson:
		l.removeAttendee(g)
	}
}

// removeAttendee removes an attendee whose leg has ended. Their scheduled actions then have no
// effect.
func (l *behaviorGenerator) removeAttendee(g *attendee) {
	l.leaveMeeting(g)
	g.active = false
	delete(l.attendees, g.leg.ID)
	delete(l.byPerson, g.leg.Participant)
}

// leaveMeeting removes an attendee from their meeting. They lose their roles there, without an
// event.
func (l *behaviorGenerator) leaveMeeting(g *attendee) {
	co := g.meeting
	if co == nil {
		return
	}
	co.attendees = slices.DeleteFunc(co.attendees, func(x *attendee) bool { return x == g })
	if co.speaker == g {
		co.speaker = nil
	}
	if co.presenter == g {
		co.presenter = nil
	}
	g.behavior.ActiveSpeaker, g.behavior.Presenter = false, false
	g.meeting = nil
}

func (l *behaviorGenerator) clearBridge(bridge int) {
	for _, g := range l.attendees {
		if g.bridge == bridge {
			l.removeAttendee(g)
		}
	}
	for id, co := range l.meetingOfCall {
		if slices.ContainsFunc(co.calls, func(h liveCall) bool { return h.id == id && h.bridge == bridge }) {
			l.endCall(id)
		}
	}
}
