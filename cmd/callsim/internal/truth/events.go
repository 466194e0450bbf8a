// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"cmp"
	"slices"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// rosters applies the same events as the Events servers, independently of them, and knows
// who is in which call now. It keeps open objects only.
type rosters struct {
	bridges []scenario.Bridge
	calls   map[string]openCall
	people  map[string]*attendee // by leg
	moves   []moves              // by bridge
}

// openCall is an open call.
type openCall struct {
	scenario.Call
	bridge int
}

// attendee is a person's leg.
type attendee struct {
	bridge   int
	call     string // empty while in none
	leg      scenario.Leg
	behavior scenario.Behavior
}

type moves struct{ added, removed, lost uint64 }

// WatchEvents makes the recorder produce the expected result of the Events servers too.
func (r *Recorder) WatchEvents() {
	r.rosters = &rosters{
		bridges: r.bridges, calls: map[string]openCall{}, people: map[string]*attendee{},
		moves: make([]moves, len(r.bridges)),
	}
}

func (o *rosters) applyEvent(ev scenario.Event) {
	switch payload := ev.Payload.(type) {
	case scenario.CallStarted:
		o.calls[payload.Call.ID] = openCall{payload.Call, ev.Bridge}
	case scenario.CallEnded:
		delete(o.calls, payload.Call.ID)
	case scenario.LegStarted:
		o.leg(ev.Bridge, payload.Leg)
	case scenario.LegChanged:
		o.leg(ev.Bridge, payload.Leg)
	case scenario.LegEnded:
		if a := o.people[payload.Leg.ID]; a != nil && a.call != "" {
			o.moves[ev.Bridge].removed++
		}
		delete(o.people, payload.Leg.ID)
	case scenario.BehaviorChanged:
		if a := o.people[payload.Leg.ID]; a != nil {
			a.behavior = payload.Behavior
		}
	case scenario.BridgeRestarted:
		o.clearBridge(ev.Bridge)
	}
}

func (o *rosters) leg(bridge int, l scenario.Leg) {
	if l.Kind != scenario.KindPerson {
		return
	}
	a := o.people[l.ID]
	if a == nil {
		a = &attendee{bridge: bridge, behavior: scenario.InitialBehavior(l)}
		o.people[l.ID] = a
	}
	if now := l.Call(); now != a.call {
		if a.call != "" {
			o.moves[bridge].removed++
		}
		a.call = now
		o.moves[bridge].added++
	}
	a.leg = l
}

func (o *rosters) clearBridge(bridge int) {
	for id, c := range o.calls {
		if c.bridge == bridge {
			delete(o.calls, id)
		}
	}
	for id, a := range o.people {
		if a.bridge != bridge {
			continue
		}
		if a.call != "" {
			o.moves[bridge].lost++
		}
		delete(o.people, id)
	}
}

// result returns the open objects, with the counters of the servers.
func (o *rosters) result(accounts []events.Account) *Events {
	t := &Events{Bridges: make([]EventsBridge, len(o.bridges))}
	meetings := map[string]map[int]bool{} // bridges by correlator
	for i, b := range o.bridges {
		t.Bridges[i] = EventsBridge{
			Bridge: b.Name, Calls: []EventsCall{}, Account: accounts[i],
			Added: o.moves[i].added, Removed: o.moves[i].removed, Lost: o.moves[i].lost,
		}
	}
	for _, c := range o.calls {
		if meetings[c.Correlator] == nil {
			meetings[c.Correlator] = map[int]bool{}
		}
		meetings[c.Correlator][c.bridge] = true
		b := &t.Bridges[c.bridge]
		b.Calls = append(b.Calls, EventsCall{ID: c.ID, Correlator: c.Correlator, Name: c.Name})
	}
	t.Meetings, t.Calls = len(meetings), len(o.calls)
	var all []attendee
	hosted, shown := make([][]attendee, len(o.bridges)), make([][]attendee, len(o.bridges))
	size := map[string]int{} // by correlator
	for _, a := range o.people {
		if a.call == "" {
			continue
		}
		correlator := o.calls[a.call].Correlator
		size[correlator]++
		all = append(all, *a)
		hosted[a.bridge] = append(hosted[a.bridge], *a)
		for bridge := range meetings[correlator] {
			shown[bridge] = append(shown[bridge], *a)
		}
	}
	t.Participants = crowd(all)
	for i := range t.Bridges {
		b := &t.Bridges[i]
		b.Hosted, b.Shown = crowd(hosted[i]), crowd(shown[i])
		for k := range b.Calls {
			b.Calls[k].Participants = size[b.Calls[k].Correlator]
		}
		slices.SortFunc(b.Calls, func(x, y EventsCall) int { return cmp.Compare(x.ID, y.ID) })
		t.Added, t.Removed, t.Lost = t.Added+b.Added, t.Removed+b.Removed, t.Lost+b.Lost
	}
	return t
}

// crowd counts people by state and direction, in the order of both.
func crowd(people []attendee) []Crowd {
	counts := map[Crowd]int{}
	for _, a := range people {
		counts[Crowd{State: string(a.behavior.State(a.leg.Phase)), Direction: a.leg.Direction}]++
	}
	list := []Crowd{}
	for c, n := range counts {
		c.Count = n
		list = append(list, c)
	}
	slices.SortFunc(list, func(x, y Crowd) int {
		return cmp.Or(cmp.Compare(x.State, y.State), cmp.Compare(x.Direction, y.Direction))
	})
	return list
}
