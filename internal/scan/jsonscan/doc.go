// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan is a strict JSON (RFC 8259) scanner without allocations, for the
// wire formats that are JSON. It knows no types: the caller selects the type of a
// value by the method that reads it. Scanner.RawControls is the only exception to
// the RFC.
//
// Invalid UTF-8 in a string and a surrogate without its pair become U+FFFD, as in
// encoding/json. After an error the position is at or within the wrong token.
//
// The caller owns the data; a Scanner never blocks and is not safe for concurrent
// use. FuzzScanner compares it with encoding/json.
package jsonscan
