// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package cdr reads the call detail records (CDR) that a Cisco Meeting Server
// Call Bridge posts: bytes in, typed records out. It knows no HTTP, no
// OpenTelemetry type and no state; the guide it follows is Cisco's "Cisco
// Meeting Server Call Detail Records Guide", release 3.7 and later, sections
// 2 to 5.
//
// # Nothing is lost
//
// Every byte of a body ends in one of two places: a [Record], or a [Malformed]
// part with its raw bytes and the reason. One bad record does not take the good
// ones of the same body with it: reading resumes at the next record's start tag.
// Elements and attributes the guide does not know are kept with their path, and
// a documented value that does not parse as its documented type is kept as text.
//
// # Ownership
//
// All strings of a [Batch] are substrings of the body (or were copied where a
// reference had to be decoded). The slices belong to the Decoder and are
// overwritten by its next Decode; the strings stay valid.
//
// # Tolerance
//
// Values are trimmed; blanks inside an id are removed (guides print ids over two
// lines). "groupID" and "multiStreamVideo" are read as "groupId" and
// "multistreamVideo", "numPreceedingRecordsMissing" as its correct spelling,
// and an alarm may come as attributes or as child elements.
package cdr
