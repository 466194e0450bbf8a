// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// A record is stamped with the trace that its call has at that moment. If the running call
// joins a conference later, its trace and the traces of all its objects change. A TraceChange
// describes the change, so that an archive can move the rows that it wrote under the former
// trace.

// TraceChange is a running call whose trace differs from the one that its records were stamped
// with. It is valid until the next method call; its texts stay valid.
type TraceChange struct {
	Ref Ref
	// ID of the call.
	ID       string
	Span     SpanID
	Trace    TraceID
	Former   TraceID // the trace that its records were stamped with
	Resource string  // the text that NewSource was called with
	// Context holds the attributes of the call, its id included, in key order.
	Context []Field
}

// rememberStampedTrace keeps the trace with which a record of a call or its objects is
// stamped, unless an earlier trace is still to be announced as former.
func (e *Engine) rememberStampedTrace(call uint32) {
	info := e.infoOf(call)
	if info.stampedTrace == (TraceID{}) && e.objects.at(call).kind == Call {
		info.stampedTrace = info.trace
	}
}

// setTrace sets the trace of a call.
func (e *Engine) setTrace(call uint32, trace TraceID, root SpanID) {
	info := e.infoOf(call)
	info.trace, info.rootSpan = trace, root
	if info.traceChangeQueued || !e.traceHasChanged(call) {
		return
	}
	info.traceChangeQueued = true
	e.traceChanges = append(e.traceChanges, Ref{call, e.objects.at(call).generation})
}

// traceHasChanged reports whether a call is running and its trace differs from the one that
// its records were stamped with.
func (e *Engine) traceHasChanged(call uint32) bool {
	o := e.objects.at(call)
	if o.kind != Call || !o.state.takesRecords() {
		return false
	}
	info := e.infoOf(call)
	return info.stampedTrace != (TraceID{}) && info.stampedTrace != info.trace
}

// traceChangeFlag returns the flag of a call with a frozen trace whose change is not sent. The
// stored state of such a call has room for the frozen trace only.
func (e *Engine) traceChangeFlag(slot uint32) uint16 {
	if !e.traceHasChanged(slot) {
		return 0
	}
	if info := e.infoOf(slot); info.traceFrozen && info.stampedTrace == info.ownTrace {
		return flagStampedWithOwnTrace
	}
	return 0
}

// TakeTraceChanges visits up to n calls whose trace has changed, in the order of the changes,
// and removes them from the queue. The caller then calls TraceChangeSent or RetryTraceChange
// for each.
func (e *Engine) TakeTraceChanges(n int, visit func(*TraceChange)) {
	for len(e.traceChanges) > 0 && n > 0 {
		e.steps++
		ref := e.traceChanges[0]
		e.traceChanges = e.traceChanges[1:]
		o := e.resolve(ref)
		if o == nil || o.kind != Call {
			continue
		}
		info := e.infoOf(ref.slot)
		if !e.traceHasChanged(ref.slot) { // the call has ended, or is in its former conference again
			info.traceChangeQueued = false
			continue
		}
		change := TraceChange{Ref: ref, ID: e.idOf(ref.slot), Span: o.span, Trace: info.trace, Former: info.stampedTrace, Context: e.contextOf(ref.slot)}
		if o.resource != 0 {
			change.Resource = e.resources.texts[o.resource]
		}
		visit(&change)
		n--
	}
}

// TraceChangeSent ends a TraceChange: the next consumer accepted its event, or refused it with
// a permanent error.
func (e *Engine) TraceChangeSent(ref Ref, trace TraceID) {
	if o := e.resolve(ref); o != nil && o.kind == Call {
		info := e.infoOf(ref.slot)
		info.stampedTrace, info.traceChangeQueued = trace, false
		e.markDirty(ref.slot, flagDirty)
		e.setTrace(ref.slot, info.trace, info.rootSpan) // the trace may have changed again
	}
}

// RetryTraceChange puts a TraceChange back, behind all others.
func (e *Engine) RetryTraceChange(ref Ref) { e.traceChanges = append(e.traceChanges, ref) }

// HasTraceChanges reports whether TakeTraceChanges has something to visit.
func (e *Engine) HasTraceChanges() bool { return len(e.traceChanges) > 0 }
