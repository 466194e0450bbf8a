// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"maps"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// audience is told every difference on the stage, at once and in order.
type audience interface {
	// callList is told what the list of calls on a bridge shows anew.
	callList(b *bridge, u update)
	// callInfo is told what changed of a call.
	callInfo(c *call, changed elements)
	// roster is told what changed of a person in the roster of a call.
	roster(c *call, u update)
	// callOver is told that a call is no more; before its removal from the
	// list when the meeting goes on elsewhere.
	callOver(c *call)
}

// stage is what goes on in the cluster.
type stage struct {
	bridges  []*bridge
	calls    map[string]*call
	people   map[string]*person // by leg
	meetings map[string]*meeting
	watch    audience

	// The participants of the latest legs, for people who are moved: the new
	// leg may come after the old one has gone.
	lately map[string]string
	ring   []string
}

// remembered bounds the legs remembered after their end.
const remembered = 1024

// bridge is one Call Bridge on the stage.
type bridge struct {
	scenario.Bridge
	index int
	calls []*call
	boot  time.Time      // of the restart that began the present session, zero at first
	last  scenario.Event // that happened here
	legs  legCount
	live  []*liveLeg // in the order of their start
}

// legCount counts legs of all kinds since the bridge started.
type legCount struct{ active, most, completed int }

// meeting is the calls with one correlator.
type meeting struct {
	calls  []*call
	manner scenario.MeetingManner
}

// call is a call on the stage with what was shown of it last.
type call struct {
	scenario.Call
	began      time.Time // on the bridge's clock
	on         *bridge
	meeting    *meeting
	people     []*person
	recordings int
	streamings int
	shownList  elements
	shownInfo  elements
}

// person is a participant on the stage, in a call or on the way to one.
type person struct {
	leg       scenario.Leg
	on        *bridge
	call      *call // nil before the first one
	manner    scenario.Manner
	movedFrom string // the participant this one continues
	shown     elements
}

func newStage(bridges []scenario.Bridge, watch audience) *stage {
	s := &stage{
		calls: map[string]*call{}, people: map[string]*person{}, meetings: map[string]*meeting{},
		lately: map[string]string{}, watch: watch,
	}
	for i, b := range bridges {
		s.bridges = append(s.bridges, &bridge{Bridge: b, index: i})
	}
	return s
}

// observe folds one event.
func (s *stage) observe(ev scenario.Event) {
	b := s.bridges[ev.Bridge]
	b.last = ev
	switch what := ev.What.(type) {
	case scenario.CallStarted:
		s.callStarted(b, what.Call)
	case scenario.CallEnded:
		s.callEnded(s.calls[what.Call.ID])
	case scenario.LegStarted:
		b.legs.active++
		b.legs.most = max(b.legs.most, b.legs.active)
		b.live = append(b.live, &liveLeg{what.Leg, ev.Time})
		s.remember(what.Leg)
		s.legSeen(b, what.Leg)
	case scenario.LegChanged:
		b.legChanged(what.Leg)
		s.legSeen(b, what.Leg)
	case scenario.LegEnded:
		b.legs.active--
		b.legs.completed++
		b.live = slices.DeleteFunc(b.live, func(l *liveLeg) bool { return l.ID == what.Leg.ID })
		s.legEnded(what)
	case scenario.RecordingStarted:
		s.count(what.Recording.Call, func(c *call) { c.recordings++ })
	case scenario.RecordingEnded:
		s.count(what.Recording.Call, func(c *call) { c.recordings-- })
	case scenario.StreamingStarted:
		s.count(what.Streaming.Call, func(c *call) { c.streamings++ })
	case scenario.StreamingEnded:
		s.count(what.Streaming.Call, func(c *call) { c.streamings-- })
	case scenario.BridgeRestarted:
		s.restarted(b)
		b.boot, b.legs, b.live = ev.Time, legCount{}, nil
	case scenario.PersonBehaved:
		if p := s.people[what.Leg.ID]; p != nil {
			p.manner = what.Manner
			s.refreshPerson(p)
		}
	case scenario.MeetingBehaved:
		if m := s.meetings[what.Correlator]; m != nil {
			m.manner = what.Manner
			s.refresh(m)
		}
	}
}

// legChanged keeps what is known of an open leg.
func (b *bridge) legChanged(now scenario.Leg) {
	for _, l := range b.live {
		if l.ID == now.ID {
			l.Leg = now
		}
	}
}

func (s *stage) remember(l scenario.Leg) {
	s.lately[l.ID] = l.Participant
	s.ring = append(s.ring, l.ID)
	if len(s.ring) > remembered {
		delete(s.lately, s.ring[0])
		s.ring = s.ring[1:]
	}
}

func (s *stage) callStarted(b *bridge, about scenario.Call) {
	m := s.meetings[about.Correlator]
	if m == nil {
		m = &meeting{}
		s.meetings[about.Correlator] = m
	}
	c := &call{Call: about, began: b.last.Time, on: b, meeting: m}
	m.calls = append(m.calls, c)
	b.calls = append(b.calls, c)
	s.calls[c.ID] = c
	c.shownList, c.shownInfo = c.listElements(), c.infoElements()
	s.watch.callList(b, update{id: c.ID, kind: kindAdd, elements: c.shownList})
	s.refresh(m)
}

func (s *stage) callEnded(c *call) {
	if c == nil {
		return
	}
	s.strike(c)
	gone := update{id: c.ID, kind: kindRemove}
	if len(c.meeting.calls) > 0 {
		// The bridge leaves, and the meeting goes on without it: everybody goes
		// from its roster, though nobody leaves.
		for _, p := range c.everybody() {
			s.watch.roster(c, update{id: p.leg.Participant, kind: kindRemove})
		}
		s.watch.callOver(c)
		s.watch.callList(c.on, gone)
	} else {
		s.watch.callList(c.on, gone)
		s.watch.callOver(c)
	}
	s.refresh(c.meeting)
}

// strike takes a call off the stage.
func (s *stage) strike(c *call) {
	is := func(x *call) bool { return x == c }
	delete(s.calls, c.ID)
	c.on.calls = slices.DeleteFunc(c.on.calls, is)
	c.meeting.calls = slices.DeleteFunc(c.meeting.calls, is)
	if len(c.meeting.calls) == 0 {
		delete(s.meetings, c.Correlator)
	}
}

// legSeen puts a person where the leg is now. Legs of other kinds are nobody.
func (s *stage) legSeen(b *bridge, l scenario.Leg) {
	if l.Kind != scenario.KindPerson {
		return
	}
	p := s.people[l.ID]
	if p == nil {
		p = &person{on: b, manner: scenario.FirstManner(l), movedFrom: s.lately[l.MovedFrom]}
		s.people[l.ID] = p
	}
	p.leg = l
	to := s.calls[l.Call()]
	if to == p.call || to == nil {
		s.refreshPerson(p)
		return
	}
	if p.call != nil {
		s.leave(p, string(scenario.ReasonCallMoved))
		p.manner.ActiveSpeaker, p.manner.Presenter = false, false
	}
	p.call = to
	to.people = append(to.people, p)
	p.shown = p.elements()
	for _, c := range to.meeting.calls {
		s.watch.roster(c, update{id: l.Participant, kind: kindAdd, elements: p.shown})
	}
	s.refresh(to.meeting)
}

func (s *stage) legEnded(end scenario.LegEnded) {
	p := s.people[end.Leg.ID]
	if p == nil {
		return
	}
	delete(s.people, end.Leg.ID)
	if p.call != nil {
		s.leave(p, string(end.Reason))
	}
}

// leave takes a person out of a call. Only the bridge that hosts the person
// knows why.
func (s *stage) leave(p *person, reason string) {
	from := p.call
	p.call = nil
	from.people = slices.DeleteFunc(from.people, func(x *person) bool { return x == p })
	for _, c := range from.meeting.calls {
		gone := update{id: p.leg.Participant, kind: kindRemove}
		if c == from {
			gone.reason = reason
		}
		s.watch.roster(c, gone)
	}
	s.refresh(from.meeting)
}

// restarted clears a bridge. Its own clients have lost their sockets; those of
// the other bridges see its people vanish.
func (s *stage) restarted(b *bridge) {
	for _, c := range slices.Clone(b.calls) {
		s.strike(c)
		for _, p := range c.people {
			for _, other := range c.meeting.calls {
				s.watch.roster(other, update{id: p.leg.Participant, kind: kindRemove})
			}
		}
		s.refresh(c.meeting)
	}
	maps.DeleteFunc(s.people, func(_ string, p *person) bool { return p.on == b })
}

func (s *stage) count(id string, change func(*call)) {
	if c := s.calls[id]; c != nil {
		change(c)
		s.refresh(c.meeting)
	}
}

// refresh tells what is different now of the calls of a meeting.
func (s *stage) refresh(m *meeting) {
	for _, c := range m.calls {
		list := c.listElements()
		if changed := list.since(c.shownList); len(changed) > 0 {
			c.shownList = list
			s.watch.callList(c.on, update{id: c.ID, kind: kindUpdate, elements: changed})
		}
		info := c.infoElements()
		if changed := info.since(c.shownInfo); len(changed) > 0 {
			c.shownInfo = info
			s.watch.callInfo(c, changed)
		}
	}
}

// refreshPerson tells what is different now of a person in a call.
func (s *stage) refreshPerson(p *person) {
	if p.call == nil {
		return
	}
	now := p.elements()
	changed := now.since(p.shown)
	if len(changed) == 0 {
		return
	}
	p.shown = now
	for _, c := range p.call.meeting.calls {
		s.watch.roster(c, update{id: p.leg.Participant, kind: kindUpdate, elements: changed})
	}
	if _, ok := changed["endpointRecording"]; ok {
		s.refresh(p.call.meeting)
	}
}

// everybody lists the people in the roster of a call, those on other bridges
// included.
func (c *call) everybody() []*person {
	list := slices.Clone(c.people)
	for _, other := range c.meeting.calls {
		if other != c {
			list = append(list, other.people...)
		}
	}
	return list
}
