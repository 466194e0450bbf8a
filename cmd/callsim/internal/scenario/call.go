// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"slices"
	"time"
)

// call is an open or ended call of a host.
type call struct {
	Call
	host      *host
	began     time.Time
	open      bool
	closing   bool
	legs      []*leg // open ones
	completed int
	peak      int
}

func (w *World) startCall(m *meeting, h *host) *call {
	c := &call{Call: m.call(), host: h, began: w.now, open: true}
	c.ID = w.dice.GUID()
	m.calls = append(m.calls, c)
	h.calls = append(h.calls, c)
	w.emit(h, CallStarted{Call: c.Call})
	return c
}

// addLeg adds an open leg to the call.
func (c *call) addLeg(l *leg) {
	l.call = c
	l.Calls = append(slices.Clip(l.Calls), c.ID)
	c.legs = append(c.legs, l)
	c.peak = max(c.peak, len(c.legs))
}

// removeLeg removes a leg from the call.
func (c *call) removeLeg(l *leg) {
	c.legs = slices.DeleteFunc(c.legs, func(x *leg) bool { return x == l })
}

// people returns the legs of people in the order of their arrival.
func (c *call) people() []*leg {
	return slices.DeleteFunc(slices.Clone(c.legs), func(l *leg) bool { return l.Kind != KindPerson })
}

// endIfEmpty ends a call without people, together with the links, recorders and streamers
// that served them.
func (w *World) endIfEmpty(c *call) {
	if !c.open || c.closing || len(c.people()) > 0 {
		return
	}
	c.closing = true
	for _, l := range slices.Clone(c.legs) {
		w.endLeg(l, ReasonLocal)
	}
	w.endCall(c)
}

func (w *World) endCall(c *call) {
	c.open = false
	c.host.calls = slices.DeleteFunc(c.host.calls, func(x *call) bool { return x == c })
	w.emit(c.host, CallEnded{
		Call: c.Call, LegsCompleted: c.completed, LegsMaxActive: c.peak,
		Duration: w.now.Sub(c.began), EndpointRecorded: c.Type == CallLync,
	})
}
