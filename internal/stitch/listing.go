// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"cmp"
	"math"
	"time"
)

// Listing is a list of all calls or all call legs of a Call Bridge at one time. It may arrive
// in parts.
type Listing struct {
	// Bridge is the bridge; see [Source.OnBridge].
	Bridge Source
	// Kind is Call or CallLeg.
	Kind Kind
	// At is when the list was requested, by the bridge's clock. Started is when the bridge
	// started, by any clock. Both are in nanoseconds since 1970.
	At, Started int64
	// Part is the number of this part, from 1 to Parts.
	Part, Parts int
	IDs         []string
}

const (
	// maxListed bounds the ids of a listing, and maxParts its parts. A bridge has a few
	// thousand legs at most.
	maxListed = 20_000
	maxParts  = 256
	// maxListers bounds the bridges whose listings are kept; the most recent ones stay.
	maxListers = 256
	// listingsApart is the least time between two listings that are compared. A record in
	// transit arrives in between.
	listingsApart = 10 * time.Second
	// startTolerance is by how much the start of one run of a bridge may differ between
	// listings. The client computes it from an uptime in seconds.
	startTolerance = 30 * time.Second
)

// idList is the set of ids of a listing.
type idList struct {
	at, started int64
	ids         map[identity]struct{}
	has         []bool // by part
	missing     int    // parts that have not arrived
}

// idLists are a bridge's listings of one kind: the last complete one, and the one that is
// arriving.
type idLists struct{ last, partial *idList }

// bridgeListing holds the listings of a bridge.
type bridgeListing struct {
	kinds   [CallLeg + 1]idLists
	touched int64 // engine's clock
}

// comparison searches the open objects of a bridge that neither of two listings contains.
type comparison struct {
	bridge        uint64
	kind          Kind
	first, second *idList
	next          uint32 // next slot to examine
}

// List takes a part of a listing. An open object has ended if neither of two consecutive
// complete listings of one run of its bridge contains it, and none of its records is as late
// as the first listing: its end record was lost. Advance finds these objects. Listings are not
// stored, so two more must arrive after a restart.
func (e *Engine) List(now time.Time, l *Listing) {
	t := e.tick(now)
	if l.Bridge.bridge == 0 || l.Kind > CallLeg || l.At <= 0 || l.Part < 1 || l.Part > l.Parts || l.Parts > maxParts {
		return
	}
	from := e.listingsOf(l.Bridge.bridge)
	from.touched = t
	of := &from.kinds[l.Kind]
	if of.partial == nil || of.partial.at < l.At {
		of.partial = &idList{at: l.At, started: l.Started, ids: make(map[identity]struct{}), has: make([]bool, l.Parts), missing: l.Parts}
	}
	r := of.partial
	if r.at != l.At || len(r.has) != l.Parts || r.has[l.Part-1] || len(r.ids)+len(l.IDs) > maxListed {
		return
	}
	r.has[l.Part-1] = true
	r.missing--
	for _, id := range l.IDs {
		e.steps++
		i, _ := identityOf(l.Kind, id)
		r.ids[i] = struct{}{}
	}
	if r.missing > 0 {
		return
	}
	last := of.last
	if last != nil && r.at < last.at+int64(listingsApart) {
		return
	}
	of.last = r
	if last != nil && last.started-r.started < int64(startTolerance) && r.started-last.started < int64(startTolerance) {
		e.beginComparison(comparison{l.Bridge.bridge, l.Kind, last, r, 1})
	}
}

// beginComparison queues a comparison. It replaces an older one of the same bridge.
func (e *Engine) beginComparison(c comparison) {
	for i := range e.comparisons {
		if other := &e.comparisons[i]; other.bridge == c.bridge && other.kind == c.kind {
			*other = c
			return
		}
	}
	e.comparisons = append(e.comparisons, c)
}

// listingsOf returns the listings of a bridge.
func (e *Engine) listingsOf(bridge uint64) *bridgeListing {
	if l := e.bridgeListings[bridge]; l != nil {
		return l
	}
	if len(e.bridgeListings) >= maxListers {
		oldest, touched := uint64(0), int64(math.MaxInt64)
		for bridge, l := range e.bridgeListings {
			if c := cmp.Compare(l.touched, touched); c < 0 || c == 0 && bridge < oldest {
				oldest, touched = bridge, l.touched
			}
		}
		delete(e.bridgeListings, oldest)
	}
	l := new(bridgeListing)
	e.bridgeListings[bridge] = l
	return l
}

// slotsPerComparison is how many slots one step of a comparison examines.
const slotsPerComparison = 64

// continueComparison examines some objects for the first comparison. It returns false if there
// is none.
func (e *Engine) continueComparison() bool {
	if len(e.comparisons) == 0 {
		return false
	}
	c := &e.comparisons[0]
	for range slotsPerComparison {
		if c.next > e.objects.highest {
			e.comparisons = e.comparisons[1:]
			return true
		}
		e.steps++
		if slot := c.next; e.isMissing(c, slot) && e.lastSeen(slot) < c.first.at {
			e.markAbsent(slot, c.first.at)
		}
		c.next++
	}
	return true
}

// isMissing reports whether an object is open and both listings lack it or its call.
func (e *Engine) isMissing(c *comparison, slot uint32) bool {
	o := e.objects.at(slot)
	if o.state != open || !e.isOnBridge(o, c.bridge) {
		return false
	}
	if o.kind == c.kind {
		return c.listsNeither(&o.identity)
	}
	switch o.kind {
	case CallLeg, Recording, Streaming:
		if c.kind != Call || o.containerSlot == 0 {
			return false
		}
		call := e.objects.at(o.containerSlot)
		return e.isOnBridge(call, c.bridge) && c.listsNeither(&call.identity)
	case Call, Session, Track, Dialog, DialogFork:
	}
	return false
}

func (e *Engine) isOnBridge(o *object, bridge uint64) bool {
	return o.session != 0 && e.sessions.at(o.session).bridge == bridge
}

func (c *comparison) listsNeither(id *identity) bool {
	_, first := c.first.ids[*id]
	_, second := c.second.ids[*id]
	return !first && !second
}
