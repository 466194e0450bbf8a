// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// hostKey is a bridge as its lines name it. Two sources are two bridges, even if they
// have one name.
type hostKey struct{ source, host string }

// host is what is remembered of a bridge: its open traces, and what its short numbers
// and internal ids stand for.
type host struct {
	key  hostKey
	used uint64 // when a line of it came last, in lines

	traces map[uint64]*trace
	bytes  int

	calls       table[uint64, string] // a local number's leg
	legs        table[string, legIDs]
	conferences table[string, conferenceIDs]
	rooms       table[string, room] // by space: what goes on there

	audits    [maxAudits]audit
	nextAudit int
}

type legIDs struct{ conference, call string }

type conferenceIDs struct{ space, correlator string }

// room is the conference in a space, and its call as far as a leg's line named it. It is
// forgotten with its last leg: the next conference there has other ids.
type room struct {
	conference, call string
	legs             int
}

// audit is who created, modified or deleted an object.
type audit struct{ object, user string }

const (
	// maxAudits is how many audit lines are remembered until the request of each
	// ends: one line stands between the request and its response.
	maxAudits = 32
	// maxIDs is how many legs, numbers and conferences of a bridge are remembered;
	// the oldest go. A bridge has fewer than a thousand legs at a time.
	maxIDs = 2048
)

func newHost(key hostKey) *host {
	return &host{
		key: key, traces: make(map[uint64]*trace),
		calls: newTable[uint64, string](), legs: newTable[string, legIDs](), conferences: newTable[string, conferenceIDs](),
		rooms: newTable[string, room](),
	}
}

func (h *host) configure(number uint64, leg string) { h.calls.put(number, strings.Clone(leg)) }

func (h *host) destroy(number uint64) { h.calls.remove(number) }

// putCall puts the ids of the leg that a local number stands for.
func (h *host) putCall(r *Record, number uint64) {
	if leg, known := h.calls.get(number); known {
		r.putText(names.CallLegID, leg)
		h.putLeg(r, leg)
	}
}

// rememberLeg remembers the call of a leg, unless more is known of the leg.
func (h *host) rememberLeg(leg, call string) {
	if _, known := h.legs.get(leg); !known {
		h.legs.put(strings.Clone(leg), legIDs{call: strings.Clone(call)})
	}
}

// rememberConference remembers the ids of a conference that begins in a space.
func (h *host) rememberConference(internal string, ids conferenceIDs) {
	internal, ids = strings.Clone(internal), conferenceIDs{strings.Clone(ids.space), strings.Clone(ids.correlator)}
	h.conferences.put(internal, ids)
	if known, _ := h.rooms.get(ids.space); ids.space != "" && known.conference != internal {
		h.rooms.put(ids.space, room{conference: internal})
	}
}

// enterConference remembers what a leg is in.
func (h *host) enterConference(leg, internal, call string) {
	former, _ := h.legs.get(leg)
	ids := legIDs{conference: strings.Clone(internal), call: strings.Clone(call)}
	h.legs.put(strings.Clone(leg), ids)
	space := h.spaceOf(internal)
	if in, known := h.rooms.get(space); known && in.conference == internal {
		if former.conference != internal {
			in.legs++
		}
		in.call = ids.call
		h.rooms.put(space, in)
	}
}

// leaveConference forgets what goes on in a space when its last leg is gone.
func (h *host) leaveConference(leg string) {
	ids, _ := h.legs.get(leg)
	space := h.spaceOf(ids.conference)
	in, known := h.rooms.get(space)
	if !known || in.conference != ids.conference {
		return
	}
	if in.legs--; in.legs > 0 {
		h.rooms.put(space, in)
	} else {
		h.rooms.remove(space)
	}
}

// spaceOf is the space of a conference, "" if it is not known.
func (h *host) spaceOf(internal string) string {
	ids, _ := h.conferences.get(internal)
	return ids.space
}

// putRoom puts the ids of what goes on in a space.
func (h *host) putRoom(r *Record, space string) {
	in, known := h.rooms.get(space)
	if !known {
		return
	}
	r.putText(names.CallID, in.call)
	r.putText(names.ConferenceID, in.conference)
	ids, _ := h.conferences.get(in.conference)
	r.putText(names.CallCorrelator, ids.correlator)
}

// putLeg puts the ids of what a leg is in.
func (h *host) putLeg(r *Record, leg string) {
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

func (h *host) rememberAudit(object, user string) {
	h.audits[h.nextAudit%maxAudits] = audit{strings.Clone(object), strings.Clone(clip(user, maxHeaderField))}
	h.nextAudit++
}

// userOf returns who an audit line named for an object last.
func (h *host) userOf(object string) string {
	for i := h.nextAudit - 1; i >= 0 && i >= h.nextAudit-maxAudits; i-- {
		if h.audits[i%maxAudits].object == object {
			return h.audits[i%maxAudits].user
		}
	}
	return ""
}

// table is a map of at most maxIDs entries, of which the oldest go first. It copies
// nothing: keys and values must not keep a line alive.
type table[K comparable, V any] struct {
	held  map[K]entry[V]
	order []place[K] // a ring of the keys as they came
	next  int
	count uint64 // entries that ever came
}

type entry[V any] struct {
	value V
	born  uint64
}

type place[K comparable] struct {
	key  K
	born uint64
}

func newTable[K comparable, V any]() table[K, V] { return table[K, V]{held: make(map[K]entry[V])} }

func (t *table[K, V]) get(key K) (V, bool) {
	held, known := t.held[key]
	return held.value, known
}

func (t *table[K, V]) put(key K, value V) {
	if held, known := t.held[key]; known {
		t.held[key] = entry[V]{value, held.born}
		return
	}
	t.count++
	newest := place[K]{key, t.count}
	if len(t.order) < maxIDs {
		t.order = append(t.order, newest)
	} else {
		if oldest := t.order[t.next]; t.held[oldest.key].born == oldest.born {
			delete(t.held, oldest.key)
		}
		t.order[t.next] = newest
		t.next = (t.next + 1) % maxIDs
	}
	t.held[key] = entry[V]{value, newest.born}
}

// remove forgets an entry. Its place in the ring is used again in its turn.
func (t *table[K, V]) remove(key K) { delete(t.held, key) }
