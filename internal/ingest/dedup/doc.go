// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package dedup remembers the keys of events that were accepted recently, for senders that
// do not number their events: a repeated event has the same key.
//
// # Order
//
// A request locks its keys ([Set.Lock]), looks up which are known ([Set.Contains]), sends
// the new events to the next consumer, and then marks their keys ([Set.MarkAccepted]). Of
// two requests with the same key, the second one waits for the first: its event is a
// duplicate if the first was accepted, and new if it was not.
//
// # Bounds
//
// A key stays known until it expires, or until the set has more keys than its limit: the
// set then drops the oldest ones, one segment at a time.
//
// # State
//
// Segments contain the keys in the order in which they were accepted. A full segment never
// changes, so only one small segment is written, however many keys there are
// ([Set.Changes], [Set.MarkStored]).
//
// # Concurrency and tests
//
// A Set is safe for concurrent use. Lock is the only method that waits; its context ends
// the wait. The package has neither a clock nor a storage: tests pass the time.
package dedup
