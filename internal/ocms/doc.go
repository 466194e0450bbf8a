// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ocms is the wire format of the accounting events that Oracle
// Communication and Mobility Server (OCMS) writes through Log4j (E05480-02,
// appendix C): one line in, one typed event out, without OpenTelemetry.
//
//	split.go     a line -> attributes that tile it
//	boundary.go  where an attribute's value ends
//	keys.go      the documented attributes
//	event.go     attributes -> an event
//	service.go   the Log4j category, read from the right
//	address.go   From and To: display name, URI, parameters
//	uri.go       the parts of a SIP URI
//	via.go       the hops of Via
//	media.go     MEDIA, CSeq
//	time.go      CreationTime and TimeZoneOffset
//	identity.go  what tells an event from its copy
//	header.go    syslog headers, and the XML of release 10g R3
//	flags.go     what could not be read or not be told apart
//
// # Tolerance
//
// The layout escapes nothing and has no order: values hold commas, equals signs
// and quotes. A comma ends a value where a documented key follows it, outside
// quotes and angle brackets in those values that have them. A comma in front of
// any other key ends a value as well, unless the value cannot be complete there.
// Where two readings are possible the event carries a flag, and the line is the
// authority.
//
// # Ownership
//
// All strings are substrings of the line. A [Line] is valid until its [Splitter]
// is used again; an [Event] holds nothing of a splitter but what its Line says.
package ocms
