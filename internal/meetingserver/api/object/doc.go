// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package object decodes the objects of the Cisco Meeting Server API: bytes in,
// typed values out. It knows no HTTP and no OpenTelemetry.
//
// A value that is absent, empty or not readable as its type is unknown: a nil
// pointer, "" or the zero time. Zero is a value that the server sent. Unknown
// elements are ignored; names of elements are compared without case, because
// releases and the reference spell them differently (subType, subtype).
//
// Passcodes and secrets of coSpaces are never read into a value.
//
// A document is bounded by its reader. Beyond [MaxItems] the items of one page
// are left out, so that the result is a small multiple of the document.
package object
