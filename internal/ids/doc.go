// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ids computes trace and span ids from the ids of objects. Anyone with the id
// of a call can compute its trace id without a lookup: before the call has ended,
// after a restart, or in a script. docs/ids.md is the recipe with test vectors.
// People compute ids by it, so it never changes.
//
// The kind of an object is one of names.Kinds(). All functions are pure, safe for
// concurrent use, and allocate nothing for ids as the known systems write them.
//
// Tests compare the functions with the published vectors, and run the published
// scripts.
package ids
