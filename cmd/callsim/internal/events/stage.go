// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"maps"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// audience receives every difference on the stage, at once and in order.
type audience interface {
	// updateList receives an update of a bridge's list of calls.
	updateList(b *bridge, u update)
	// updateInfo receives the changed elements of a call.
	updateInfo(c *call, changed elements)
	// updateRoster receives an update of a participant in the roster of a call.
	updateRoster(c *call, u update)
	// endSubscriptions receives the end of a call. If the meeting continues on another
	// bridge, it comes before the removal from the list.
	endSubscriptions(c *call)
}

// stage is the state of the cluster: the calls and people after the events so far.
type stage struct {
	bridges  []*bridge
	calls    map[string]*call
	people   map[string]*person // by leg
	meetings map[string]*meeting
	audience audience

	// recentParticipants are the participants of the latest legs, for people who are moved:
	// the new leg may begin after the old one has ended.
	recentParticipants map[string]string
	recentLegs         []string
}

// maxRecentLegs bounds recentLegs.
const maxRecentLegs = 1024

// bridge is one Call Bridge on the stage.
type bridge struct {
	scenario.Bridge
	index     int
	calls     []*call
	bootedAt  time.Time      // when the current session began; zero before the first restart
	lastEvent scenario.Event // of this bridge
	legs      legCount
	openLegs  []*liveLeg // in the order of their start
}

// legCount counts legs of all kinds since the bridge started.
type legCount struct{ active, maxActive, completed int }

// meeting is the set of calls with one correlator.
type meeting struct {
	calls    []*call
	settings scenario.MeetingSettings
}

// call is a call with the elements that were last reported.
type call struct {
	scenario.Call
	began        time.Time // on the bridge's clock
	bridge       *bridge
	meeting      *meeting
	people       []*person
	recordings   int
	streamings   int
	reportedList elements
	reportedInfo elements
}

// person is a participant, in a call or before the first one.
type person struct {
	leg       scenario.Leg
	bridge    *bridge
	call      *call // nil before the first one
	behavior  scenario.Behavior
	movedFrom string // the participant that this one continues
	reported  elements
}

func newStage(bridges []scenario.Bridge, watch audience) *stage {
	s := &stage{
		calls: map[string]*call{}, people: map[string]*person{}, meetings: map[string]*meeting{},
		recentParticipants: map[string]string{}, audience: watch,
	}
	for i, b := range bridges {
		s.bridges = append(s.bridges, &bridge{Bridge: b, index: i})
	}
	return s
}

// applyEvent applies one event.
func (s *stage) applyEvent(ev scenario.Event) {
	b := s.bridges[ev.Bridge]
	b.lastEvent = ev
	switch payload := ev.Payload.(type) {
	case scenario.CallStarted:
		s.addCall(b, payload.Call)
	case scenario.CallEnded:
		s.endCall(s.calls[payload.Call.ID])
	case scenario.LegStarted:
		b.legs.active++
		b.legs.maxActive = max(b.legs.maxActive, b.legs.active)
		b.openLegs = append(b.openLegs, &liveLeg{payload.Leg, ev.Time})
		s.rememberLeg(payload.Leg)
		s.placePerson(b, payload.Leg)
	case scenario.LegChanged:
		b.updateLeg(payload.Leg)
		s.placePerson(b, payload.Leg)
	case scenario.LegEnded:
		b.legs.active--
		b.legs.completed++
		b.openLegs = slices.DeleteFunc(b.openLegs, func(l *liveLeg) bool { return l.ID == payload.Leg.ID })
		s.endLeg(payload)
	case scenario.RecordingStarted:
		s.updateCall(payload.Recording.Call, func(c *call) { c.recordings++ })
	case scenario.RecordingEnded:
		s.updateCall(payload.Recording.Call, func(c *call) { c.recordings-- })
	case scenario.StreamingStarted:
		s.updateCall(payload.Streaming.Call, func(c *call) { c.streamings++ })
	case scenario.StreamingEnded:
		s.updateCall(payload.Streaming.Call, func(c *call) { c.streamings-- })
	case scenario.BridgeRestarted:
		s.clearBridge(b)
		b.bootedAt, b.legs, b.openLegs = ev.Time, legCount{}, nil
	case scenario.BehaviorChanged:
		if p := s.people[payload.Leg.ID]; p != nil {
			p.behavior = payload.Behavior
			s.reportPerson(p)
		}
	case scenario.SettingsChanged:
		if m := s.meetings[payload.Correlator]; m != nil {
			m.settings = payload.Settings
			s.reportMeeting(m)
		}
	}
}

// updateLeg stores the new state of an open leg.
func (b *bridge) updateLeg(now scenario.Leg) {
	for _, l := range b.openLegs {
		if l.ID == now.ID {
			l.Leg = now
		}
	}
}

func (s *stage) rememberLeg(l scenario.Leg) {
	s.recentParticipants[l.ID] = l.Participant
	s.recentLegs = append(s.recentLegs, l.ID)
	if len(s.recentLegs) > maxRecentLegs {
		delete(s.recentParticipants, s.recentLegs[0])
		s.recentLegs = s.recentLegs[1:]
	}
}

func (s *stage) addCall(b *bridge, about scenario.Call) {
	m := s.meetings[about.Correlator]
	if m == nil {
		m = &meeting{}
		s.meetings[about.Correlator] = m
	}
	c := &call{Call: about, began: b.lastEvent.Time, bridge: b, meeting: m}
	m.calls = append(m.calls, c)
	b.calls = append(b.calls, c)
	s.calls[c.ID] = c
	c.reportedList, c.reportedInfo = c.listElements(), c.infoElements()
	s.audience.updateList(b, update{id: c.ID, kind: kindAdd, elements: c.reportedList})
	s.reportMeeting(m)
}

func (s *stage) endCall(c *call) {
	if c == nil {
		return
	}
	s.removeCall(c)
	gone := update{id: c.ID, kind: kindRemove}
	if len(c.meeting.calls) > 0 {
		// The bridge leaves a meeting that continues: it removes all participants from its
		// roster, although no participant leaves.
		for _, p := range c.roster() {
			s.audience.updateRoster(c, update{id: p.leg.Participant, kind: kindRemove})
		}
		s.audience.endSubscriptions(c)
		s.audience.updateList(c.bridge, gone)
	} else {
		s.audience.updateList(c.bridge, gone)
		s.audience.endSubscriptions(c)
	}
	s.reportMeeting(c.meeting)
}

// removeCall deletes a call without reporting it.
func (s *stage) removeCall(c *call) {
	is := func(x *call) bool { return x == c }
	delete(s.calls, c.ID)
	c.bridge.calls = slices.DeleteFunc(c.bridge.calls, is)
	c.meeting.calls = slices.DeleteFunc(c.meeting.calls, is)
	if len(c.meeting.calls) == 0 {
		delete(s.meetings, c.Correlator)
	}
}

// placePerson puts a person into the call of the leg. It ignores legs of other kinds.
func (s *stage) placePerson(b *bridge, l scenario.Leg) {
	if l.Kind != scenario.KindPerson {
		return
	}
	p := s.people[l.ID]
	if p == nil {
		p = &person{bridge: b, behavior: scenario.InitialBehavior(l), movedFrom: s.recentParticipants[l.MovedFrom]}
		s.people[l.ID] = p
	}
	p.leg = l
	to := s.calls[l.Call()]
	if to == p.call || to == nil {
		s.reportPerson(p)
		return
	}
	if p.call != nil {
		s.leaveCall(p, string(scenario.ReasonCallMoved))
		p.behavior.ActiveSpeaker, p.behavior.Presenter = false, false
	}
	p.call = to
	to.people = append(to.people, p)
	p.reported = p.elements()
	for _, c := range to.meeting.calls {
		s.audience.updateRoster(c, update{id: l.Participant, kind: kindAdd, elements: p.reported})
	}
	s.reportMeeting(to.meeting)
}

func (s *stage) endLeg(end scenario.LegEnded) {
	p := s.people[end.Leg.ID]
	if p == nil {
		return
	}
	delete(s.people, end.Leg.ID)
	if p.call != nil {
		s.leaveCall(p, string(end.Reason))
	}
}

// leaveCall removes a person from a call. Only the hosting bridge reports the reason.
func (s *stage) leaveCall(p *person, reason string) {
	from := p.call
	p.call = nil
	from.people = slices.DeleteFunc(from.people, func(x *person) bool { return x == p })
	for _, c := range from.meeting.calls {
		gone := update{id: p.leg.Participant, kind: kindRemove}
		if c == from {
			gone.reason = reason
		}
		s.audience.updateRoster(c, gone)
	}
	s.reportMeeting(from.meeting)
}

// clearBridge deletes all calls of a bridge that restarts. Its own clients have lost their
// sockets; clients of other bridges see its people removed.
func (s *stage) clearBridge(b *bridge) {
	for _, c := range slices.Clone(b.calls) {
		s.removeCall(c)
		for _, p := range c.people {
			for _, other := range c.meeting.calls {
				s.audience.updateRoster(other, update{id: p.leg.Participant, kind: kindRemove})
			}
		}
		s.reportMeeting(c.meeting)
	}
	maps.DeleteFunc(s.people, func(_ string, p *person) bool { return p.bridge == b })
}

func (s *stage) updateCall(id string, change func(*call)) {
	if c := s.calls[id]; c != nil {
		change(c)
		s.reportMeeting(c.meeting)
	}
}

// reportMeeting reports the changed elements of a meeting's calls.
func (s *stage) reportMeeting(m *meeting) {
	for _, c := range m.calls {
		list := c.listElements()
		if changed := list.changedSince(c.reportedList); len(changed) > 0 {
			c.reportedList = list
			s.audience.updateList(c.bridge, update{id: c.ID, kind: kindUpdate, elements: changed})
		}
		info := c.infoElements()
		if changed := info.changedSince(c.reportedInfo); len(changed) > 0 {
			c.reportedInfo = info
			s.audience.updateInfo(c, changed)
		}
	}
}

// reportPerson reports the changed elements of a person in a call.
func (s *stage) reportPerson(p *person) {
	if p.call == nil {
		return
	}
	now := p.elements()
	changed := now.changedSince(p.reported)
	if len(changed) == 0 {
		return
	}
	p.reported = now
	for _, c := range p.call.meeting.calls {
		s.audience.updateRoster(c, update{id: p.leg.Participant, kind: kindUpdate, elements: changed})
	}
	if _, ok := changed["endpointRecording"]; ok {
		s.reportMeeting(p.call.meeting)
	}
}

// roster returns the people in the roster of a call, including those on other bridges.
func (c *call) roster() []*person {
	list := slices.Clone(c.people)
	for _, other := range c.meeting.calls {
		if other != c {
			list = append(list, other.people...)
		}
	}
	return list
}
