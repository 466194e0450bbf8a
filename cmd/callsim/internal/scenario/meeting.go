// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"slices"
	"time"
)

// meeting is a meeting of people. Every bridge that hosts some of them has one call of it. It
// begins with its first call and ends with its last one.
type meeting struct {
	number     int
	kind       CallType
	name       string
	space      *coSpace // nil outside coSpaces
	correlator string
	dial       string // the address people dial
	home       *host
	start, end time.Time
	calls      []*call
}

// startMeeting starts the next meeting and schedules the one after it.
func (w *World) startMeeting() {
	w.meetingsStarted++
	m := w.scenes.Deal(w.dice)(w)
	w.scheduleRestarts(m)
	w.scanBurst(m)
	if w.cfg.Meetings == 0 || w.meetingsStarted < w.cfg.Meetings {
		w.scheduleAfter(w.drawMeetingPause(), w.startMeeting)
	}
}

// drawMeetingDuration draws the duration of a meeting.
func (w *World) drawMeetingDuration() time.Duration {
	bounds := w.timing.meeting
	if w.meetingsStarted <= w.timing.opening {
		bounds[1] = 2 * bounds[0]
	}
	return w.dice.Seconds(bounds)
}

// drawMeetingPause draws the time to the next meeting. The first meetings of a
// demonstration follow each other at once.
func (w *World) drawMeetingPause() time.Duration {
	if w.meetingsStarted < w.timing.opening {
		return time.Second
	}
	return w.dice.Seconds(w.timing.pause)
}

// newMeeting returns a meeting that begins now on its home bridge.
func (w *World) newMeeting(kind CallType, home *host) *meeting {
	return w.newMeetingFor(kind, home, w.drawMeetingDuration())
}

func (w *World) newMeetingFor(kind CallType, home *host, duration time.Duration) *meeting {
	m := &meeting{number: w.meetingsStarted, kind: kind, home: home, start: w.now}
	m.end = w.now.Add(duration)
	m.name, m.dial = "Ad hoc call", "adhoc@meet.example.test"
	if kind == CallCoSpace {
		m.space = w.bookSpace(home.clustered(), m.end)
		m.name, m.correlator = m.space.name, m.space.correlator
		m.dial = m.space.user + "@meet.example.test"
	} else {
		m.correlator = w.dice.GUID()
	}
	w.scheduleAt(m.end, func() { w.closeMeeting(m) })
	return m
}

// call describes a call of the meeting, without its identifier.
func (m *meeting) call() Call {
	c := Call{Correlator: m.correlator, Type: m.kind, Name: m.name}
	if s := m.space; s != nil {
		c.CoSpace, c.Owner, c.Tenant, c.Tag, c.MetaData = s.id, s.owner, s.tenant, s.tag, s.metaData
	}
	return c
}

// openCalls returns the open calls of the meeting.
func (m *meeting) openCalls() []*call {
	return slices.DeleteFunc(slices.Clone(m.calls), func(c *call) bool { return !c.open || c.closing })
}

// isJoinable reports whether people may join: before the first call, or while one is open.
func (m *meeting) isJoinable() bool { return len(m.calls) == 0 || len(m.openCalls()) > 0 }

// openCallOn returns the meeting's open call on h, or nil.
func (m *meeting) openCallOn(h *host) *call {
	for _, c := range m.openCalls() {
		if c.host == h {
			return c
		}
	}
	return nil
}

// callOn returns the meeting's call on h and starts it if necessary. A new call is soon
// linked with those on the other bridges.
func (w *World) callOn(m *meeting, h *host) *call {
	c := m.openCallOn(h)
	if c == nil {
		c = w.startCall(m, h)
		if len(m.openCalls()) > 1 {
			w.scheduleAfter(time.Second, func() { w.linkToOpenCalls(m, c) })
		}
	}
	return c
}

// linkToOpenCalls links a call with every other open call of its meeting.
func (w *World) linkToOpenCalls(m *meeting, c *call) {
	for _, other := range m.openCalls() {
		if c.open && other != c {
			w.linkCalls(m, c, other)
		}
	}
}

// closeMeeting ends the legs of all people who are still in the meeting.
func (w *World) closeMeeting(m *meeting) {
	for _, c := range m.openCalls() {
		for _, l := range c.people() {
			w.endPersonLeg(l, w.hangUpReasons.Deal(w.dice))
		}
	}
}
