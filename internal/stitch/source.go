// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Source is where records come from; see [NewSource].
type Source struct {
	resource, session string
	bridge            uint64
}

// MaxRank is the highest rank of a bridge's identity; see [Source.OnBridge].
const MaxRank = 15

// OnBridge returns the source with the identity of the Call Bridge, which is the
// same in all its sessions. Of several identities that records of one session
// have, the one of the highest rank, 1 to MaxRank, counts: it is the one that
// is known best. Text that is a GUID ignores case.
func (s Source) OnBridge(rank uint8, identity string) Source {
	const rankBits = 4
	s.bridge = uint64(min(max(rank, 1), MaxRank))<<(64-rankBits) | hash(appendCanonical(nil, identity))>>rankBits
	return s
}

// Resource returns the resource of the source.
func (s Source) Resource() string { return s.resource }

// NewSource returns where records come from: resource is opaque to the engine and
// comes back in Stitched.Resource, session is the sender's run, "" if it has
// none. The engine keeps copies of what it keeps.
func NewSource(resource, session string) Source {
	return Source{resource: resource, session: boundedName(session)}
}

// maxSession is the longest name of a session that is kept as it is; real ones
// are GUIDs.
const maxSession = 256

// bounded returns a name of bounded length that is as good, a GUID in lower
// case.
func boundedName(session string) string {
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

// resources are the resources that objects have. There are few.
type resources struct {
	slots     slab[uint32] // how many objects have it
	texts     []string
	number    map[string]uint32
	unwritten []uint32 // not yet in the journal
	stored    bool
}

func (r *resources) acquire(text string) uint32 {
	slot, known := r.number[text]
	if !known {
		slot = r.slots.allocate()
		for int(slot) >= len(r.texts) {
			r.texts = append(r.texts, "")
		}
		text = strings.Clone(text)
		*r.slots.at(slot), r.texts[slot], r.number[text] = 0, text, slot
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
	delete(r.number, r.texts[slot])
	r.texts[slot] = ""
	r.slots.release(slot)
}

// session is one run of a sender.
type session struct {
	uses     uint32 // objects that have it
	open     list   // those of them that are open
	ended    list   // those of them that have flagInEnded
	last     int64  // time of the last record, by the sender's clock
	declared int64  // the latest time at which it was declared over, by the sender's clock; 0 if it never was
	over     int64  // when it was declared over, by the engine's clock; its place in sessions.over
	renewed  int64  // when it was declared over last, likewise
	bridge   uint64 // see Source.OnBridge; 0 if it is not known
	dirty    bool
	watching bool // it is in sessions.over
}

// isOver tells whether a session was declared over and not heard of since. Both
// times are the largest of a set, so that it makes no difference what came first.
func (s *session) isOver() bool { return s.declared != 0 && s.last <= s.declared }

// sessions are the sessions that objects have, and those that are over: records
// of them may come late.
type sessions struct {
	slots  slab[session]
	texts  []string
	number map[string]uint32
	over   []uint32 // the sessions that are over, in that order
	dirty  []uint32
	stored bool
}

func (s *sessions) at(slot uint32) *session { return s.slots.at(slot) }

// find returns a session, and makes it if it is not known.
func (s *sessions) find(text string) uint32 {
	if slot, known := s.number[text]; known {
		return slot
	}
	slot := s.slots.allocate()
	for int(slot) >= len(s.texts) {
		s.texts = append(s.texts, "")
	}
	text = strings.Clone(text)
	*s.slots.at(slot) = session{}
	s.texts[slot], s.number[text] = text, slot
	s.touch(slot)
	return slot
}

func (s *sessions) touch(slot uint32) {
	if at := s.slots.at(slot); s.stored && !at.dirty {
		at.dirty = true
		s.dirty = append(s.dirty, slot)
	}
}

// release takes back one use.
func (s *sessions) release(slot uint32) {
	at := s.slots.at(slot)
	at.uses--
	s.forget(slot)
}

// forget frees a session that nothing needs.
func (s *sessions) forget(slot uint32) {
	if at := s.slots.at(slot); at.uses > 0 || at.watching {
		return
	}
	delete(s.number, s.texts[slot])
	s.texts[slot] = ""
	s.slots.at(slot).dirty = false
	s.slots.release(slot)
}
