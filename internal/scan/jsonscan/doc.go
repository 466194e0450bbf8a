// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan reads JSON (RFC 8259) strictly and without allocations, for
// the wire formats that are JSON. It knows no types: whoever calls says what a
// value should be, by the method that reads it.
//
// Strict has one exception that a caller may choose: Scanner.RawControls.
//
// What is no UTF-8 in a string becomes U+FFFD, and of a surrogate without its
// pair too, as in encoding/json. After an error the position is that of the
// token that is wrong, or within it.
package jsonscan
