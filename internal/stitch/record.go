// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"math"
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// Kind of an object.
type Kind uint8

// The kinds of objects that are stitched.
const (
	Call Kind = iota
	CallLeg
	Recording
	Streaming
	// Session is one that MediaSense recorded, not the session of a sender.
	Session
	Track
	// Dialog is a SIP call with the first branch of it that was answered; its records
	// are made by [Message.Record]. DialogFork is any further branch that was answered;
	// no record is of one.
	Dialog
	DialogFork
	// APIRequest is one request to a bridge's API. ScheduledMeeting is a meeting that
	// an API client started; its records are made of those of its requests.
	APIRequest
	ScheduledMeeting

	kinds
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{Call, CallLeg, Recording, Streaming, Session, Track, Dialog, DialogFork, APIRequest, ScheduledMeeting}
}

// described is what is fixed for a kind.
var kindInfo = [kinds]struct{ name, short, id string }{
	Call:      {names.KindCall, "call", names.CallID},
	CallLeg:   {names.KindCallLeg, "call_leg", names.CallLegID},
	Recording: {names.KindRecording, "recording", names.RecordingID},
	Streaming: {names.KindStreaming, "streaming", names.StreamingID},
	Session:   {names.KindSession, "session", names.MediaSenseSessionID},
	Track:     {names.KindTrack, "track", names.MediaSenseTrackID},

	Dialog:     {names.KindDialog, "dialog", names.DialogID},
	DialogFork: {names.KindDialog, "dialog_fork", names.DialogID},

	APIRequest:       {names.KindAPIRequest, "api_request", names.APIRequestID},
	ScheduledMeeting: {names.KindScheduledMeeting, "scheduled_meeting", names.ScheduledMeetingID},
}

// Name is the kind as it goes into ids: one of names.Kinds().
func (k Kind) Name() string { return kindInfo[k].name }

// String is the kind in one word of low cardinality.
func (k Kind) String() string { return kindInfo[k].short }

// SpanName is the name of the spans of the kind, of low cardinality.
func (k Kind) SpanName() string {
	if k == DialogFork {
		k = Dialog
	}
	return k.String()
}

// IDKey is the attribute of the object's own id.
func (k Kind) IDKey() string { return kindInfo[k].id }

// holds tells whether other objects are in those of the kind.
func (k Kind) holds() bool { return k == Call || k == Session || k == Dialog }

// keepsFacts tells whether facts of an object of the kind are kept when it is done.
// Of all other kinds a tombstone is left.
func (k Kind) keepsFacts() bool { return k.holds() || k == ScheduledMeeting }

// MaxTracks is how many tracks a session may have. Real ones have two for each
// medium.
const MaxTracks = 64

const trackInfix = "-track"

// TrackID is the id of a session's track; ok is false for a number that no track
// has.
func TrackID(session string, number int64) (id string, ok bool) {
	if number < 0 || number >= MaxTracks {
		return "", false
	}
	return session + trackInfix + strconv.FormatInt(number, 10), true
}

// sessionOf is the id of the session that a track is in, as its own id says.
func sessionOf(track string) string {
	return track[:max(0, strings.LastIndex(track, trackInfix))]
}

// Phase is what a record says about the life of its object.
type Phase uint8

// The phases in the order in which they come, were everything in order.
const (
	Start Phase = iota
	Update
	End
	// Note, of sessions and tracks only, is no sign of life: the record says something of an object that may
	// be over for long, or not have begun. An object of which nothing else is
	// said is not emitted.
	Note
)

// Record is what one log record says about one object. The engine keeps no
// part of it.
type Record struct {
	Kind  Kind
	Phase Phase
	// ID of the object as on the wire, not empty.
	ID string
	// Time of the record by the sender's clock, in nanoseconds since 1970.
	Time int64
	// Index orders the records of an object before their times do: the number
	// that the sender's session gave it, or else which records have the last word;
	// 0 where there is neither.
	Index uint64
	// Source of the record.
	Source Source
	// Fields are the record's attributes, without the object's own id, in any
	// order, each key once. Those of a Note should be the same whenever it is said.
	Fields []Field
	// Items that the record names, in any order.
	Items []Item
	// Parts are other objects of which the record says something too.
	Parts []Part
	// Dropped is how much of the record the caller had to leave out.
	Dropped int
}

// Part is what a record says of another object than its own: that of a session
// of one of its tracks.
type Part struct {
	Kind   Kind
	ID     string
	Fields []Field
	Items  []Item
}

// Item is one element of an attribute that is a list of maps, as far as a record
// knows it. The list of an object is the union of what its records name; of each
// field of an item what the record with the highest Index says stands.
type Item struct {
	// List is the attribute.
	List string
	// At is the item's place in the list; ID tells it from others there.
	At int64
	ID string
	// Removed tells that the item is in the list no longer, whatever other
	// records say.
	Removed bool
	Fields  []Field
}

// Field is an attribute of a record or of an object.
type Field struct {
	Key   string
	Value Value
}

// ValueKind is the type of a value.
type ValueKind uint8

// The types of values.
const (
	KindText ValueKind = iota
	KindInt
	KindDouble
	KindBool
	// KindOpaque is a value that only the caller can read, in Text.
	KindOpaque
)

// Value of a field.
type Value struct {
	Kind ValueKind
	// Text of a KindText and a KindOpaque.
	Text string
	bits uint64
}

// Text makes a value of a text.
func Text(text string) Value { return Value{Kind: KindText, Text: text} }

// Opaque makes a value of bytes that only the caller can read.
func Opaque(encoded string) Value { return Value{Kind: KindOpaque, Text: encoded} }

// Int makes a value of a whole number.
func Int(n int64) Value { return Value{Kind: KindInt, bits: uint64(n)} } //nolint:gosec // the bits of it

// Double makes a value of a number.
func Double(n float64) Value { return Value{Kind: KindDouble, bits: math.Float64bits(n)} }

// Bool makes a value of a truth.
func Bool(b bool) Value {
	v := Value{Kind: KindBool}
	if b {
		v.bits = 1
	}
	return v
}

// Int returns a KindInt.
func (v Value) Int() int64 { return int64(v.bits) } //nolint:gosec // the bits of it

// Double returns a KindDouble.
func (v Value) Double() float64 { return math.Float64frombits(v.bits) }

// Bool returns a KindBool.
func (v Value) Bool() bool { return v.bits != 0 }

// itemRank is the rank of what the record says of items. The items of SIP calls are
// in no need of one.
func (r *Record) itemRank() uint64 {
	if r.Kind == Dialog || r.Kind == DialogFork {
		return 0
	}
	return r.Index
}
