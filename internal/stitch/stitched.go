// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// Outcome tells how an object ended.
type Outcome uint8

const (
	// Complete objects have a start and an end record.
	Complete Outcome = iota
	// Partial objects have an end record, and their start is unknown.
	Partial
	// BridgeRestarted objects were open when their Call Bridge restarted.
	BridgeRestarted
	// Expired objects had no end record within Options.MaxOpen.
	Expired
	// Evicted objects were open when Options.MaxObjects was reached.
	Evicted
	// Incomplete objects were open at a shutdown without storage.
	Incomplete
	// CallEnded objects were open when their call ended.
	CallEnded
	// Unlisted objects have no end record, and their Call Bridge no longer had them: it did
	// not list them, removed their call, or began the next call of the room.
	Unlisted

	outcomes
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Complete, Partial, BridgeRestarted, Expired, Evicted, Incomplete, CallEnded, Unlisted}
}

// String returns the value of the attribute callstitch.outcome.
func (o Outcome) String() string {
	return [outcomes]string{"complete", "partial", "bridge_restarted", "expired", "evicted", "incomplete", "call_ended", "unlisted"}[o]
}

// TraceID is an OpenTelemetry trace id.
type TraceID = [16]byte

// SpanID is an OpenTelemetry span id.
type SpanID = [8]byte

// Stamp holds the ids and the context for a record of an object.
type Stamp struct {
	Trace TraceID
	Span  SpanID
	// Context holds the attributes of the object's call, its id included, in key order. The
	// slice is valid until the next method call; the texts stay valid.
	Context []Field
}

// Stitched is an object that has ended. It is valid until the next method call; its texts stay
// valid.
type Stitched struct {
	Ref  Ref
	Kind Kind
	// Name of the span, of low cardinality; "" for the name of its kind.
	Name         string
	ID           string
	Trace        TraceID
	Span         SpanID
	Parent       SpanID // zero for a root
	Start        int64  // nanoseconds since 1970, by the sender's clock
	End          int64  // as Start; not before it
	PendingSince int64  // when it became pending, by the engine's clock; the same at each attempt
	Outcome      Outcome
	// Server reports that the far end called, Client that it was called; neither is set for
	// objects that are not connections.
	Client, Server bool
	// ErrorType is the failure that ended the object, "" if none.
	ErrorType string
	// Resource is the text that NewSource was called with.
	Resource string
	// Fields are the merged attributes, the call's context and the derived attributes, in key
	// order, without the object's own id.
	Fields []Field
	// Lists are the merged attributes that are lists of maps. Fields of a map are in key
	// order.
	Lists []List
	// Calls are the ids of the calls that a leg was in, in order.
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
