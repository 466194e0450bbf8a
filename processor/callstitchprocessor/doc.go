// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package callstitchprocessor puts the event records of a call together. It
// stamps each with the ids of its trace and with what its call says, and when a
// call, leg, recording, streaming, recorded session, track or SIP dialog is over, adds one
// more record for it that is shaped like a span: a stitched record.
//
// # The way of a record
//
//	processor.go   ConsumeLogs: merge -> stamp -> stored -> next consumer
//	intake.go      which records say something about which object
//	mediasense.go  records of sessions: with tracks, participants and tags in them
//	sip.go         messages of SIP calls
//	syslog.go      lines of a bridge's syslog
//	read.go        a log record as the engine wants it, and back: attribute values
//	source.go      where records come from, as bytes
//	stamp.go       the ids and the context on the record
//	share.go       one call of the next consumer for all requests that wait for it
//
// # The way of a stitched record
//
//	emit.go        the goroutine that lets time pass
//	send.go        the goroutine that sends owed records; wait.go waits that end
//	joining.go     events about running calls that joined a conference
//	batch.go       what is sent together; render.go one stitched record
//
// # The way of the state
//
//	state.go       the engine (internal/stitch) with the lock that guards it
//	commit.go      one write for all who wait for one
//	journal.go     the engine's entries as segments in a storage
//	parts.go       how a segment is cut and sealed
//	restore.go     the way back
//	claim.go       one processor for one configuration
//
// # Ordering and ownership
//
// The engine has the state and all rules; this package has the clock, the
// storage, the goroutines and the pdata. One lock guards the engine. It is held
// for bounded pieces of work only, and never while something is consumed or
// stored.
//
// With storage, a request is passed on when the state that it changed is
// stored: what is stored and then refused comes again, and merges to nothing.
// The other way round, what is passed on and then not stored would come again,
// and be passed on twice. Requests that were stored together, or that wait while
// others are passed on, share one call of the next consumer, and each of them waits
// for its answer. Likewise, a stitched record is sent when the trace it has is stored, and it
// stays owed until the next consumer has it.
//
// Three goroutines run from Start to Shutdown: the emitter, the sender and, with
// storage, the committer. Shutdown ends the emitter and the sender, sends all owed
// records, and lets the committer write the last changes. All of that is bounded by
// shutdown_timeout and a little; a next consumer or a storage that does not come
// back is left behind.
package callstitchprocessor
