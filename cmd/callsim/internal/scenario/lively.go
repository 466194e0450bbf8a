// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"iter"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// Lively adds the behavior of people to the events of a scenario: they ring, mute
// themselves, speak, present, are put on hold, lock the meeting. It yields the events
// unchanged and in their order, with [PersonBehaved] and [MeetingBehaved] events between
// them, which are drawn from a stream of their own. The events must be those of the same
// Config.
func Lively(cfg Config, story iter.Seq[Event]) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		l := newLively(cfg)
		for ev := range story {
			for l.agenda.Len() > 0 && l.agenda.When().Before(ev.At) {
				next := l.agenda.Next()
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

// lively tracks the events of a scenario and draws the behavior of its people.
type lively struct {
	dice    chance.Dice
	haste   int // divides all durations
	now     time.Time
	agenda  chance.Schedule
	emitted []Event // behavior events not yielded yet

	guests    map[string]*guest   // by leg
	byPerson  map[string]*guest   // by participant
	companies map[string]*company // by correlator
	calls     map[string]*company // by call
	skew      map[int]time.Duration
}

// guest is a person in a meeting.
type guest struct {
	leg     Leg
	bridge  int
	session string
	manner  Manner
	company *company // nil outside calls and once gone
	awake   bool     // behaves
}

// company is the set of people in one meeting.
type company struct {
	correlator string
	kind       CallType
	manner     MeetingManner
	calls      []hosted
	guests     []*guest
	speaker    *guest
	presenter  *guest
	recorded   bool // a device has recorded
}

// hosted is a call of a company.
type hosted struct {
	id      string
	bridge  int
	session string
}

func newLively(cfg Config) *lively {
	l := &lively{
		dice: chance.NewDice(cfg.Seed, streamManners), haste: 1,
		guests: map[string]*guest{}, byPerson: map[string]*guest{},
		companies: map[string]*company{}, calls: map[string]*company{}, skew: map[int]time.Duration{},
	}
	if cfg.Short {
		l.haste = 4
	}
	return l
}

func (l *lively) yieldEmitted(yield func(Event) bool) bool {
	for _, ev := range l.emitted {
		if !yield(ev) {
			return false
		}
	}
	l.emitted = l.emitted[:0]
	return true
}

func (l *lively) applyEvent(ev Event) {
	l.skew[ev.Bridge] = ev.Time.Sub(ev.At)
	switch what := ev.What.(type) {
	case CallStarted:
		l.addCall(ev, what.Call)
	case CallEnded:
		l.endCall(what.Call.ID)
	case LegStarted:
		l.placeGuest(ev, what.Leg)
	case LegChanged:
		l.placeGuest(ev, what.Leg)
	case LegEnded:
		l.endLeg(what.Leg)
	case BridgeRestarted:
		l.clearBridge(ev.Bridge)
	}
}

func (l *lively) addCall(ev Event, c Call) {
	co := l.companies[c.Correlator]
	if co == nil {
		co = &company{correlator: c.Correlator, kind: c.Type}
		l.companies[c.Correlator] = co
		l.startCompany(co)
	}
	co.calls = append(co.calls, hosted{id: c.ID, bridge: ev.Bridge, session: ev.Session})
	l.calls[c.ID] = co
}

func (l *lively) endCall(id string) {
	co := l.calls[id]
	if co == nil {
		return
	}
	delete(l.calls, id)
	co.calls = slices.DeleteFunc(co.calls, func(h hosted) bool { return h.id == id })
	if len(co.calls) == 0 {
		delete(l.companies, co.correlator)
	}
}

func (l *lively) placeGuest(ev Event, leg Leg) {
	if leg.Kind == KindSharing {
		l.presentShare(leg)
	}
	if leg.Kind != KindPerson {
		return
	}
	g := l.guests[leg.ID]
	if g == nil {
		g = &guest{bridge: ev.Bridge, session: ev.Session, manner: FirstManner(leg)}
		l.guests[leg.ID], l.byPerson[leg.Participant] = g, g
	}
	g.leg = leg
	if co := l.calls[leg.Call()]; co != nil && co != g.company {
		l.leaveCompany(g)
		g.company = co
		co.guests = append(co.guests, g)
		l.addBehavior(g)
	}
	if leg.Phase == PhaseActive && g.company != nil && !g.awake {
		g.awake = true
		l.startBehaving(g)
	}
}

func (l *lively) endLeg(leg Leg) {
	g := l.byPerson[leg.Participant]
	switch {
	case g == nil:
	case leg.Kind == KindSharing:
		l.setPresenter(g, false)
	case leg.Kind == KindPerson:
		l.removeGuest(g)
	}
}

// removeGuest removes a guest whose leg has ended. Its scheduled actions then have no
// effect.
func (l *lively) removeGuest(g *guest) {
	l.leaveCompany(g)
	g.awake = false
	delete(l.guests, g.leg.ID)
	delete(l.byPerson, g.leg.Participant)
}

// leaveCompany removes a guest from its company. It loses the roles that it had there,
// without an event, because the guest has left.
func (l *lively) leaveCompany(g *guest) {
	co := g.company
	if co == nil {
		return
	}
	co.guests = slices.DeleteFunc(co.guests, func(x *guest) bool { return x == g })
	if co.speaker == g {
		co.speaker = nil
	}
	if co.presenter == g {
		co.presenter = nil
	}
	g.manner.ActiveSpeaker, g.manner.Presenter = false, false
	g.company = nil
}

func (l *lively) clearBridge(bridge int) {
	for _, g := range l.guests {
		if g.bridge == bridge {
			l.removeGuest(g)
		}
	}
	for id, co := range l.calls {
		if slices.ContainsFunc(co.calls, func(h hosted) bool { return h.id == id && h.bridge == bridge }) {
			l.endCall(id)
		}
	}
}
