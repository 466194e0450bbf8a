// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package callstitchprocessor joins the event records of a call. It stamps each record with
// its trace and span ids and with the context of its call. When a call, leg, recording,
// streaming, recorded session, track, SIP dialog, API request or scheduled meeting has
// ended, it emits one more record that is shaped like a span: a stitched record.
//
// # Records
//
//	processor.go    ConsumeLogs: merge -> stamp -> store -> next consumer
//	requestreader.go  converts log records to records of the engine, and stamps them
//	mediasense.go   records of recorded sessions, with their tracks, participants and tags
//	sip.go          messages of SIP calls; syslog.go lines of a bridge's syslog
//	listing.go      a bridge's lists of calls and legs
//	read.go         attribute values for the engine, and back; source.go resources
//	stamp.go        ids and context on a record
//	sharedcalls.go  passes all waiting requests on in one call of the next consumer
//
// # Stitched records
//
//	advancer.go     the goroutine that advances the time
//	send.go         the goroutine that sends pending records; batch.go, render.go its payloads
//	tracechange.go  events about running calls that joined a conference
//	stop.go         sending at a stop; wait.go bounded waits
//
// # State
//
//	state.go        the engine (internal/stitch) and its lock
//	commit.go       the goroutine that writes changes, one write for all requests that wait
//	segmentlog.go   the engine's entries as segments in a storage; parts.go their format
//	restore.go      loads the stored state
//	configclaims.go allows one processor for each configuration
//
// # Order and ownership
//
// The engine owns the state and all rules; this package owns the clock, the storage, the
// goroutines and the pdata. One lock guards the engine. It is held for a bounded amount of
// work, never while data is consumed or stored.
//
// With storage, a request is passed on after its changes are stored. A request that is
// stored and then refused is retried by its sender, and merging it again changes nothing.
// Requests that were stored together, or that wait for a running call, share one call of
// the next consumer; each gets its result. A stitched record is sent after its trace is
// stored, and stays pending until the next consumer accepts it.
//
// # What may block
//
// ConsumeLogs waits for the storage and for the next consumer, as long as its context allows.
// Three goroutines run from Start to Shutdown: the advancer, which never blocks; the sender,
// which waits for the next consumer; and, with storage, the committer, which waits for the
// storage. Shutdown stops the advancer and the sender, sends all pending records and lets the
// committer write the last changes. It takes at most shutdown_timeout and a fixed margin, and
// does not wait for a storage or a next consumer that does not return.
//
// # Tests
//
// Golden files hold the output for each fixture (-update). crash_test.go kills the storage at
// each write, sharedcalls_test.go and send_test.go play next consumers that refuse, block or
// panic. The engine's rules are tested in internal/stitch.
package callstitchprocessor
