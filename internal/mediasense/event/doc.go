// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package event is the wire format of the events that Cisco MediaSense
// posts, without HTTP and without OpenTelemetry: bytes in, typed events out.
//
//	decode.go    a body -> events, and what could not be read
//	read.go      JSON -> a tree; strictly, then leniently where it is damaged
//	fields.go    the documented elements of each object and their types
//	typing.go    a tree -> values of the documented types, dates in milliseconds
//	event.go     what an event is and what it is about
//	pieces.go    a long event -> several that are about the same
//	key.go       what tells an event from its copy
//	storage.go   threshold events -> the state of a partition
//
// # Tolerance
//
// A body is one object, an array of objects, or objects one after the other.
// Numbers may be quoted, booleans too; urls come as a list or as one object, with
// their kinds in any case of letters; dates come in seconds, milliseconds or
// microseconds. A value that is not of its documented type is kept as it came,
// and so is every element that is not documented.
//
// # Damage
//
// An object that is not JSON is read once more, leniently: a comma that is missing
// or too much is passed over, a text with a line break in it is left out, and
// at anything else the reading stops. What was complete before that makes an
// event, if it says what happened to what; the object's bytes are put aside as
// [Malformed] in any case. No byte of a body is in neither.
//
// # Ownership
//
// All strings are substrings of the body, or copies where there were escapes.
// Nothing is reused: an event stays valid for as long as somebody has it.
package event
