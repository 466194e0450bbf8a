// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Source is the origin of records; see [NewSource].
type Source struct {
	resource, session string
	bridge            uint64
}

// MaxRank is the highest rank of a bridge's identity; see [Source.OnBridge].
const MaxRank = 15

// OnBridge returns the source with the identity of its Call Bridge, which is the same in all
// sessions of the bridge. If records of one session have several identities, the one with the
// highest rank, 1 to MaxRank, counts. A GUID is compared without regard to case.
func (s Source) OnBridge(rank uint8, identity string) Source {
	const rankBits = 4
	s.bridge = uint64(min(max(rank, 1), MaxRank))<<(64-rankBits) | hash(appendCanonical(nil, identity))>>rankBits
	return s
}

// Resource returns the resource of the source.
func (s Source) Resource() string { return s.resource }

// NewSource returns the source of records. resource is opaque to the engine, which returns it
// in Stitched.Resource. session identifies the sender's run, "" if it has none. The engine
// copies what it keeps.
func NewSource(resource, session string) Source {
	return Source{resource: resource, session: hashLongName(session)}
}

// maxSession is the longest session name that is stored unhashed, in bytes; real ones are
// GUIDs.
const maxSession = 256

// hashLongName returns the name of a session, or its hash if the name is too long. A GUID is
// returned in lower case.
func hashLongName(session string) string {
	if len(session) <= maxSession {
		var guid [16]byte
		if len(session) == guidText && parseGUID(&guid, session) == guidAny {
			return string(appendGUID(nil, &guid))
		}
		return session
	}
	sum := sha256.Sum256([]byte(session))
	return hex.EncodeToString(sum[:])
}

// resources are the resources of the objects. There are few.
type resources struct {
	slots     slab[uint32] // number of objects that have it
	texts     []string
	slotOf    map[string]uint32
	unwritten []uint32 // not yet in the journal
	stored    bool
}

func (r *resources) acquire(text string) uint32 {
	slot, known := r.slotOf[text]
	if !known {
		slot = r.slots.allocate()
		for int(slot) >= len(r.texts) {
			r.texts = append(r.texts, "")
		}
		text = strings.Clone(text)
		*r.slots.at(slot), r.texts[slot], r.slotOf[text] = 0, text, slot
		if r.stored {
			r.unwritten = append(r.unwritten, slot)
		}
	}
	*r.slots.at(slot)++
	return slot
}

func (r *resources) release(slot uint32) {
	uses := r.slots.at(slot)
	if *uses--; *uses > 0 {
		return
	}
	delete(r.slotOf, r.texts[slot])
	r.texts[slot] = ""
	r.slots.release(slot)
}

// session is one run of a sender. Over is a session that EndSession declared over; see isOver.
type session struct {
	objectCount      uint32 // objects that have it
	open             list   // open objects that have it
	ended            list   // objects with flagInEnded
	last             int64  // time of the last record, by the sender's clock
	overAt           int64  // latest time at which it was declared over, by the sender's clock; 0 if never
	rememberedSince  int64  // since when the declaration is remembered, by the engine's clock; orders sessions.declaredOver
	lastDeclaredOver int64  // when it was last declared over, by the engine's clock
	bridge           uint64 // see Source.OnBridge; 0 if unknown
	dirty            bool
	inOverList       bool // it is in sessions.declaredOver
}

// isOver reports whether a session was declared over and no later record of it arrived. Each
// of the two times is the largest of a set, so the order of arrival makes no difference.
func (s *session) isOver() bool { return s.overAt != 0 && s.last <= s.overAt }

// sessions are the sessions that objects have, and those that are over, whose records may come
// late.
type sessions struct {
	slots        slab[session]
	texts        []string
	slotOf       map[string]uint32
	declaredOver []uint32 // sessions that are over, in the order of the declarations
	dirty        []uint32
	stored       bool
}

func (s *sessions) at(slot uint32) *session { return s.slots.at(slot) }

// findOrCreate returns a session, and creates it if it is unknown.
func (s *sessions) findOrCreate(text string) uint32 {
	if slot, known := s.slotOf[text]; known {
		return slot
	}
	slot := s.slots.allocate()
	for int(slot) >= len(s.texts) {
		s.texts = append(s.texts, "")
	}
	text = strings.Clone(text)
	*s.slots.at(slot) = session{}
	s.texts[slot], s.slotOf[text] = text, slot
	s.markDirty(slot)
	return slot
}

func (s *sessions) markDirty(slot uint32) {
	if session := s.slots.at(slot); s.stored && !session.dirty {
		session.dirty = true
		s.dirty = append(s.dirty, slot)
	}
}

// release takes one object away from a session, and frees the session if nothing needs it.
func (s *sessions) release(slot uint32) {
	session := s.slots.at(slot)
	session.objectCount--
	s.freeIfUnused(slot)
}

// freeIfUnused frees a session that has no objects and is not in the list over.
func (s *sessions) freeIfUnused(slot uint32) {
	if session := s.slots.at(slot); session.objectCount > 0 || session.inOverList {
		return
	}
	delete(s.slotOf, s.texts[slot])
	s.texts[slot] = ""
	s.slots.at(slot).dirty = false
	s.slots.release(slot)
}
