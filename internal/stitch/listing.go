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
	// maxListedBridges bounds the bridges whose listings are kept; the most recent ones stay.
	maxListedBridges = 256
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
	arrived     []bool // by part
	missing     int    // parts that have not arrived
}

// idLists are a bridge's listings of one kind: the last complete one, and the one that is
// arriving.
type idLists struct{ last, partial *idList }

// bridgeListing holds the listings of a bridge.
type bridgeListing struct {
	kinds      [CallLeg + 1]idLists
	lastListed int64 // engine's clock
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
func (e *Engine) List(now time.Time, listing *Listing) {
	t := e.tick(now)
	if listing.Bridge.bridge == 0 || listing.Kind > CallLeg || listing.At <= 0 || listing.Part < 1 || listing.Part > listing.Parts || listing.Parts > maxParts {
		return
	}
	listings := e.listingsOf(listing.Bridge.bridge)
	listings.lastListed = t
	lists := &listings.kinds[listing.Kind]
	if lists.partial == nil || lists.partial.at < listing.At {
		lists.partial = &idList{at: listing.At, started: listing.Started, ids: make(map[identity]struct{}), arrived: make([]bool, listing.Parts), missing: listing.Parts}
	}
	list := lists.partial
	if list.at != listing.At || len(list.arrived) != listing.Parts || list.arrived[listing.Part-1] || len(list.ids)+len(listing.IDs) > maxListed {
		return
	}
	list.arrived[listing.Part-1] = true
	list.missing--
	for _, id := range listing.IDs {
		e.steps++
		i, _ := identityOf(listing.Kind, id)
		list.ids[i] = struct{}{}
	}
	if list.missing > 0 {
		return
	}
	last := lists.last
	if last != nil && list.at < last.at+int64(listingsApart) {
		return
	}
	lists.last = list
	if last != nil && last.started-list.started < int64(startTolerance) && list.started-last.started < int64(startTolerance) {
		e.beginComparison(comparison{listing.Bridge.bridge, listing.Kind, last, list, 1})
	}
}

// beginComparison queues a comparison. It replaces an older one of the same bridge.
func (e *Engine) beginComparison(c comparison) {
	for i := range e.comparisons {
		if queued := &e.comparisons[i]; queued.bridge == c.bridge && queued.kind == c.kind {
			*queued = c
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
	if len(e.bridgeListings) >= maxListedBridges {
		oldest, touched := uint64(0), int64(math.MaxInt64)
		for bridge, l := range e.bridgeListings {
			if c := cmp.Compare(l.lastListed, touched); c < 0 || c == 0 && bridge < oldest {
				oldest, touched = bridge, l.lastListed
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
	case Call, RecordedSession, Track, Dialog, DialogFork:
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
