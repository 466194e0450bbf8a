// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package event decodes the events that Cisco MediaSense posts: bytes to typed events,
// without HTTP and OpenTelemetry.
//
//	decode.go    a body to events and malformed parts
//	read.go      JSON to a tree of values: strictly, then leniently if it is damaged
//	fields.go    the documented elements of each object and their types
//	typing.go    a tree to values of the documented types, dates in milliseconds
//	event.go     the event and its sessions
//	pieces.go    a long event to several events about the same session
//	key.go       the keys for deduplication
//	storage.go   threshold events to the state of a storage partition
//
// # Tolerance
//
// A body is one object, an array of objects, or objects one after the other.
// Numbers may be quoted, booleans too; urls come as a list or as one object, with
// their kinds in any case of letters; dates come in seconds, milliseconds or
// microseconds. A value of another type than documented, and each undocumented element,
// are kept as received.
//
// # Damage
//
// The decoder reads an object with invalid JSON a second time, leniently: it skips a missing
// or additional comma, omits a text with a line break, and stops at any other fault. The
// complete elements before the fault make an event if they identify its type and object.
// The bytes of the object become a [Malformed] part in any case. Each byte of a body is in
// an event or in a malformed part.
//
// # Ownership
//
// All strings are substrings of the body, or copies where there were escapes.
// The decoder reuses no memory, so events stay valid. No function waits.
//
// # Tests
//
// Tables of bodies, a comparison with encoding/json, and fuzz targets.
package event
