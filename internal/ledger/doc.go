// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger remembers which records were accepted, so that a record a
// sender sends again is not taken twice, and finds the records that never came.
//
// A sender numbers its records within a session (a run of the sender): the pair
// (session, index) is a record's identity, whatever batch it travels in. The
// ledger keeps the accepted indices of a session as ranges, usually one.
//
// # Use
//
// A request locks its session ([Ledger.Lock]), asks what is new ([Session.Judge]),
// hands the new records on, and only then notes them ([Session.Accept]). A
// session is locked for the whole of that, so that a resend that overtakes its
// own first try waits for it instead of being taken twice. The lock costs
// nothing in practice: such senders stop and wait for an answer.
//
// # Bounds
//
// [Limits] caps the sessions of a bridge and of all bridges (the least recently
// used go first, never a locked one) and the ranges of a session. When a
// session has too many ranges the oldest hole is closed: a record from it would
// be taken for a duplicate. Holes are records the sender reported lost, so
// nothing is expected to come from them.
//
// # Concurrency
//
// A Ledger is safe for concurrent use. A Session's methods must be called by
// the holder of its lock only. The package knows no clock and no storage:
// [Ledger.Encode] and [Ledger.Restore] carry the state over a restart.
package ledger
