// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger remembers the accepted records of each session. It finds duplicates,
// which a sender sends again, and gaps, which are records that were never received. It
// also remembers the Call Bridge of each session, and which session a new one replaces.
//
// A session is one run of a sender. The sender numbers its records within the session:
// the pair (session, index) identifies a record in any request. The ledger keeps two sets
// of indices for each session, as ranges, usually one range each:
//
//	accepted   [0 ──────── 66]              [180]
//	accounted  [0 ──────── 66][67 ───── 179][180]    next expected: 181
//	             duplicates    reported lost
//
// A record whose index is in accepted is a duplicate. An index in accounted is never
// reported as missing again. Both sets only grow, so the count of missing records depends
// neither on the order of the requests nor on a second report of a gap.
//
// # Order
//
// A request locks its session ([Ledger.Lock]), completes the identity of its bridge
// ([Ledger.BeginRequest]), checks which records are new ([Session.Check]), sends these to
// the next consumer, and then marks them ([Ledger.MarkAccepted]). Check takes all entries
// of the request at once. MarkAccepted takes them in any parts and any order, with their
// results. The request holds the lock until the end: a repeated request that overtakes the
// first one waits for it, and finds duplicates.
//
// # Sessions and bridges
//
// [Identity] names the Call Bridge of a session. What one request states is valid for the
// whole session; Encode and Restore keep it. Two sessions belong to one bridge if they
// state the same bridge id or, as long as one of them has stated no id, the same system.
//
// [SessionStart] says that a session begins, and which session it replaces. The ledger
// cannot see a restart: a bridge that restarted and a second bridge with the same name
// look alike until the older session sends again. A consumer of the event, such as
// callstitch, can therefore rely on this only:
//
//   - PreviousSession sent nothing since the new session began, and the ledger never saw
//     two sessions of its name alive at the same time.
//   - PreviousSession is a presumption. A later record of that session disproves it,
//     without another event: the consumer then revokes the end of that session.
//     [AcceptResult.OverlappingSession] reports it to people.
//   - While live sessions share a name, PreviousSession is empty. The consumer ends
//     nothing, and the open objects of a session that did end expire.
//
// # Bounds
//
// [Limits] bounds the sessions of a bridge, the sessions of all bridges, the sessions
// without a name and the ranges of a session. Sessions without a name have a limit of their
// own, so that they never evict a named one. Above the limit of named sessions the ledger
// evicts, in this order: sessions that a newer one replaced, sessions without a record for
// [StaleAfter], sessions of the most recent names. Sessions with made-up names therefore
// evict each other before the known bridges. The ledger never evicts a locked session.
//
// A session with too many ranges closes its oldest gap: a record from that gap would count
// as a duplicate. The ledger has reported the gap as lost, so no such record is expected.
//
// # Concurrency
//
// A Ledger is safe for concurrent use. Only the holder of a session's lock may call the
// methods of the Session, and the methods of the Ledger that take it. Lock is the only
// method that waits; its context ends the wait. The package has neither a clock nor a
// storage of its own: [Ledger.Encode] and [Ledger.Restore] carry the state over a restart.
//
// # Tests
//
// Tables for the rules, and properties over random orders of requests; the tests pass
// their own clock.
package ledger
