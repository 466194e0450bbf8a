// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package cdr decodes the call detail records (CDR) that a Cisco Meeting Server Call Bridge
// posts: bytes to typed records, without HTTP and OpenTelemetry. It follows the "Cisco
// Meeting Server Call Detail Records Guide", release 3.7 and later, sections 2 to 5.
//
// # Order
//
// [Decoder.Decode] decodes a body up to the first document of another session, and
// [Decoder.DecodeNext] the next part. No function waits. A Decoder is for one goroutine.
//
// # Completeness
//
// Each byte of a body is in a [Record] or in a [Malformed] part with the reason. After a bad
// record, decoding continues at the start tag of the next one. Undocumented elements and
// attributes are kept with their path. A value that cannot be parsed as its documented type
// is kept as text.
//
// # Ownership
//
// All strings of a [Batch] are substrings of the body (or were copied where a
// reference had to be decoded). The slices belong to the Decoder and are
// overwritten by its next Decode; the strings stay valid.
//
// # Tolerance
//
// The decoder trims values and removes blanks inside an id (guides print ids over two lines).
// It accepts "groupID", "multiStreamVideo" and "numPreceedingRecordsMissing" as other
// spellings, and alarms with attributes or with child elements.
//
// # Tests
//
// Fixtures, a comparison with encoding/xml, and fuzz targets that hold the completeness.
package cdr
