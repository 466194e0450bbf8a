// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger remembers which records were accepted, so that a record a
// sender sends again is not taken twice, and finds the records that never came.
// It also remembers which bridge a session belongs to, and which session of a
// bridge a new one replaces.
//
// A sender numbers its records within a session (a run of the sender): the pair
// (session, index) is a record's identity, whatever batch it travels in. The
// ledger keeps two sets of indices for each session, as ranges, usually one each:
//
//	accepted   [0 ──────── 66]              [180]
//	accounted  [0 ──────── 66][67 ───── 179][180]    next expected: 181
//	             duplicates    reported lost
//
// A record in accepted is a duplicate. An index in accounted is never reported
// as missing again. Both sets only grow, so no order of requests and no second
// report of a hole changes the count.
//
// # Use
//
// A request locks its session ([Ledger.Lock]), asks what is known of its bridge
// ([Ledger.Post]) and which records are new ([Session.Judge]), hands the new
// records on, and only then marks them ([Ledger.Accept]). Judge sees the whole
// request once; Accept can follow piece by piece, with any part of the entries
// and their verdicts, in any order. The lock covers all of it, so that a resend
// that overtakes its own first try waits for it instead of being taken twice.
// Senders that stop and wait for an answer never wait for this lock.
//
// # Sessions and bridges
//
// [Identity] is what the requests of a session say of its bridge. A statement
// holds for the whole session, and Encode and Restore keep it. Two sessions
// belong to one bridge if they name the same call bridge or, while one of them
// has named none, the same system.
//
// [Start] says that a session begins, and which session it replaces. The ledger
// cannot see a restart: a bridge that restarted and a second bridge with the same
// name look alike until the older session speaks again. The contract with those
// who end what belongs to a replaced session (callstitch) is therefore:
//
//   - Previous names a session that was silent since the new one began, of a name
//     for which no two sessions were seen to be alive side by side.
//   - Previous is a presumption. A record of that session that comes afterwards
//     proves it wrong; no event says so, the record itself does. Its consumer
//     takes the end back. [Accepted.Overlaps] reports it to people.
//   - While a name is shared by live sessions, Start names no previous session:
//     nothing ends, and what is open in a session that did die expires.
//
// # Bounds
//
// [Limits] caps the sessions of a bridge, the sessions of all bridges, the
// sessions without a name and the ranges of a session. Sessions without a name
// have places of their own: they never push out a named one. When the places of
// the named ones are full, these go, in this order: sessions that a newer one
// replaced, sessions that were silent for [StaleAfter], sessions of the names that
// the ledger has known for the shortest time. So made-up names push out each
// other and not the bridges that were there before them. A locked session stays.
//
// When a session has too many ranges the oldest hole is closed: a record from it
// would be taken for a duplicate. Holes are records the sender reported lost, so
// nothing is expected to come from them.
//
// # Concurrency
//
// A Ledger is safe for concurrent use. A Session's methods, and the Ledger's
// methods that take a Session, must be called by the holder of its lock only.
// The package has no clock and no storage of its own: [Ledger.Encode] and
// [Ledger.Restore] carry the state over a restart.
package ledger
