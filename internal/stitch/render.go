// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// scratch is working memory that methods reuse.
type scratch struct {
	codec          factsCodec // for an object beside the one in Engine.codec
	legs           []uint32
	intervals      []interval
	nextStart      map[uint64]int64 // by bridge
	runs           []overlapRun
	tombstoneBytes []byte
	fork           factsCodec // for a fork whose call is in Engine.codec
	stamp          []Field    // for a record of a SIP call
	fields         []Field
	links          []Link
	calls          []string
	sortedFields   []Field // by dictionary.position
	isSet          []bool  // which of sortedFields are set
	derived        []derivedField
}

// VisitPendingEmits visits up to n pending objects: the oldest ones or, if after is set, those
// behind it in the queue. It visits none if after is no longer pending. The objects stay
// pending until MarkEmitted. Their traces are final now; the caller stores this change before
// it sends the objects.
func (e *Engine) VisitPendingEmits(after Ref, n int, visit func(*Stitched)) (visited int) {
	return e.visitState(pendingEmit, after, n, visit)
}

// VisitSetAside visits objects that were set aside, as VisitPendingEmits does.
func (e *Engine) VisitSetAside(after Ref, n int, visit func(*Stitched)) (visited int) {
	return e.visitState(setAside, after, n, visit)
}

func (e *Engine) visitState(in state, after Ref, n int, visit func(*Stitched)) (visited int) {
	slot := e.queues[in].head
	if after != (Ref{}) {
		o := e.resolve(after)
		if o == nil || o.state != in {
			return 0
		}
		slot = o.queue.next
	}
	for slot != 0 && visited < n {
		next := e.objects.at(slot).queue.next
		s := e.render(slot)
		visit(&s)
		slot = next
		visited++
	}
	return visited
}

// CountPendingEmits returns how many objects are pending, set-aside ones included.
func (e *Engine) CountPendingEmits() (n int) {
	return e.countInState(pendingEmit) + e.countInState(setAside)
}

// countInState returns how many objects are in a state.
func (e *Engine) countInState(in state) (n int) {
	for kind := range kinds {
		n += e.counts[kind][in]
	}
	return n
}

// Stamp returns the ids and the context for a record of an object; ok is false if the object
// was forgotten.
func (e *Engine) Stamp(ref Ref) (s Stamp, ok bool) {
	o := e.resolve(ref)
	if o == nil {
		return s, false
	}
	s = Stamp{Trace: e.traceOf(ref.slot), Span: o.span}
	switch {
	case o.kind == Dialog || o.kind == DialogFork:
		s.Context = e.dialogStamp(ref.slot)
	case o.kind.isContainer():
		e.rememberStampedTrace(ref.slot)
		s.Context = e.contextOf(ref.slot)
	case o.containerSlot != 0:
		e.rememberStampedTrace(o.containerSlot)
		s.Context = e.contextOf(o.containerSlot)
	}
	return s, true
}

// traceOf returns the trace of an object as far as it is known.
func (e *Engine) traceOf(slot uint32) TraceID {
	o := e.objects.at(slot)
	switch {
	case o.kind == Dialog:
		return e.traceOfDialog(slot)
	case o.kind.isContainer():
		return e.containers.at(o.containerIndex).trace
	case o.kind == ScheduledMeeting:
		return ids.Trace(o.kind.Name(), e.idOf(slot))
	case o.state == emitted || o.state == emittedRequest:
		return e.tombstone(slot).trace
	case o.kind == APIRequest:
		return e.traceOfRequest(slot)
	case o.kind == DialogFork && o.containerSlot != 0:
		return e.traceOfDialog(o.containerSlot)
	case o.containerSlot != 0:
		return e.infoOf(o.containerSlot).trace
	case o.flags&flagSharing != 0 && e.audioVideoOf(slot) != 0:
		return e.traceOf(e.audioVideoOf(slot))
	default:
		return ids.Trace(o.kind.Name(), e.idOf(slot))
	}
}

// idOf returns the id of an object that has its facts.
func (e *Engine) idOf(slot uint32) string {
	o := e.objects.at(slot)
	if o.flags&flagTextID == 0 {
		var room [guidText]byte
		return string(appendGUID(room[:0], &o.identity))
	}
	e.readFacts(&e.scratch.codec, slot)
	for i := range e.scratch.codec.statements {
		// Only the statement of storeID has this key.
		if raw := e.scratch.codec.statements[i].value(idKeyOf(o.kind)); raw != nil {
			return text(raw)
		}
	}
	return ""
}

// idKeyOf returns the key of the attribute that holds the id of an object of the kind.
func idKeyOf(kind Kind) key {
	return [kinds]key{
		Call: keyCall, CallLeg: keyLeg, Recording: keyRecording, Streaming: keyStreaming, RecordedSession: keyRecordedSession, Track: keyTrack,
		Dialog: keySIPCallID, DialogFork: keyDialog, APIRequest: keyRequest, ScheduledMeeting: keyMeeting,
	}[kind]
}

// rendering is the part of a stitched object that MarkEmitted needs.
type rendering struct {
	ref     Ref
	outcome Outcome
	trace   TraceID
	start   int64 // see startOf
}

// renderingSlots is how many renderings are cached between render and MarkEmitted: twice a
// usual batch.
const renderingSlots = 1 << 10

// renderingOf returns the cached rendering of a pending object, or computes it.
func (e *Engine) renderingOf(ref Ref) rendering {
	if r := &e.renderings[ref.slot%renderingSlots]; r.ref == ref {
		return *r
	}
	o, f := e.objects.at(ref.slot), &e.scratch.codec
	e.readFacts(f, ref.slot)
	r := rendering{ref: ref, outcome: e.outcomeOf(o, e.timeRangeOf(o, f)), start: f.timeRange().startOrFirst()}
	r.trace = e.traceOf(ref.slot)
	return r
}

// outcomeOf returns how an object with the times s ended, or would end now.
func (e *Engine) outcomeOf(o *object, s timeRange) Outcome {
	switch {
	case o.kind == ScheduledMeeting && o.flags&flagCallEnded != 0: // the end is that of its call
		return CallEnded
	case s.end != 0 && s.start != 0:
		return Complete
	case s.end != 0:
		return Partial
	// The cause that came first counts: its session may have ended since.
	case o.flags&flagExpired != 0:
		return Expired
	case o.flags&flagEvicted != 0:
		return Evicted
	case e.callHasEnded(o):
		return CallEnded
	case e.bridgeRestarted(o):
		return BridgeRestarted
	case o.flags&flagUnlisted != 0:
		return Unlisted
	default:
		return Incomplete
	}
}

// freezeTraceOf fixes the trace of an object before it is emitted.
func (e *Engine) freezeTraceOf(slot uint32) {
	o := e.objects.at(slot)
	switch {
	case o.kind.isContainer():
		e.freezeContainer(slot)
	case o.containerSlot != 0:
		e.freezeContainer(o.containerSlot)
	case o.flags&flagSharing != 0:
		if leg := e.audioVideoOf(slot); leg != 0 && e.objects.at(leg).containerSlot != 0 {
			e.freezeContainer(e.objects.at(leg).containerSlot)
		}
	}
}

// render returns the stitched object of a pending object.
func (e *Engine) render(slot uint32) Stitched {
	o := e.objects.at(slot)
	e.freezeTraceOf(slot)
	out := Stitched{
		Ref: Ref{slot, o.generation}, Kind: o.kind, ID: e.idOf(slot),
		Trace: e.traceOf(slot), Span: o.span, Parent: e.parentOf(slot), PendingSince: o.since,
	}
	out.Resource = e.resourceOf(slot)
	// Other objects are read above, because e.codec holds this object's facts from here on.
	var context []Field
	holder := slot // the object whose facts the span has
	switch {
	case o.kind == DialogFork && o.containerSlot != 0:
		holder = o.containerSlot
		out.ID, out.Resource = lowerASCII(out.ID), e.resourceOf(o.containerSlot)
	case o.containerSlot != 0:
		context = e.contextOf(o.containerSlot)
	case o.kind == ScheduledMeeting:
		if call := e.slotOfIdentity(Call, &o.identity); call != 0 {
			context = e.contextOf(call)
		}
	}
	f := &e.codec
	e.readFacts(f, holder)
	f.normalize(&e.dictionary)
	out.Links = e.linksOf(slot)
	s := e.timeRangeOf(o, f)
	out.Outcome = e.outcomeOf(o, s)
	out.Start, out.End = e.spanTimes(o, s, out.Outcome)
	if holder == slot {
		e.renderings[slot%renderingSlots] = rendering{ref: out.Ref, outcome: out.Outcome, trace: out.Trace, start: f.timeRange().startOrFirst()}
	}
	var texts valueDecoder
	texts.reset(f)
	if holder != slot {
		e.boundForkFacts(f)
	}
	var derived []derivedField
	switch o.kind {
	case CallLeg:
		derived = e.deriveLeg(&out, &texts)
	case RecordedSession:
		derived = e.deriveRecordedSession(&out, &texts)
	case Track:
		derived = e.deriveTrack(o, &out, &texts)
	case Dialog, DialogFork:
		derived = e.deriveDialog(o, &out)
	case APIRequest:
		f.deriveRequest(&out)
	case ScheduledMeeting:
		derived = e.deriveMeeting(&out)
	case Call, Recording, Streaming:
	}
	out.Fields = e.renderFields(o, context, &out, derived, &texts)
	return out
}

// derivedField is an attribute that follows from all records of an object.
type derivedField struct {
	key   key
	value Value
}

// spanTimes returns the start and the end of the span. If the start is after the end, because
// a clock was set back, the start is computed from the duration that the bridge measured.
func (e *Engine) spanTimes(o *object, s timeRange, outcome Outcome) (start, end int64) {
	if o.kind == Dialog || o.kind == DialogFork {
		return timesOfDialog(s)
	}
	if o.kind == APIRequest {
		return e.codec.timesOfRequest()
	}
	if o.kind.isContainer() {
		info := e.containers.at(o.containerIndex)
		s.first, s.last = earliestSet(s.first, info.firstNamedAt), max(s.last, info.lastNamedAt)
	}
	start, end = s.start, s.end
	switch {
	case outcome == CallEnded && o.containerSlot != 0:
		end = e.infoOf(o.containerSlot).end
	case end == 0:
		end = s.last
	}
	if start == 0 || start > end {
		duration, unit := e.codec.durationOf(o.kind)
		start = startFromDuration(s.end, duration, unit)
	}
	if start == 0 && s.end == 0 {
		start = s.first
	}
	if start == 0 || start > end {
		start = end
	}
	return start, end
}

// parentOf returns the parent span of an object; zero for a root.
func (e *Engine) parentOf(slot uint32) SpanID {
	o := e.objects.at(slot)
	if o.kind.isContainer() {
		if info := e.containers.at(o.containerIndex); info.rootSpan != o.span {
			return info.rootSpan
		}
		return SpanID{}
	}
	if o.flags&flagSharing != 0 {
		if leg := e.audioVideoOf(slot); leg != 0 {
			return e.objects.at(leg).span
		}
	}
	switch {
	case o.kind == APIRequest:
		return e.parentOfRequest(slot)
	case o.kind == DialogFork && o.containerSlot != 0:
		return e.infoOf(o.containerSlot).rootSpan // the call's leg, or the first branch
	case o.containerSlot != 0:
		return e.objects.at(o.containerSlot).span
	default:
		return SpanID{}
	}
}

// Reasons of links.
const (
	linkMoved    = "moved"
	linkReplaces = "replaces"
	linkSameCall = "same_call"
	// From a request to the object that it created or concerns.
	linkCreated  = "created"
	linkConcerns = "concerns"
	// From a call to the scheduled meeting that created it.
	linkScheduled = "scheduled"
)

// linkedTrace regroups the conference of a linked object and returns its trace.
func (e *Engine) linkedTrace(from uint32) TraceID {
	o := e.objects.at(from)
	if o.kind == Call {
		if info := e.infoOf(from); !info.traceFrozen {
			e.regroup(info.groupID)
		}
		return e.traceOf(from)
	}
	if o.state != emitted && o.containerSlot != 0 && e.objects.at(o.containerSlot).kind == Call {
		if info := e.infoOf(o.containerSlot); !info.traceFrozen {
			e.regroup(info.groupID)
		}
	}
	return e.traceOf(from)
}

// linksOf returns the links of the object whose facts e.codec holds.
func (e *Engine) linksOf(slot uint32) []Link {
	links := e.scratch.links[:0]
	if raw := e.codec.newest(keyMovedLeg); isText(raw) {
		id := text(raw)
		link := Link{Trace: e.traceOf(slot), Span: ids.Span(CallLeg.Name(), id), Reason: linkMoved}
		identity := identityOfValue(CallLeg, raw)
		if from := e.slotOfIdentity(CallLeg, &identity); from != 0 {
			link.Trace = e.linkedTrace(from)
		}
		links = append(links, link)
	}
	if raw := e.codec.newest(keyReplaces); isText(raw) {
		from := e.legOfSIPCall(hashOf(raw), slot)
		if from == 0 && hashOf(raw) != e.objects.at(slot).sip.hash { // no bridge knows the call
			identity := identityOfValue(Dialog, raw)
			from = e.slotOfIdentity(Dialog, &identity)
		}
		if from != 0 {
			links = append(links, Link{Trace: e.linkedTrace(from), Span: e.objects.at(from).span, Reason: linkReplaces})
		}
	}
	switch e.objects.at(slot).kind {
	case RecordedSession:
		if from := e.previousRecordedSession(slot); from != 0 {
			links = append(links, Link{Trace: e.linkedTrace(from), Span: e.objects.at(from).span, Reason: linkSameCall})
		}
	case Call:
		links = e.appendMeetingLink(links, slot)
	case APIRequest:
		links = e.appendRequestLinks(links)
	case ScheduledMeeting:
		links = append(links, e.linkToCall(e.idOf(slot), linkCreated))
	case CallLeg, Recording, Streaming, Track, Dialog, DialogFork:
	}
	e.scratch.links = links
	return links
}

// deriveLeg sets the fields of out that only legs have, and returns the derived attributes.
func (e *Engine) deriveLeg(out *Stitched, t *valueDecoder) []derivedField {
	direction := e.codec.newest(keyDirection)
	out.Server, out.Client = equalFold(direction, "incoming"), equalFold(direction, "outgoing")
	if reason := e.codec.newest(keyReason); reason != nil {
		if known, documented := names.LegReason(text(reason)); documented && known.Failure {
			out.ErrorType = known.Name
		}
	}
	calls := e.scratch.calls[:0]
	for i := range e.codec.statements {
		raw := e.codec.statements[i].value(keyCall)
		if !namesCall(raw) {
			continue
		}
		call := t.value(raw).Text
		if len(call) == guidText && raw[0] != tagGUID {
			call = text(appendCanonical(nil, call))
		}
		if len(calls) == 0 || calls[len(calls)-1] != call {
			calls = append(calls, call)
		}
	}
	e.scratch.calls = calls
	out.Calls = calls
	derived := e.scratch.derived[:0]
	if role := roleOf(&e.codec); role != "" {
		derived = append(derived, derivedField{keyRole, Text(role)})
	}
	// Without the start record, the leg's place before the first record is unknown.
	if e.codec.hasStart() && e.codec.timeRange().start == out.Start {
		line := timelineOf(&e.codec, out.Start, out.End)
		derived = append(derived, derivedField{keyIVRSeconds, seconds(line.ivr)}, derivedField{keyLobbySeconds, seconds(line.lobby)})
		if line.connected {
			derived = append(derived, derivedField{keySetup, seconds(line.setup)})
		}
	}
	e.scratch.derived = derived
	return derived
}
