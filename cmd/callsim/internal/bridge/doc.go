// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package bridge simulates the sending side of a Call Bridge: it numbers the
// records of each session, keeps them in a bounded buffer, and posts them by
// stop-and-wait until the receiver answers exactly 200.
//
//	Append --> Queue: [ tried, perhaps delivered | waiting ] --take--> Courier --POST--> receiver
//	                    ^------------- not 200: again, perhaps other boundaries ----'
//
// A [Queue] owns the records and is safe for one goroutine that appends and one
// that sends; a [Courier] belongs to the one that sends. The tried records are
// always a prefix of the queue and are never dropped; when the buffer overflows
// the oldest record that was never tried is dropped, and the next one that is
// sent reports how many are missing.
//
// [Faults] and a [Plan] decide deliberate faults from the seed.
// Which records are dropped on purpose, damaged or followed by garbage depends
// on their numbers alone, never on timing.
package bridge
