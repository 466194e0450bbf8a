// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import "time"

// Object is the kind of object of a record: the element below <record>.
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
	// Text as received, "" if the attribute is absent.
	Text string
}

// Header has the attributes of a record's start tag (guide section 2.2).
type Header struct {
	Type     Type
	TypeText string
	// Time at which the bridge made the record, in UTC; the wire has whole seconds. It is
	// the zero Time if TimeText cannot be parsed.
	Time     time.Time
	TimeText string
	// Index is correlatorIndex: from 0 within a session, the same for all receivers. It
	// identifies the record within the session.
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
	// Object of the record, and Element, its name on the wire. Both normally match Type.
	Object  Object
	Element string
	// ID is the object's id attribute, "" if absent.
	ID string
	// Fields are the undocumented attributes of the record's start tag, and then the
	// object's values in the order of the wire.
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

// Malformed is a part of a body that cannot be decoded.
type Malformed struct {
	// Raw is the part's bytes.
	Raw string
	// Offset of Raw in the batch's Body, in bytes.
	Offset int
	// Err is the reason.
	Err error
	// Header has the readable attributes of the record's start tag. It is the zero Header
	// if Raw is no record or has a bad start tag.
	Header Header
	// Indices are the readable indices of other records with start tags in Raw.
	Indices []IndexRange
}

// Batch is a body, or the part of it that belongs to one session.
type Batch struct {
	// Body is all of the batch's text.
	Body string
	// Session is new at each start of the Call Bridge; "" if the body has none.
	Session string
	// CallBridge is the bridge's id, absent unless clustered.
	CallBridge string
	// Attributes are the undocumented attributes of <records>, with the Path
	// "records/@name".
	Attributes []Field
	Records    []Record
	Malformed  []Malformed
	// Unreadable reports that the root cannot be decoded, so that all of Body is one malformed
	// part. Session is then a guess from its start tag, which is only good to know that its
	// records are not missing.
	Unreadable bool
	// Continues reports that the batch continues the document of the batch before it: Body
	// has no start tag of a root.
	Continues bool
	// Next is the offset of the next batch in the body, 0 if none follows.
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
