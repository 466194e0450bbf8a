// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import "time"

// Object is the kind of thing a record is about: the element below <record>.
type Object uint8

// The objects of the guide's section 3.
const (
	ObjectUnknown Object = iota
	Call
	CallLeg
	Recording
	Streaming
	objectCount
)

var objectElements = [objectCount]string{Call: "call", CallLeg: "callLeg", Recording: "recording", Streaming: "streaming"}

// Element returns the object's element name ("callLeg"), "" for ObjectUnknown.
func (o Object) Element() string { return objectElements[o] }

func objectOf(element string) Object {
	switch element {
	case "callLeg":
		return CallLeg
	case "call":
		return Call
	case "recording":
		return Recording
	case "streaming":
		return Streaming
	default:
		return ObjectUnknown
	}
}

// Type is the type of a record (guide section 3).
type Type uint8

// The nine documented types, and the one for everything else.
const (
	TypeUnknown Type = iota
	CallStart
	CallEnd
	CallLegStart
	CallLegUpdate
	CallLegEnd
	RecordingStart
	RecordingEnd
	StreamingStart
	StreamingEnd
	typeCount
)

var typeNames = [typeCount]string{
	CallStart: "callStart", CallEnd: "callEnd",
	CallLegStart: "callLegStart", CallLegUpdate: "callLegUpdate", CallLegEnd: "callLegEnd",
	RecordingStart: "recordingStart", RecordingEnd: "recordingEnd",
	StreamingStart: "streamingStart", StreamingEnd: "streamingEnd",
}

// String returns the wire text ("callLegEnd"), "" for TypeUnknown.
func (t Type) String() string { return typeNames[t] }

// Types lists the documented types.
func Types() []Type {
	types := make([]Type, 0, typeCount-1)
	for t := CallStart; t < typeCount; t++ {
		types = append(types, t)
	}
	return types
}

func typeOf(text string) Type {
	for t, name := range typeNames {
		if t > 0 && name == text {
			return Type(t)
		}
	}
	return TypeUnknown
}

// Number is an unsigned number of a record's start tag.
type Number struct {
	// Value counts only if Valid.
	Value uint64
	Valid bool
	// Text is what the wire had, "" if the attribute is absent.
	Text string
}

// Header is what a record's start tag says (guide section 2.2).
type Header struct {
	Type     Type
	TypeText string
	// Time is when the bridge made the record: UTC, whole seconds on the wire.
	// It is the zero Time if TimeText could not be read.
	Time     time.Time
	TimeText string
	// Index is correlatorIndex: from 0 within a session, the same for all
	// receivers. With the session it is the record's identity.
	Index Number
	// LegacyIndex is recordIndex: from 1, counted for each receiver.
	LegacyIndex Number
	// Missing is numPrecedingRecordsMissing: how many records directly before
	// this one the bridge discarded.
	Missing Number
}

// Record is one record of a body.
type Record struct {
	Header
	// Object is what the record is about and Element the wire's name for it;
	// they differ from what Type promises only on a wire nobody has seen.
	Object  Object
	Element string
	// ID is the object's id attribute, "" if absent.
	ID string
	// Fields are the object's values in the order of the wire, those of the
	// record's own start tag that the guide does not know first.
	Fields []Field
	// Alarms of a callLegEnd, in the order of the wire.
	Alarms []Alarm
	// Raw is the record's text on the wire, start tag to end tag.
	Raw string
}

// Field is one value of a record: an element's text or an attribute.
type Field struct {
	// ID is the documented field, or Unknown.
	ID FieldID
	// Path is set for Unknown only: the element path below the object
	// ("futureThing/inner", attributes as "futureThing/@kind"), or below the
	// record ("record/@region").
	Path string
	Value
}

// Alarm is a quality alarm of a leg (guide section 3.5.2).
type Alarm struct {
	// Type is packetLoss, excessiveJitter, highRoundTripTime or a later one;
	// "" if the wire had none.
	Type string
	// DurationPercentage is the part of the call in alarm, 0 to 100 per cent.
	// 0.0 means the alarm did occur, shortly.
	DurationPercentage Value
}

// Malformed is a part of a body that could not be read.
type Malformed struct {
	// Raw is the part's bytes.
	Raw string
	// Offset of Raw in the batch's Body, in bytes.
	Offset int
	// Err says what is wrong.
	Err error
	// Header is what could be read of the record's start tag; the zero Header
	// if Raw is not a record or its start tag is bad.
	Header Header
	// Indices of the records whose start tags stand in Raw, besides Header's own,
	// as far as they can be read.
	Indices []IndexRange
}

// Batch is one body, or the part of it that is of one session.
type Batch struct {
	// Body is all of the batch's text.
	Body string
	// Session is new at each start of the Call Bridge; "" if the body has none.
	Session string
	// CallBridge is the bridge's id, absent unless clustered.
	CallBridge string
	// Attributes are those of <records> that the guide does not know, Path
	// being "records/@name".
	Attributes []Field
	Records    []Record
	Malformed  []Malformed
	// Unreadable tells that the root cannot be read, so that all of Body is one
	// malformed part. Session is what its start tag seems to say: enough to know
	// which records are not lost, and no more.
	Unreadable bool
	// Continues tells that the batch begins inside the document that the one before
	// it did not read to its end: Body has no root's start tag.
	Continues bool
	// Next tells that another batch follows in the same body, and is the length
	// of Body then; 0 if none follows.
	Next int
}

// Field returns the value of a documented field.
func (r *Record) Field(id FieldID) (Value, bool) {
	for i := range r.Fields {
		if r.Fields[i].ID == id {
			return r.Fields[i].Value, true
		}
	}
	return Value{}, false
}
