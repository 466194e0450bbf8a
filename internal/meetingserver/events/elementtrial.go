// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "slices"

// The elements that a server may refuse to be asked for. Which it refuses, it
// does not say: sets of them are left out, one after the other, until a request
// is taken.
var (
	// since35 came with release 3.5, since26 with 2.6.
	addedIn35 = []string{"canMoveToLobby"}
	addedIn26 = []string{"canMove", "movedParticipant", "movedParticipantCallBridge"}
	// essential are never left out: without them there is no picture.
	essential = []string{"name", "participants", "callType", "callCorrelator", "state", "direction"}
)

// refusable returns the sets to leave out, in the order of trying: newest first,
// then what is not documented, then both, then all that is not essential.
func leaveOutSets(configured [kinds][]string) (sets [][]string) {
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

// refusal is the trial of a socket whose requests are refused: which elements the
// server takes a request without. It is of that socket alone until a request is
// taken, because the server may refuse for another reason.
type elementTrial struct {
	refusals int  // refusals, one after the other
	active   bool // leftOut and elements stand for those of the bridge
	nextSet  int  // the set of refusable that is left out next
	leftOut  []string
	elements [kinds][]string
}

// elementsFor returns the elements that a socket asks for.
func (srv *serverState) elementsFor(slot int) *[kinds][]string {
	if r := &srv.sockets[slot].trial; r.active {
		return &r.elements
	}
	return &srv.elements
}

// Refused records that a server did not take a request. The first time it is sent
// again as it is; then elements are left out of it, which Refused returns. After
// the last set nothing is left out any more, and the sets are tried anew.
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

// taken records that a server took the newest request of a socket. The elements
// that a trial left out are those that the server refuses: every later request
// leaves them out, and other sockets end their trials.
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
