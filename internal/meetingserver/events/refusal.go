// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "slices"

// The elements that a server may refuse to be asked for. Which it refuses, it
// does not say: sets of them are left out, one after the other, until a request
// is taken.
var (
	// since35 came with release 3.5, since26 with 2.6.
	since35 = []string{"canMoveToLobby"}
	since26 = []string{"canMove", "movedParticipant", "movedParticipantCallBridge"}
	// essential are never left out: without them there is no picture.
	essential = []string{"name", "participants", "callType", "callCorrelator", "state", "direction"}
)

// refusable returns the sets to leave out, in the order of trying: newest first,
// then what is not documented, then both, then all that is not essential.
func refusable(configured [kinds][]string) (sets [][]string) {
	asked := func(from []string) (some []string) {
		for _, name := range from {
			if slices.Contains(configured[CallRoster], name) {
				some = append(some, name)
			}
		}
		return some
	}
	var unknown, others []string
	for kind, names := range configured {
		for _, name := range names {
			if e := byName[name]; e == Unknown || !slices.Contains(documented[kind], e) {
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
	newest, newer := asked(since35), slices.Concat(asked(since35), asked(since26))
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
type refusal struct {
	times    int  // refusals, one after the other
	trying   bool // leftOut and elements stand for those of the bridge
	nextTry  int  // the set of refusable that is left out next
	leftOut  []string
	elements [kinds][]string
}

// elementsFor returns the elements that a socket asks for.
func (b *bridge) elementsFor(slot int) *[kinds][]string {
	if r := &b.sockets[slot].refusal; r.trying {
		return &r.elements
	}
	return &b.elements
}

// Refused records that a server did not take a request. The first time it is sent
// again as it is; then elements are left out of it, which Refused returns. After
// the last set nothing is left out any more, and the sets are tried anew.
func (c *Cluster) Refused(server, slot int) (leftOut []string, changed bool) {
	b := &c.bridges[server]
	r := &b.sockets[slot].refusal
	if r.times++; r.times < 2 {
		return nil, false
	}
	if !r.trying {
		r.trying, r.nextTry = true, b.nextTry
	}
	sets := refusable(c.opts.Elements)
	r.leftOut = nil
	if r.nextTry < len(sets) {
		r.leftOut = sets[r.nextTry]
	}
	r.nextTry = (r.nextTry + 1) % (len(sets) + 1)
	for kind, names := range c.opts.Elements {
		r.elements[kind] = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(r.leftOut, name) })
	}
	b.sockets[slot].version++
	return r.leftOut, len(r.leftOut) > 0
}

// taken records that a server took the newest request of a socket. The elements
// that a trial left out are those that the server refuses: every later request
// leaves them out, and other sockets end their trials.
func (c *Cluster) taken(server, slot int) {
	b := &c.bridges[server]
	r := &b.sockets[slot].refusal
	r.times = 0
	if !r.trying {
		return
	}
	b.elements, b.leftOut, b.nextTry = r.elements, r.leftOut, r.nextTry
	for i := range b.sockets {
		other := &b.sockets[i]
		if !other.refusal.trying {
			continue
		}
		other.refusal = refusal{}
		if i != slot {
			other.version++
		}
	}
}
