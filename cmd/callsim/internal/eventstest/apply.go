// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package eventstest

import "maps"

// apply applies a message and reports whether other subscriptions are wanted now.
func (c *Client) apply(m *message) (resubscribe bool) {
	if m.Type == "subscriptionUpdate" {
		for _, s := range m.Subscriptions {
			resubscribe = c.applyState(s.Index, s.State) || resubscribe
		}
		return resubscribe
	}
	if m.Index == nil {
		c.recordError("%s without an index", m.Type)
		return false
	}
	s := c.subs[*m.Index]
	if s == nil {
		return false // one that was dropped a moment ago
	}
	if s.state != "active" {
		c.recordError("%s for %s, which is %q", m.Type, s.kind, s.state)
	}
	switch {
	case m.Type == "callListUpdate" && s.kind == "calls":
		for _, u := range m.Updates {
			resubscribe = c.applyCallUpdate(u) || resubscribe
		}
	case m.Type == "rosterUpdate" && s.kind == "callRoster":
		for _, u := range m.Updates {
			c.applyRosterUpdate(s.call, u)
		}
	case m.Type == "callInfoUpdate" && s.kind == "callInfo":
		if c.Infos[s.call] == nil {
			c.Infos[s.call] = Elements{}
		}
		maps.Copy(c.Infos[s.call], m.CallInfo)
	default:
		c.recordError("%s for %s", m.Type, s.kind)
	}
	return resubscribe
}

// applyState follows a subscription from pending to active to deactivated. If one ends
// while its call continues, it is requested again.
func (c *Client) applyState(index int64, state string) (resubscribe bool) {
	s := c.subs[index]
	if s == nil {
		// messages of an ended subscription may still arrive
		if index >= c.next {
			c.recordError("index %d, without a request is %s", index, state)
		}
		return false
	}
	from := s.state
	switch good := map[string]bool{
		"pending": from == "", "active": from == "pending" || from == "active", "deactivated": from != "",
	}[state]; {
	case !good:
		c.recordError("index %d from %q to %q", index, from, state)
	case state == "active" && from == "pending" && s.kind == "callRoster":
		c.Rosters[s.call] = map[string]Elements{}
	}
	s.state = state
	if state != "deactivated" {
		return false
	}
	delete(c.subs, index)
	if s.kind == "calls" {
		clear(c.Calls)
		c.subscribe("calls", "")
		return true
	}
	if c.Calls[s.call] == nil {
		return false
	}
	// The bridge may leave the call; then this one is deactivated as well.
	c.subscribe(s.kind, s.call)
	return true
}

func (c *Client) applyCallUpdate(u Elements) (resubscribe bool) {
	id, _ := u["call"].(string)
	switch u["updateType"] {
	case "add":
		if c.Calls[id] != nil {
			c.recordError("call %s added twice", id)
		}
		c.Calls[id] = withoutIDs(u)
		if !c.isSubscribed(id) {
			c.subscribe("callInfo", id)
			c.subscribe("callRoster", id)
			return true
		}
	case "update":
		if c.Calls[id] == nil {
			c.recordError("call %s updated before it was added", id)
			return false
		}
		maps.Copy(c.Calls[id], withoutIDs(u))
	case "remove":
		if c.Calls[id] == nil {
			c.recordError("call %s removed before it was added", id)
		}
		delete(c.Calls, id)
		delete(c.Infos, id)
		c.Removes += len(c.Rosters[id])
		delete(c.Rosters, id)
	}
	return false
}

func (c *Client) isSubscribed(call string) bool {
	for _, s := range c.subs {
		if s.call == call {
			return true
		}
	}
	return false
}

func (c *Client) applyRosterUpdate(call string, u Elements) {
	id, _ := u["participant"].(string)
	if c.Rosters[call] == nil {
		c.Rosters[call] = map[string]Elements{}
	}
	roster := c.Rosters[call]
	known := roster[id] != nil
	switch u["updateType"] {
	case "add":
		if known {
			c.recordError("participant %s added twice", id)
		}
		roster[id] = withoutIDs(u)
		c.Adds++
	case "update":
		if !known {
			c.recordError("participant %s updated before it was added", id)
			return
		}
		maps.Copy(roster[id], withoutIDs(u))
	case "remove":
		if !known {
			c.recordError("participant %s removed before it was added", id)
		}
		delete(roster, id)
		reason, _ := u["reason"].(string)
		c.Reasons[reason]++
		c.Removes++
	}
}

// withoutIDs returns the elements of an update without the identifying ones.
func withoutIDs(u Elements) Elements {
	e := maps.Clone(u)
	delete(e, "call")
	delete(e, "participant")
	delete(e, "updateType")
	return e
}
