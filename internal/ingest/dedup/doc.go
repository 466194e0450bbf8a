// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package dedup remembers the keys of what was accepted lately, for senders
// that do not number what they send: what comes a second time has the key of
// the first.
//
// # Use
//
// A request locks its keys ([Set.Lock]), asks which are known ([Set.Contains]), hands
// the rest on, and only then notes them ([Set.Accept]). Of two requests with the
// same key at the same moment one waits for the other, so that the second is a
// duplicate if the first was accepted, and takes its place if it was not.
//
// # Bounds
//
// A key is known until its time is over, or until there are more keys than the
// set has room for; then the oldest go, a segment at once.
//
// # State
//
// Keys are kept in segments in the order in which they were accepted. A segment
// that is full never changes, so that a save writes one small segment however
// many keys there are ([Set.Snapshot], [Set.Saved]). The package knows no clock and no
// storage.
package dedup
