// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ocms decodes the accounting events that Oracle Communication and Mobility
// Server (OCMS) writes through Log4j (E05480-02, appendix C): one line in, one [Event]
// out. The package is pure: no OpenTelemetry, no HTTP, no clock.
//
// A line takes this way:
//
//	split.go     a line -> attributes; their texts joined are the line again
//	boundary.go  where the value of an attribute ends
//	keys.go      the documented attributes
//	event.go     attributes -> an event
//	service.go   Service, the Log4j category
//	address.go   From and To: display name, URI, tag
//	uri.go       SIP URIs
//	via.go       the hops of Via
//	media.go     MEDIA and CSeq
//	time.go      CreationTime and TimeZoneOffset
//	word.go      loops over eight bytes at once
//	identity.go  the identity of the SIP message, for finding copies
//	header.go    syslog headers, and the XML of release 10g R3
//	flags.go     what is wrong or ambiguous in a line
//
// # Tolerance
//
// The layout escapes nothing and has no order: values contain commas, equals signs and
// quotes. A comma ends a value where a documented key follows it, outside quotes and
// angle brackets in values that may have them. A comma in front of another key ends a
// value too, unless the value is an incomplete address. Where two readings are possible,
// the event has a flag, and the line is the authority.
//
// # Ownership
//
// All strings are substrings of the line. A [Line] is valid until the next use of its
// [Splitter], an [Event] until the next use of its [Decoder]. Nothing waits.
//
// # Testing
//
// TestGolden decodes the lines of testdata/ocms and testdata/field/ocms (-update writes
// the results). FuzzDecode and TestMutatedLines require that the joined attributes are
// the line, TestRandomMaps that a rendered map of attributes is decoded to the same map.
package ocms
