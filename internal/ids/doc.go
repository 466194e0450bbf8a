// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ids computes trace and span ids from the ids of the objects they
// stand for. Whoever has the id of a call has its trace without looking it up:
// before the call has ended, after a restart, in a script. docs/ids.md is the
// recipe with test vectors; people compute ids by it, so nothing of it changes.
//
// The kind of an object is one of names.Kinds(). Everything here is a pure
// function, safe for any number of callers, and takes no memory from the heap
// for ids as the known systems write them.
package ids
