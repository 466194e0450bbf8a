// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// A record is stamped with the trace that its call has at that moment. If the
// running call joins a conference later, its trace changes, and so does that of
// everything in it. A Joining describes the change, so that an archive can move
// the rows it wrote under the former trace.

// Joining is a running call whose trace is no longer the one that its records
// were stamped with. It is valid until the next call of a method of the engine,
// its texts for as long as the caller keeps them.
type TraceChange struct {
	Ref Ref
	// ID of the call.
	ID       string
	Span     SpanID
	Trace    TraceID
	Former   TraceID // the trace that its records were stamped with
	Resource string  // as given to NewSource
	// Context are the attributes of the call, its id included, in the order of the
	// keys.
	Context []Field
}

// stampedWith keeps the trace that a record of a call, or of something in it, is
// stamped with, unless there is an earlier one that was not announced as former.
func (e *Engine) rememberStampedTrace(call uint32) {
	info := e.containerOf(call)
	if info.stamped == (TraceID{}) && e.objects.at(call).kind == Call {
		info.stamped = info.trace
	}
}

// setTrace gives a call the trace of its conference.
func (e *Engine) setTrace(call uint32, trace TraceID, root SpanID) {
	info := e.containerOf(call)
	info.trace, info.root = trace, root
	if info.traceChangeQueued || !e.traceHasChanged(call) {
		return
	}
	info.traceChangeQueued = true
	e.traceChanges = append(e.traceChanges, Ref{call, e.objects.at(call).generation})
}

// joins tells whether a call is running and its trace is no longer the one that
// its records were stamped with.
func (e *Engine) traceHasChanged(call uint32) bool {
	o := e.objects.at(call)
	if o.kind != Call || !o.state.takesRecords() {
		return false
	}
	info := e.containerOf(call)
	return info.stamped != (TraceID{}) && info.stamped != info.trace
}

// TakeJoining visits up to n of the calls whose trace has changed, the first ones
// first, and takes them. The caller says what became of each: Announced or
// JoinLater.
func (e *Engine) TakeTraceChanges(n int, visit func(*TraceChange)) {
	for len(e.traceChanges) > 0 && n > 0 {
		e.steps++
		ref := e.traceChanges[0]
		e.traceChanges = e.traceChanges[1:]
		o := e.resolve(ref)
		if o == nil || o.kind != Call {
			continue
		}
		info := e.containerOf(ref.slot)
		if !e.traceHasChanged(ref.slot) { // it has ended, or is in its former conference again
			info.traceChangeQueued = false
			continue
		}
		j := TraceChange{Ref: ref, ID: e.idOf(ref.slot), Span: o.span, Trace: info.trace, Former: info.stamped, Context: e.contextOf(ref.slot)}
		if o.resource != 0 {
			j.Resource = e.resources.texts[o.resource]
		}
		visit(&j)
		n--
	}
}

// Announced ends a Joining that was taken: the next consumer took its event, or
// refused it with a permanent error.
func (e *Engine) TraceChangeSent(ref Ref, trace TraceID) {
	if o := e.resolve(ref); o != nil && o.kind == Call {
		info := e.containerOf(ref.slot)
		info.stamped, info.traceChangeQueued = trace, false
		e.markDirty(ref.slot, flagDirty)
		e.setTrace(ref.slot, info.trace, info.root) // it may have changed again
	}
}

// JoinLater puts a Joining that was taken back, behind all others.
func (e *Engine) RetryTraceChange(ref Ref) { e.traceChanges = append(e.traceChanges, ref) }

// Joins tells whether TakeJoining has something to visit.
func (e *Engine) HasTraceChanges() bool { return len(e.traceChanges) > 0 }
