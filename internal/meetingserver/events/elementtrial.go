// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "slices"

// A server may refuse a request because of some elements, and does not say which. A trial
// leaves out one set of elements after the other until the server accepts a request.
var (
	// Elements added in release 3.5 and in release 2.6.
	addedIn35 = []string{"canMoveToLobby"}
	addedIn26 = []string{"canMove", "movedParticipant", "movedParticipantCallBridge"}
	// essential elements are never left out: the cluster state depends on them.
	essential = []string{"name", "participants", "callType", "callCorrelator", "state", "direction"}
)

// leaveOutSets returns the sets of elements to leave out, in the order of trying: the
// newest elements, then undocumented ones, then both, then all that are not essential.
func leaveOutSets(configured [subKinds][]string) (sets [][]string) {
	onlyConfigured := func(from []string) (configuredNames []string) {
		for _, name := range from {
			if slices.Contains(configured[CallRoster], name) {
				configuredNames = append(configuredNames, name)
			}
		}
		return configuredNames
	}
	var unknown, others []string
	for kind, names := range configured {
		for _, name := range names {
			if e := elementByName[name]; e == Unknown || !slices.Contains(documentedElements[kind], e) {
				unknown = append(unknown, name)
			}
			if !slices.Contains(essential, name) {
				others = append(others, name)
			}
		}
	}
	add := func(parts ...[]string) {
		set := slices.Concat(parts...)
		slices.Sort(set)
		set = slices.Compact(set)
		if len(set) > 0 && !slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, set) }) {
			sets = append(sets, set)
		}
	}
	newest, newer := onlyConfigured(addedIn35), slices.Concat(onlyConfigured(addedIn35), onlyConfigured(addedIn26))
	add(newest)
	add(unknown)
	add(unknown, newest)
	add(newer)
	add(unknown, newer)
	add(others)
	return sets
}

// elementTrial is the search of one socket for elements that the server accepts. It affects
// that socket alone until the server accepts a request, because the server may refuse for
// another reason.
type elementTrial struct {
	refusals int  // refused requests in a row
	active   bool // leftOut and elements replace those of the server
	nextSet  int  // index into leaveOutSets of the next request
	leftOut  []string
	elements [subKinds][]string
}

// elementsFor returns the elements that a socket requests.
func (srv *serverState) elementsFor(slot int) *[subKinds][]string {
	if r := &srv.sockets[slot].trial; r.active {
		return &r.elements
	}
	return &srv.elements
}

// RequestRefused records that the server refused a request of a socket. The first refusal
// repeats the request unchanged. Each further refusal leaves out the next set of elements,
// which RequestRefused returns. After the last set nothing is left out, and the sets are
// tried again.
func (c *Cluster) RequestRefused(server, slot int) (leftOut []string, changed bool) {
	srv := &c.servers[server]
	r := &srv.sockets[slot].trial
	if r.refusals++; r.refusals < 2 {
		return nil, false
	}
	if !r.active {
		r.active, r.nextSet = true, srv.nextLeaveOutSet
	}
	sets := leaveOutSets(c.opts.Elements)
	r.leftOut = nil
	if r.nextSet < len(sets) {
		r.leftOut = sets[r.nextSet]
	}
	r.nextSet = (r.nextSet + 1) % (len(sets) + 1)
	for kind, names := range c.opts.Elements {
		r.elements[kind] = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(r.leftOut, name) })
	}
	srv.sockets[slot].setVersion++
	return r.leftOut, len(r.leftOut) > 0
}

// endElementTrials makes the elements of a socket's accepted request those of the server.
// Later requests of all sockets use them, and the trials of other sockets end.
func (c *Cluster) endElementTrials(server, slot int) {
	srv := &c.servers[server]
	r := &srv.sockets[slot].trial
	r.refusals = 0
	if !r.active {
		return
	}
	srv.elements, srv.leftOut, srv.nextLeaveOutSet = r.elements, r.leftOut, r.nextSet
	for i := range srv.sockets {
		other := &srv.sockets[i]
		if !other.trial.active {
			continue
		}
		other.trial = elementTrial{}
		if i != slot {
			other.setVersion++
		}
	}
}
