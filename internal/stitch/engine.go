// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"errors"
	"time"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// Options of an engine. All must be positive; ClockTolerance may be zero.
type Options struct {
	// Linger is how long an object waits for late records after its end.
	Linger time.Duration
	// MaxOpen is how long an object may be open, and how long an emitted one is remembered at
	// most; API requests are remembered for a shorter time.
	MaxOpen time.Duration
	// ClockTolerance is the largest difference between the clocks of two Call Bridges. Calls
	// with a smaller gap between them count as overlapping.
	ClockTolerance time.Duration
	// MaxObjects bounds the objects held, remembered ones included.
	MaxObjects int
	// Stored reports whether the owner stores the changes by calling AppendChanges regularly.
	// If false, the engine queues no changes.
	Stored bool
}

// ErrFull says that there is no room for another object until pending ones are emitted. The
// caller may apply the record again later.
var ErrFull = errors.New("no room for another object")

// Engine stitches records. It must not be used concurrently.
type Engine struct {
	linger, maxOpen, tolerance int64
	maxObjects                 int

	now        int64 // latest time that a caller passed
	objects    slab[object]
	containers slab[containerInfo] // the additional part of calls, recorded sessions and dialogs
	arena      arena

	identities             table
	participants           hashIndexes
	sipCalls               hashIndexes
	spaces                 hashIndexes          // calls and scheduled meetings by hash of their space
	spaceChanges           hashIndexes          // requests that modify a space, by hash of the space and the client, until they are emitted; see updateRequestRelations
	meetings               hashIndexes          // scheduled meetings by hash of space and client
	correlators            map[uint64]callGroup // calls by hash of the correlator
	recordedSessionsByCall map[uint64]uint32    // first recorded session of each call that MediaSense recorded, by hash of the call's id; containerInfo.group links the others

	dictionary dictionary // numbers the names of attributes
	resources  resources
	sessions   sessions
	queues     [states]list
	counts     [kinds][states]int

	closingSessions []uint32 // sessions that are over and have open objects
	resumedSessions []uint32 // sessions that were declared over and proved alive; Advance reopens the objects that ended with them
	closingCalls    []uint32 // calls that have ended and have open objects
	traceChanges    []Ref    // running calls whose trace has changed

	absences absences // by slot of an object: the latest time at which its Call Bridge was found not to have it
	// loadedAbsences are the absences of stored entries, until FinishLoad.
	loadedAbsences map[objectKey]int64
	removals       []removal                 // calls that their bridge removed and that wait for their end records, ordered by removal.due
	bridgeListings map[uint64]*bridgeListing // the last listings of the calls and legs of each Call Bridge
	comparisons    []comparison              // of two listings of one bridge, not finished

	grace     grace
	steps     uint64 // units of work done; tests bound it
	journal   journal
	loading   *loader // set while stored entries are loaded
	restoring bool    // while FinishLoad rebuilds derived indexes
	stats     Stats

	codec        factsCodec                // decodes the facts of the object that the current method works on
	scratch      scratch                   // buffers, and a codec for another object
	callContexts [contextSlots]callContext // cache: the attributes that the records of a container's objects get; see contextSlot
	renderings   [renderingSlots]rendering // cache: the parts of rendered objects that MarkEmitted needs; see renderingOf
}

// New returns an empty engine.
func New(o Options) *Engine {
	e := &Engine{
		linger: int64(o.Linger), maxOpen: int64(o.MaxOpen), tolerance: int64(o.ClockTolerance), maxObjects: o.MaxObjects,
		correlators:            make(map[uint64]callGroup),
		recordedSessionsByCall: make(map[uint64]uint32),
		absences:               make(absences),
		bridgeListings:         make(map[uint64]*bridgeListing),
		dictionary:             newDictionary(),
		resources:              resources{slotOf: make(map[string]uint32), stored: o.Stored},
		sessions:               sessions{slotOf: make(map[string]uint32), stored: o.Stored},
		journal:                journal{stored: o.Stored, unstoredAbsences: make(map[uint32]struct{})},
	}
	e.scratch.nextStart = make(map[uint64]int64)
	e.identities = e.newIdentities()
	e.participants, e.sipCalls = e.newHashIndexes(byParticipant), e.newHashIndexes(bySIPCall)
	e.spaces, e.spaceChanges, e.meetings = e.newHashIndexes(bySpace), e.newHashIndexes(bySpaceAndClient), e.newHashIndexes(bySpaceAndClient)
	return e
}

// tick advances the engine's time, which never goes backwards.
func (e *Engine) tick(now time.Time) int64 {
	e.now = max(e.now, now.UnixNano())
	return e.now
}

// Apply merges a record. Until its object is pending, applying it again or in another order makes
// no difference. The only error is ErrFull.
func (e *Engine) Apply(now time.Time, r *Record) (Ref, error) {
	e.extendGrace(e.tick(now), r.Time)
	slot := r.Known.slot
	if o := e.resolve(r.Known); o == nil || o.kind != r.Kind {
		slot = e.slotOf(r.Kind, r.ID)
	}
	if r.Kind == Dialog {
		return e.applyDialog(slot, r)
	}
	if r.Kind == APIRequest {
		return e.applyRequest(slot, r)
	}
	if e.isFinal(slot) {
		// The record is not merged, so it needs no room. Making room could forget its object.
		e.stats.Late++
		e.markSessionAlive(slot, r)
		return Ref{slot, e.objects.at(slot).generation}, nil
	}
	if need := e.slotsNeeded(slot, r); need > 0 && !e.makeRoom(need) {
		return Ref{}, ErrFull
	}
	slot = e.mergeInto(slot, r)
	for i := range r.Parts {
		p := &r.Parts[i]
		part := Record{
			Kind: p.Kind, ID: p.ID, Fields: p.Fields, Items: p.Items,
			Phase: r.Phase, Time: r.Time, Index: r.Index, Source: r.Source,
		}
		if partSlot := e.slotOf(part.Kind, part.ID); !e.isFinal(partSlot) {
			e.mergeInto(partSlot, &part)
		}
	}
	for budget := followUpsPerRecord; budget > 0 && e.followUpOne(); budget-- {
	}
	return Ref{slot, e.objects.at(slot).generation}, nil
}

// followUpsPerRecord bounds the objects that Apply ends or reopens after a record (see
// followUpOne). Advance does the rest.
const followUpsPerRecord = 16

// isFinal reports whether an object accepts no more records, because it is pending or emitted.
// It returns false for slot 0, which is no object.
func (e *Engine) isFinal(slot uint32) bool {
	return slot != 0 && e.objects.at(slot).state >= pendingEmit
}

// mergeInto merges a record into an object, or into a new one if slot is 0. The caller has
// made room.
func (e *Engine) mergeInto(slot uint32, r *Record) uint32 {
	if slot == 0 {
		slot = e.create(r.Kind, r.ID)
	}
	e.setOwnSource(slot, r.Source)
	e.markSessionAlive(slot, r)
	e.merge(slot, r)
	if r.Phase == End {
		e.objects.at(slot).flags |= flagEnded
	}
	e.updateUnlistedFlag(slot)
	e.endOrReopen(slot)
	return slot
}

// slotsNeeded returns how many free slots a record may need: for its object, its parts, and
// the call or recorded session that contains them. It returns 0 if there is certainly room.
func (e *Engine) slotsNeeded(slot uint32, r *Record) (n int) {
	if e.objects.used()+2+len(r.Parts) <= e.maxObjects {
		return 0
	}
	if slot == 0 {
		n++
	}
	for i := range r.Parts {
		if e.mayNeedSlot(r.Parts[i].Kind, r.Parts[i].ID) {
			n++
		}
	}
	switch r.Kind {
	case Call, RecordedSession, Dialog, DialogFork, APIRequest, ScheduledMeeting:
		return n
	case Track:
		if recordedSession := recordedSessionOf(r.ID); recordedSession != "" && e.mayNeedSlot(RecordedSession, recordedSession) {
			n++
		}
		return n
	case CallLeg, Recording, Streaming:
	}
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Key == names.CallID && f.Value.Kind == KindText && f.Value.Text != "" {
			if identity, _ := identityOf(Call, f.Value.Text); e.mayBeForgotten(e.slotOfCall(slot, &identity)) {
				n++
			}
		}
	}
	return n
}

// mayNeedSlot reports whether an object does not exist, or is one that makeRoom may forget.
func (e *Engine) mayNeedSlot(kind Kind, id string) bool { return e.mayBeForgotten(e.slotOf(kind, id)) }

// mayBeForgotten reports whether a slot is 0, or has an object that makeRoom may forget.
func (e *Engine) mayBeForgotten(slot uint32) bool {
	if slot == 0 {
		return true
	}
	in := e.objects.at(slot).state
	return in == emitted || in == emittedWithMembers || in == emittedRequest
}

// slotOf returns the slot of the object with an id, 0 if there is none.
func (e *Engine) slotOf(kind Kind, id string) uint32 {
	identity, _ := identityOf(kind, id)
	return e.slotOfIdentity(kind, &identity)
}

// create makes an object. The caller has made room.
func (e *Engine) create(kind Kind, id string) uint32 {
	identity, isGUID := identityOf(kind, id)
	slot := e.allocate(kind, identity)
	o := e.objects.at(slot)
	o.span = ids.Span(kind.Name(), id)
	if kind.isContainer() {
		info := e.containers.at(o.containerIndex)
		info.ownTrace = ids.Trace(kind.Name(), id)
		info.trace, info.rootSpan = info.ownTrace, o.span
	}
	e.setState(slot, open, e.now)
	e.markDirty(slot, flagDirtyFacts)
	if !isGUID {
		o.flags |= flagTextID
		e.storeID(slot, id)
	}
	switch kind {
	case Track:
		e.putTrackInRecordedSession(slot, id)
	case Dialog:
		o.sip.hash = hashOf(appendCanonical(nil, id))
	case DialogFork:
		e.putForkInDialog(slot, id)
	case Call, CallLeg, Recording, Streaming, RecordedSession, APIRequest, ScheduledMeeting:
	}
	return slot
}

// allocate takes a slot for an identity.
func (e *Engine) allocate(kind Kind, identity identity) uint32 {
	slot := e.objects.allocate()
	o := e.objects.at(slot)
	*o = object{identity: identity, kind: kind, generation: o.generation + 1}
	if kind.isContainer() {
		o.containerIndex = e.containers.allocate()
		*e.containers.at(o.containerIndex) = containerInfo{}
	}
	e.identities.add(e.identityHash(kind, &identity), slot)
	return slot
}

// setOwnSource sets an object's source from one of its own records.
func (e *Engine) setOwnSource(slot uint32, s Source) {
	o := e.objects.at(slot)
	if o.flags&flagInferredSource != 0 {
		o.flags &^= flagInferredSource
		e.resources.release(o.resource)
		o.resource = 0
		e.joinSession(slot, 0)
	}
	e.keepLargerSource(slot, s)
}

// inferSource sets the source of a call from a record that names it. A record of the call
// itself overrides it.
func (e *Engine) inferSource(call uint32, s Source) {
	o := e.objects.at(call)
	if o.flags&flagInferredSource == 0 && o.resource != 0 {
		return
	}
	o.flags |= flagInferredSource
	e.keepLargerSource(call, s)
	e.endOrReopen(call)
}

// keepLargerSource keeps the larger of two sources by text, so the order of arrival makes no
// difference.
func (e *Engine) keepLargerSource(slot uint32, s Source) {
	o := e.objects.at(slot)
	if o.resource == 0 || e.resources.texts[o.resource] < s.resource {
		old := o.resource
		o.resource = e.resources.acquire(s.resource)
		if old != 0 {
			e.resources.release(old)
		}
		e.markDirty(slot, flagDirty)
	}
	if s.session == "" || o.session != 0 && e.sessions.texts[o.session] >= s.session {
		return
	}
	e.joinSession(slot, e.sessions.findOrCreate(s.session))
	e.markDirty(slot, flagDirty)
}

// joinSession moves an object into a session; 0 is none.
func (e *Engine) joinSession(slot, session uint32) {
	o := e.objects.at(slot)
	old := o.session
	if o.state == open && old != 0 {
		e.sessions.at(old).open.remove(e, slot, bySession)
	}
	e.removeFromSessionEnded(slot)
	o.session = session
	if session != 0 {
		e.sessions.at(session).objectCount++
		if o.state == open {
			e.sessions.at(session).open.push(e, slot, bySession)
		}
	}
	if old != 0 {
		e.sessions.release(old)
	}
}

// storeID stores an id that is not a GUID among the object's facts, because its identity is
// only a hash.
func (e *Engine) storeID(slot uint32, id string) {
	o := e.objects.at(slot)
	f := &e.scratch.codec
	f.read(nil)
	if o.kind != Dialog { // a Dialog's id is the SIP Call-ID: it keeps its case, because the legs name it in that case
		id = lowerASCII(id)
	}
	f.encodeFields(&e.dictionary, Note, []Field{{Key: wellKnownTexts[idKeyOf(o.kind)], Value: Text(id)}})
	f.addStatement(noteStatement, f.recordAttributes)
	e.storeFacts(slot, f.encodeNormalized(&e.dictionary))
}

// Find returns an object that the engine holds.
func (e *Engine) Find(kind Kind, id string) (ref Ref, found bool) {
	slot := e.slotOf(kind, id)
	if slot == 0 {
		return Ref{}, false
	}
	return Ref{slot, e.objects.at(slot).generation}, true
}

// resolve returns the object of a reference, nil if it was forgotten.
func (e *Engine) resolve(ref Ref) *object {
	if ref.slot == 0 || ref.slot > e.objects.highest {
		return nil
	}
	o := e.objects.at(ref.slot)
	if o.state == free || o.generation != ref.generation {
		return nil
	}
	return o
}

func lowerASCII(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
