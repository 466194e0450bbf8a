// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// Outcome is how an object's life ended.
type Outcome uint8

const (
	// Complete objects were seen from start to end.
	Complete Outcome = iota
	// Partial objects have an end, and what they say does not tell the start.
	Partial
	// BridgeRestarted objects were open when their Call Bridge started anew.
	BridgeRestarted
	// Expired objects had no end within Options.MaxOpen.
	Expired
	// Evicted objects had to go because Options.MaxObjects was reached.
	Evicted
	// Incomplete objects were open when the engine was shut down for good.
	Incomplete
	// CallEnded objects were open when the call they were in ended.
	CallEnded
	// Unlisted objects have no end, and their Call Bridge did not have them any more: it
	// did not list them, removed their call, or began the next call of its room.
	Unlisted

	outcomes
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Complete, Partial, BridgeRestarted, Expired, Evicted, Incomplete, CallEnded, Unlisted}
}

// String is the outcome as the attribute callstitch.outcome has it.
func (o Outcome) String() string {
	return [outcomes]string{"complete", "partial", "bridge_restarted", "expired", "evicted", "incomplete", "call_ended", "unlisted"}[o]
}

// TraceID is a trace id as OpenTelemetry has them.
type TraceID = [16]byte

// SpanID likewise.
type SpanID = [8]byte

// Stamp is what is known of an object when one of its records passes.
type Stamp struct {
	Trace TraceID
	Span  SpanID
	// Context is what the object's call has to say, its id included, in the
	// order of the keys. It is valid until the next call of a method of the
	// engine; its texts for good.
	Context []Field
}

// Stitched is an object whose life is over. It is valid until the next call of
// a method of the engine, its texts for good.
type Stitched struct {
	Ref  Ref
	Kind Kind
	// Name of the span, of low cardinality; "" for that of its kind.
	Name    string
	ID      string
	Trace   TraceID
	Span    SpanID
	Parent  SpanID // zero for a root
	Start   int64  // nanoseconds since 1970, by the sender's clock
	End     int64  // likewise, not before Start
	Due     int64  // when it was due, by the engine's clock: the same for every try
	Outcome Outcome
	// Client tells that the far end was called, Server that it called; neither
	// for what is not a connection.
	Client, Server bool
	// ErrorType is the reason of an end that was a failure, else "".
	ErrorType string
	// Resource as given to NewSource.
	Resource string
	// Fields are the merged attributes, the call's context and the facts that
	// were found out, in the order of the keys, without the object's own id.
	Fields []Field
	// Lists are the merged attributes that are lists of maps, each map's fields in
	// the order of their keys.
	Lists []List
	// Calls are the ids of the calls a leg was in, in order.
	Calls []string
	Links []Link
}

// List is an attribute that is a list of maps.
type List struct {
	Key  string
	Maps [][]Field
}

// Link to another span.
type Link struct {
	Trace  TraceID
	Span   SpanID
	Reason string
}
