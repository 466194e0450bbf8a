// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/legato-otel/legato/internal/ids"
)

// state of an object's life:
//
//	            first record, or first mention of a container
//	                        │
//	                        ▼
//	                      open ─────────────────────────────┐
//	its end record, or that │  ▲ its session is alive,      │
//	of its call or session; │  │ it is in another call,      │
//	its bridge started anew │  │ a record shows it was not   │
//	or lists it no longer;  │  │ absent                      │ max_objects reached,
//	max_open has passed     ▼  │                            │ shutdown without storage
//	                      ended   waits for late records    │
//	                        │     (endedByOther: none of    │
//	                        │     its own records ended it) │
//	       linger has passed│  ┌────────────────────────────┘
//	                        ▼  ▼
//	                      owed    rendered; its trace is frozen, nothing is merged any more
//	                        │     (aside: refused for now again and again)
//	the next consumer took  │
//	it, or never will       ▼
//	                      done    a few bytes: late records make no second span
//	                        │     (holding: not as long as something is in it;
//	                        │     brief: an API request)
//	                        │
//	max_open has passed,    ▼
//	room is needed        (gone)
//
// Only objects that are open or have ended take records in. What only notes were about (see
// Note) is forgotten where it would become owed.
type state uint8

const (
	free state = iota
	open
	ended
	endedIndirectly // as ended, with its call or its session: its own end may follow, also after a restart
	pendingEmit
	emitted
	setAside       // as owed: refused again and again, it does not hold up the others
	emittedHolder  // as done: a call or a session that something is in
	emittedRequest // as done: an API request, which is remembered for a short time and makes room first

	states
)

// takesRecords reports whether objects in the state take records in.
func (s state) takesRecords() bool { return s == open || s == ended || s == endedIndirectly }

// What flags say of an object.
const (
	flagExpired        = 1 << iota // its time was up before its end came
	flagEvicted                    // its room was needed
	flagIncomplete                 // the engine was shut down for good
	flagSharing                    // a leg that is a Lync participant's screen
	flagAudioVideo                 // a leg that is a Lync participant's audio and video
	flagTextID                     // its id is no GUID and stands among its facts
	flagInferredSource             // a call whose source is that of what is in it
	flagDirty                      // its head is not in the journal
	flagDirtyFacts                 // nor are its facts
	flagQueued                     // it is in the journal's list of what changed
	flagEnded                      // one of its own records ended it; found anew at a restart
	flagInEnded                    // it is in its sender's session's list of ended objects
	// Set when it becomes owed: another object must not change its stitched record.
	flagCallEnded     // its call had ended
	flagBridgeStarted // its sender's session was over
	// Its sender had it no longer after its last record; see reviewAbsence.
	flagUnlisted

	// The places are stored: a flag is never moved.
	storedFlags = flagExpired | flagEvicted | flagIncomplete | flagSharing | flagAudioVideo | flagTextID | flagInferredSource |
		flagCallEnded | flagBridgeStarted | flagUnlisted
)

// identity is an object's id as 16 bytes: the GUID, or a hash of what is none.
type identity = [16]byte

// object is the fixed part of an object. It holds no pointers.
type object struct {
	identity       identity
	span           SpanID
	since          int64 // engine's clock, in nanoseconds: when it came into its state
	facts          block
	factsSize      uint32
	generation     uint32
	resource       uint32
	session        uint32
	sameBucket     uint32 // the next in its bucket of Engine.identities
	holder         uint32 // the object it is in; not of those that hold others
	containerIndex uint32 // container; of those that hold others

	queue       links // of its state
	ofSession   links // open objects of its sender's session, or those that ended with it
	ofCall      links // open objects of the call it is in
	participant indexEntry
	sip         indexEntry

	newest uint32 // index of the newest statement of facts; the largest number for one that is no less
	kind   Kind
	state  state
	flags  uint16
}

// member puts a leg into an index of legs by the hash of something they have. A
// track has the links alone, in the list of its session's.
type indexEntry struct {
	hash uint64 // 0 if the leg has no such thing
	// links among those of the same hash; previous of the first is the next in
	// its bucket.
	links
}

// container is what calls and recorded sessions have beside: other objects are
// in them. It holds no pointers.
type container struct {
	own        TraceID // if the call founds a conference
	trace      TraceID // of its conference
	stamped    TraceID // the trace that its records were stamped with; zero if none was
	root       SpanID  // of the call that founded it
	start, end int64   // sender's clock; 0 where unknown
	index      uint64  // of the record that started it, in the sender's session; 0 where unknown
	// The first and last time that something in it named it.
	firstReference, lastReference int64
	groupID                       uint64    // hash of a call's correlator, of what names a session's call; 0 is none
	group                         links     // others of its kind with the same
	memberCount                   uint32    // objects in it that are not done
	tracks                        list      // of them, those that are a session's tracks
	open                          list      // of them, those in a call that are open
	frozen                        bool      // something with that trace was emitted
	superseded                    int64     // sender's clock; when the last call of its room began that ended it, see removeSuperseded
	traceChangeQueued             bool      // it is in Engine.joining, or was taken from there
	groupList                     groupList // in which list of its correlator a call is
}

// Ref names an object that the engine holds. It stays good until the object is
// forgotten; a bad one is told apart, not taken for another object.
type Ref struct {
	slot       uint32
	generation uint32
}

// identityOf returns the identity of an id; guid tells that the id can be
// written from it. Ids are compared without regard to case, as those of spans.
func identityOf(kind Kind, id string) (i identity, guid bool) {
	if parseGUID(&i, id) != guidNone {
		return i, true
	}
	if kind == ScheduledMeeting { // which is found by its call, and the call by it
		kind = Call
	}
	return ids.Trace(kind.Name(), id), false
}

// identityOfValue is identityOf of a text value.
func identityOfValue(kind Kind, raw []byte) identity {
	if raw[0] == tagGUID {
		return identity(raw[1:])
	}
	i, _ := identityOf(kind, text(raw))
	return i
}

// hash is of a value; not zero. It is stored, so it is the same in every process.
func hash(raw []byte) uint64 {
	sum := sha256.Sum256(raw)
	return binary.BigEndian.Uint64(sum[:]) | 1
}

// tombstone is what is kept of the facts of an object that is done and holds no
// others:
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

// tombstone is what is kept of an object, other than a call, that is done.
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
