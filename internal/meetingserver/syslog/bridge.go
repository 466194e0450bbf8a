// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// bridgeKey identifies a bridge by the name in its lines. Two sources with the same name are
// two bridges.
type bridgeKey struct{ source, host string }

// bridge is the state of a Call Bridge: its open traces, and the objects that its local
// numbers and internal ids identify.
type bridge struct {
	key      bridgeKey
	lastLine uint64 // Reader.lineCount at the last line of this bridge

	traces map[uint64]*trace
	bytes  int

	legByNumber       boundedMap[uint64, string] // the leg that a local number identifies
	legs              boundedMap[string, legIDs]
	conferences       boundedMap[string, conferenceIDs]
	conferenceBySpace boundedMap[string, activeConference]

	audits    [maxAudits]audit
	nextAudit int
}

type legIDs struct{ conference, call string }

type conferenceIDs struct{ space, correlator string }

// activeConference is the conference in a space, and its call once a leg's line has named
// it. It is removed with its last leg, because the next conference has other ids.
type activeConference struct {
	conference, call string
	legs             int
}

// audit has the user who last created, modified or deleted an object.
type audit struct{ object, user string }

const (
	// maxAudits is the number of audit lines that are kept until their requests end. An
	// audit line is between its request and the response.
	maxAudits = 32
	// maxIDs is the largest number of entries of each table of a bridge; the oldest are
	// dropped. A bridge has fewer than a thousand legs at a time.
	maxIDs = 2048
)

func newBridge(key bridgeKey) *bridge {
	return &bridge{
		key: key, traces: make(map[uint64]*trace),
		legByNumber: newBoundedMap[uint64, string](), legs: newBoundedMap[string, legIDs](), conferences: newBoundedMap[string, conferenceIDs](),
		conferenceBySpace: newBoundedMap[string, activeConference](),
	}
}

func (h *bridge) setLegOfNumber(number uint64, leg string) {
	h.legByNumber.put(number, strings.Clone(leg))
}

func (h *bridge) removeNumber(number uint64) { h.legByNumber.remove(number) }

// putIDsOfNumber adds the ids of the leg that a local number identifies.
func (h *bridge) putIDsOfNumber(r *Record, number uint64) {
	if leg, known := h.legByNumber.get(number); known {
		r.putText(names.CallLegID, leg)
		h.putIDsOfLeg(r, leg)
	}
}

// setCallOfLeg stores the call of a leg, unless its ids are stored already.
func (h *bridge) setCallOfLeg(leg, call string) {
	if _, known := h.legs.get(leg); !known {
		h.legs.put(strings.Clone(leg), legIDs{call: strings.Clone(call)})
	}
}

// setConference stores the ids of a conference that begins in a space.
func (h *bridge) setConference(internal string, ids conferenceIDs) {
	internal, ids = strings.Clone(internal), conferenceIDs{strings.Clone(ids.space), strings.Clone(ids.correlator)}
	h.conferences.put(internal, ids)
	if known, _ := h.conferenceBySpace.get(ids.space); ids.space != "" && known.conference != internal {
		h.conferenceBySpace.put(ids.space, activeConference{conference: internal})
	}
}

// enterConference stores the conference and the call of a leg.
func (h *bridge) enterConference(leg, internal, call string) {
	former, _ := h.legs.get(leg)
	ids := legIDs{conference: strings.Clone(internal), call: strings.Clone(call)}
	h.legs.put(strings.Clone(leg), ids)
	space := h.spaceOf(internal)
	if in, known := h.conferenceBySpace.get(space); known && in.conference == internal {
		if former.conference != internal {
			in.legs++
		}
		in.call = ids.call
		h.conferenceBySpace.put(space, in)
	}
}

// leaveConference removes the active conference of a space with its last leg.
func (h *bridge) leaveConference(leg string) {
	ids, _ := h.legs.get(leg)
	space := h.spaceOf(ids.conference)
	in, known := h.conferenceBySpace.get(space)
	if !known || in.conference != ids.conference {
		return
	}
	if in.legs--; in.legs > 0 {
		h.conferenceBySpace.put(space, in)
	} else {
		h.conferenceBySpace.remove(space)
	}
}

// spaceOf returns the space of a conference, or "".
func (h *bridge) spaceOf(internal string) string {
	ids, _ := h.conferences.get(internal)
	return ids.space
}

// putIDsOfSpace adds the ids of the active conference in a space.
func (h *bridge) putIDsOfSpace(r *Record, space string) {
	in, known := h.conferenceBySpace.get(space)
	if !known {
		return
	}
	r.putText(names.CallID, in.call)
	r.putText(names.ConferenceID, in.conference)
	ids, _ := h.conferences.get(in.conference)
	r.putText(names.CallCorrelator, ids.correlator)
}

// putIDsOfLeg adds the ids of the call, conference and space of a leg.
func (h *bridge) putIDsOfLeg(r *Record, leg string) {
	ids, known := h.legs.get(leg)
	if !known {
		return
	}
	r.putText(names.CallID, ids.call)
	r.putText(names.ConferenceID, ids.conference)
	if conference, known := h.conferences.get(ids.conference); known {
		r.putText(names.CoSpaceID, conference.space)
		r.putText(names.CallCorrelator, conference.correlator)
	}
}

func (h *bridge) addAudit(object, user string) {
	h.audits[h.nextAudit%maxAudits] = audit{strings.Clone(object), strings.Clone(clip(user, maxHeaderField))}
	h.nextAudit++
}

// userOf returns the user in the last audit line about an object, or "".
func (h *bridge) userOf(object string) string {
	for i := h.nextAudit - 1; i >= 0 && i >= h.nextAudit-maxAudits; i-- {
		if h.audits[i%maxAudits].object == object {
			return h.audits[i%maxAudits].user
		}
	}
	return ""
}

// boundedMap is a map of at most maxIDs entries; a new one replaces the oldest. It copies
// no strings: keys and values must not be substrings of a line, which they would keep in
// memory.
type boundedMap[K comparable, V any] struct {
	entries map[K]entry[V]
	ring    []ringSlot[K] // the keys in order of insertion
	next    int
	count   uint64 // number of insertions
}

type entry[V any] struct {
	value    V
	sequence uint64
}

type ringSlot[K comparable] struct {
	key      K
	sequence uint64
}

func newBoundedMap[K comparable, V any]() boundedMap[K, V] {
	return boundedMap[K, V]{entries: make(map[K]entry[V])}
}

func (t *boundedMap[K, V]) get(key K) (V, bool) {
	held, known := t.entries[key]
	return held.value, known
}

func (t *boundedMap[K, V]) put(key K, value V) {
	if held, known := t.entries[key]; known {
		t.entries[key] = entry[V]{value, held.sequence}
		return
	}
	t.count++
	newest := ringSlot[K]{key, t.count}
	if len(t.ring) < maxIDs {
		t.ring = append(t.ring, newest)
	} else {
		if oldest := t.ring[t.next]; t.entries[oldest.key].sequence == oldest.sequence {
			delete(t.entries, oldest.key)
		}
		t.ring[t.next] = newest
		t.next = (t.next + 1) % maxIDs
	}
	t.entries[key] = entry[V]{value, newest.sequence}
}

// remove removes an entry. Its slot in the ring is reused in turn.
func (t *boundedMap[K, V]) remove(key K) { delete(t.entries, key) }
