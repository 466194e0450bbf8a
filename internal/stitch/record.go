// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"math"
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// Kind is the kind of an object.
type Kind uint8

// The kinds of objects.
const (
	Call Kind = iota
	CallLeg
	Recording
	Streaming
	// RecordedSession is a session that MediaSense recorded. A session of a sender is another
	// thing: one run of a Call Bridge.
	RecordedSession
	Track
	// Dialog is a SIP call with its first answered branch; [Message.Record] makes its records.
	// DialogFork is any further answered branch; no record is of this kind.
	Dialog
	DialogFork
	// APIRequest is one request to a bridge's API. ScheduledMeeting is a meeting that an API
	// client started; the engine derives its records from those of its requests.
	APIRequest
	ScheduledMeeting

	kinds
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{Call, CallLeg, Recording, Streaming, RecordedSession, Track, Dialog, DialogFork, APIRequest, ScheduledMeeting}
}

// kindInfo holds the constants of each kind.
var kindInfo = [kinds]struct{ name, short, id string }{
	Call:            {names.KindCall, "call", names.CallID},
	CallLeg:         {names.KindCallLeg, "call_leg", names.CallLegID},
	Recording:       {names.KindRecording, "recording", names.RecordingID},
	Streaming:       {names.KindStreaming, "streaming", names.StreamingID},
	RecordedSession: {names.KindSession, "session", names.MediaSenseSessionID},
	Track:           {names.KindTrack, "track", names.MediaSenseTrackID},

	Dialog:     {names.KindDialog, "dialog", names.DialogID},
	DialogFork: {names.KindDialog, "dialog_fork", names.DialogID},

	APIRequest:       {names.KindAPIRequest, "api_request", names.APIRequestID},
	ScheduledMeeting: {names.KindScheduledMeeting, "scheduled_meeting", names.ScheduledMeetingID},
}

// Name returns the kind's name in ids: one of names.Kinds().
func (k Kind) Name() string { return kindInfo[k].name }

// String returns a short name of low cardinality.
func (k Kind) String() string { return kindInfo[k].short }

// SpanName returns the name of the kind's spans, of low cardinality.
func (k Kind) SpanName() string {
	if k == DialogFork {
		k = Dialog
	}
	return k.String()
}

// IDKey returns the attribute of the object's own id.
func (k Kind) IDKey() string { return kindInfo[k].id }

// isContainer reports whether objects of the kind contain others.
func (k Kind) isContainer() bool { return k == Call || k == RecordedSession || k == Dialog }

// keepsFacts reports whether an emitted object of the kind keeps facts. Other kinds keep a
// tombstone.
func (k Kind) keepsFacts() bool { return k.isContainer() || k == ScheduledMeeting }

// MaxTracks bounds the tracks of a recorded session. Real sessions have two for each medium.
const MaxTracks = 64

const trackInfix = "-track"

// TrackID returns the id of a recorded session's track; ok is false for a number out of range.
func TrackID(session string, number int64) (id string, ok bool) {
	if number < 0 || number >= MaxTracks {
		return "", false
	}
	return session + trackInfix + strconv.FormatInt(number, 10), true
}

// recordedSessionOf returns the id of the recorded session within a track's id.
func recordedSessionOf(track string) string {
	return track[:max(0, strings.LastIndex(track, trackInfix))]
}

// Phase is the role of a record: it begins, updates or ends its object, or only describes it.
type Phase uint8

// The phases in their usual order.
const (
	Start Phase = iota
	Update
	End
	// Note describes an object without showing that it runs: the object may have ended long
	// ago, or not have begun. Recorded sessions, tracks, branches of a SIP call and scheduled
	// meetings have notes. An object that only notes describe is not emitted.
	Note

	phases
)

// Record is the content of one log record about one object. The engine keeps no reference to
// it.
type Record struct {
	Kind  Kind
	Phase Phase
	// ID of the object as on the wire, not empty.
	ID string
	// Known is the object of that kind and id if Preload found it; zero otherwise.
	Known Ref
	// Time of the record by the sender's clock, in nanoseconds since 1970.
	Time int64
	// Index orders the records of an object; records with the same Index are ordered by time.
	// It is the record number in the sender's session, or a rank by type; 0 if there is
	// neither.
	Index uint64
	// Source of the record.
	Source Source
	// Fields are the record's attributes without the object's own id, in any order, each key
	// once. The fields of a Note must not depend on when it is sent.
	Fields []Field
	// Items of the object's lists, in any order.
	Items []Item
	// Parts are other objects that the record describes.
	Parts []Part
	// Dropped is how many attributes the caller dropped.
	Dropped int
}

// Part describes an object other than the record's own: a track in a record of its recorded
// session.
type Part struct {
	Kind   Kind
	ID     string
	Fields []Field
	Items  []Item
}

// Item is an element of an attribute that is a list of maps, as one record describes it. An
// object's list is the union of the items of its records. Of each field, the value of the
// record with the highest Index counts.
type Item struct {
	// List is the attribute.
	List string
	// At orders the items of a list; ID distinguishes items with the same At.
	At int64
	ID string
	// Removed reports that the item is no longer in the list, whatever other records contain.
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
	// KindOpaque is an encoded value in Text, which the engine does not interpret.
	KindOpaque
)

// Value of a field.
type Value struct {
	Kind ValueKind
	// Text of a KindText or a KindOpaque.
	Text string
	bits uint64
}

// Text returns a text value.
func Text(text string) Value { return Value{Kind: KindText, Text: text} }

// Opaque returns an encoded value, which the engine does not interpret.
func Opaque(encoded string) Value { return Value{Kind: KindOpaque, Text: encoded} }

// Int returns an integer value.
func Int(n int64) Value { return Value{Kind: KindInt, bits: uint64(n)} } //nolint:gosec // the bits of it

// Double returns a floating-point value.
func Double(n float64) Value { return Value{Kind: KindDouble, bits: math.Float64bits(n)} }

// Bool returns a boolean value.
func Bool(b bool) Value {
	v := Value{Kind: KindBool}
	if b {
		v.bits = 1
	}
	return v
}

// Int returns the number of a KindInt.
func (v Value) Int() int64 { return int64(v.bits) } //nolint:gosec // the bits of it

// Double returns the number of a KindDouble.
func (v Value) Double() float64 { return math.Float64frombits(v.bits) }

// Bool returns the truth of a KindBool.
func (v Value) Bool() bool { return v.bits != 0 }

// itemRank returns the rank of the fields of the record's items (see compareFields). Items of
// SIP calls have rank 0.
func (r *Record) itemRank() uint64 {
	if r.Kind == Dialog || r.Kind == DialogFork {
		return 0
	}
	return r.Index
}
