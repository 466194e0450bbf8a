// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/legato-otel/legato/internal/ids"
)

// state is the stage of an object's life:
//
//	            first record, or first reference to a container
//	                        │
//	                        ▼
//	                      open ─────────────────────────────┐
//	its end record, or that │  ▲ its session is alive,      │
//	of its call or session; │  │ it is in another call,      │
//	its bridge restarted or │  │ a record shows that it was  │
//	no longer lists it;     │  │ not absent                  │ max_objects reached,
//	max_open has passed     ▼  │                            │ shutdown without storage
//	                      ended   waits for late records    │
//	                        │     (endedIndirectly: none of │
//	                        │     its own records ended it) │
//	       linger has passed│  ┌────────────────────────────┘
//	                        ▼  ▼
//	                   pendingEmit   rendered; its trace is fixed, it accepts no records
//	                        │     (setAside: refused repeatedly)
//	the next consumer       │
//	accepted or rejected it ▼
//	                     emitted   a few bytes, so that late records make no second span
//	                        │     (emittedWithMembers: while it contains objects;
//	                        │     emittedRequest: an API request)
//	                        │
//	max_open has passed,    ▼
//	room is needed      (forgotten)
//
// Only open and ended objects accept records. An object with nothing but notes (see
// Note) is forgotten instead of becoming pendingEmit.
type state uint8

const (
	free state = iota
	open
	ended
	endedIndirectly // as ended, by its call or session: its own end record may follow, also after a restart
	pendingEmit
	emitted
	setAside           // as pendingEmit: refused repeatedly, and taken out of the queue
	emittedWithMembers // as emitted: a call or a session that holds objects
	emittedRequest     // as emitted: an API request, which is remembered briefly and forgotten first

	states
)

// takesRecords reports whether objects in the state accept records.
func (s state) takesRecords() bool { return s == open || s == ended || s == endedIndirectly }

// Flags of an object.
const (
	flagExpired          = 1 << iota // MaxOpen passed before its end record came
	flagEvicted                      // it was evicted to make room
	flagIncomplete                   // the engine was shut down without storage
	flagSharing                      // a leg that is a Lync participant's screen
	flagAudioVideo                   // a leg that is a Lync participant's audio and video
	flagTextID                       // its id is not a GUID, and is among its facts
	flagInferredSource               // a call whose source is that of a record that names it
	flagDirty                        // its head has to be stored
	flagDirtyFacts                   // its facts have to be stored
	flagQueuedForJournal             // it is in journal.changed
	flagEnded                        // one of its own records ended it; computed again at a restart
	flagInEnded                      // it is in its session's list of ended objects
	// The next two are set when the object becomes pending, so that other objects cannot
	// change its stitched record afterwards.
	flagCallEnded       // its call had ended
	flagBridgeRestarted // its sender's session was over
	// Its sender no longer had it after its last record; see updateUnlistedFlag.
	flagUnlisted

	// In stored state alone: the records of a call were stamped with the call's own trace, its
	// frozen trace is another one, and no TraceChange was sent.
	flagStampedWithOwnTrace

	// The flags are stored, so none changes its value.
	storedFlags = flagExpired | flagEvicted | flagIncomplete | flagSharing | flagAudioVideo | flagTextID | flagInferredSource |
		flagCallEnded | flagBridgeRestarted | flagUnlisted
)

// identity is an object's id as 16 bytes: the GUID, or a hash of another id.
type identity = [16]byte

// object is the fixed part of an object. It holds no pointers.
type object struct {
	identity       identity
	span           SpanID
	since          int64 // engine's clock, in nanoseconds: when the object entered its state
	facts          block
	factsSize      uint32
	generation     uint32
	resource       uint32
	session        uint32
	nextInBucket   uint32 // next in its bucket of Engine.identities
	containerSlot  uint32 // slot of the call or session that contains it; 0 in containers
	containerIndex uint32 // number of its container; containers only

	queue       listLinks // in the queue of its state
	ofSession   listLinks // in the list of its session's open objects, or of those that ended with the session
	ofCall      listLinks // in the list of its call's open objects
	participant indexEntry
	sip         indexEntry

	newestIndex uint32 // index of the newest statement of facts, at most 1<<32 - 1
	kind        Kind
	state       state
	flags       uint16
}

// indexEntry links an object into an index by the hash of an attribute. A track uses only the
// links, for the list of its recorded session's tracks.
type indexEntry struct {
	hash uint64 // 0 if the object lacks the attribute
	// links to entries of the same hash; previous of the first entry is the next one in its
	// bucket.
	listLinks
}

// containerInfo is the additional part of objects that hold others: calls, recorded sessions, SIP
// calls. It holds no pointers.
type containerInfo struct {
	ownTrace     TraceID // its trace if it founds a conference
	trace        TraceID // the trace of its conference
	stampedTrace TraceID // the trace that its records were stamped with; zero if none was
	rootSpan     SpanID  // span of the call that founded the conference
	start, end   int64   // sender's clock; 0 if unknown
	startIndex   uint64  // index of its start record in the sender's session; 0 if unknown
	// The first and the last time of a record that names the container.
	firstNamedAt, lastNamedAt int64
	groupID                   uint64    // hash of a call's correlator or of a session's recorded call; 0 if none
	group                     listLinks // to containers with the same groupID
	memberCount               uint32    // objects in it that are not emitted
	tracks                    list      // a session's tracks
	open                      list      // a call's open objects
	traceFrozen               bool      // something with its trace was emitted
	supersededAt              int64     // sender's clock; start of the latest call that replaces it, see queueSuperseded
	traceChangeQueued         bool      // it is in Engine.traceChanges, or TakeTraceChanges returned it
	groupList                 groupList // the list of its group that a call is in
	alone                     bool      // its group had too many calls: it is in no conference, see separateExcess
}

// Ref refers to an object of the engine. It is valid until the object is forgotten; the engine
// detects an invalid Ref.
type Ref struct {
	slot       uint32
	generation uint32
}

// identityOf returns the identity of an id. isGUID reports whether the identity contains the
// whole id. Ids are compared without regard to case.
func identityOf(kind Kind, id string) (i identity, isGUID bool) {
	if parseGUID(&i, id) != guidNone {
		return i, true
	}
	if kind == ScheduledMeeting { // it is found by its call's id
		kind = Call
	}
	return ids.Trace(kind.Name(), id), false
}

// identityOfValue is identityOf for a text value.
func identityOfValue(kind Kind, raw []byte) identity {
	if raw[0] == tagGUID {
		return identity(raw[1:])
	}
	i, _ := identityOf(kind, text(raw))
	return i
}

// hash returns the hash of a value, never 0. It is stored, so every process computes the same.
func hash(raw []byte) uint64 {
	sum := sha256.Sum256(raw)
	return binary.BigEndian.Uint64(sum[:]) | 1
}

// tombstone is the rest of the facts of an emitted object that holds no others:
//
//	trace, 16 bytes | start, 8 | hash of the participant, 8 | hash of the SIP Call-ID, 8
type tombstone struct {
	trace            TraceID
	start            int64
	participant, sip uint64
}

const tombstoneSize = 16 + 3*8

func (t *tombstone) append(b []byte) []byte {
	b = append(b, t.trace[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.start)) //nolint:gosec // the bits of it
	b = binary.BigEndian.AppendUint64(b, t.participant)
	return binary.BigEndian.AppendUint64(b, t.sip)
}

// tombstone reads the tombstone of an emitted object that is not a call.
func (e *Engine) tombstone(slot uint32) tombstone {
	var room [tombstoneSize]byte
	o := e.objects.at(slot)
	return readTombstone(e.arena.appendTo(room[:0], o.facts, o.factsSize))
}

func readTombstone(b []byte) (t tombstone) {
	t.trace = TraceID(b)
	t.start = int64(binary.BigEndian.Uint64(b[16:])) //nolint:gosec // the bits of it
	t.participant = binary.BigEndian.Uint64(b[24:])
	t.sip = binary.BigEndian.Uint64(b[32:])
	return t
}
