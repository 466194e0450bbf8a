// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package stitch joins the records of a call, a call leg, a recording, a streaming, a
// recorded session and its tracks, a SIP call and its branches, an API request or a
// scheduled meeting into one object each. It determines when an object has ended, which
// trace it belongs to, and which span is its parent.
//
// # Why the order of the records makes no difference
//
// An object holds the set of its records' contents. Index, time and phase identify a record,
// so a duplicate is the same element of the set. Merging is the union of sets, which is
// commutative, associative and idempotent. To stay small, the set is normalized: each
// attribute keeps its newest value only (facts.go lists those that keep a history).
// Normalizing is a function of the set. It drops only values that it would drop from every
// larger set too, so it may happen at any time.
//
// The elements of an object's lists (the participants of a track, the tags of a recorded
// session) are a second set. An element has an identity, and each field of it is the largest
// of all its values, ordered by rank first (items.go). So the union of two such sets is
// commutative, associative and idempotent as well. A larger set only adds elements or has
// larger ones, so bounding the number of elements makes no difference either.
//
// Everything else (times, outcome, derived attributes, conference, parents, links) is a pure
// function of the sets, computed when it is needed. Only two facts depend on history: that an
// object was emitted, and which trace its conference had then, because a sent span cannot be
// withdrawn. Linger (see Options) delays both, so that late records can arrive.
//
// # Records
//
//	engine.go           Apply: find or create the object, merge the record, end or reopen objects
//	record.go           the input; message.go converts SIP messages to records
//	merge.go            merges a record into the facts
//	facts.go            the facts as bytes; statements.go queries, history.go bounds, items.go lists
//	value.go            encodes values; commontexts.go texts of one byte; valuedecoder.go decodes values
//	dictionary.go       attribute names as numbers
//
// # Objects and relations
//
//	object.go           the fixed part of an object, and the states of its life
//	slab.go             memory of objects; arena.go memory of their bytes; objectlist.go linked lists
//	table.go            indexes by identity, participant, SIP Call-ID
//	source.go           resources and sessions of senders; context.go the attributes that objects get of their call
//	relations.go        relations between legs, calls, participants
//	conference.go       calls that form a conference, and its trace; callgroup.go calls that are compared
//	tracechange.go      running calls whose trace changed
//	recordedsession.go  recorded sessions and tracks
//	sipcall.go          the course of a SIP call; dialog.go its branches; dialogspan.go their spans
//	request.go          API requests; meeting.go scheduled meetings
//	reference.go        ids for log lines, which change no state
//
// # Time and output
//
//	ending.go           ends and reopens objects
//	absence.go          objects that their sender no longer has; listing.go finds them
//	advance.go          deadlines, expiry, eviction; grace.go the time after a restart
//	render.go           the span of an object; timeline.go, listattributes.go, fields.go its parts
//
// # Stored state
//
//	journal.go          changes and snapshots as entries; delta.go entries of single records
//	load.go             loads entries (reader.go); restore.go rebuilds the indexes
//
// # Ownership, time, bounds
//
// An Engine has one owner: its methods must not be called concurrently. It has no clock,
// no storage and no telemetry, and never blocks. The owner passes the time, which never
// goes backwards. Every method does a bounded amount of work (TestStepsAreBounded counts steps).
//
// Objects hold no pointers, so the garbage collector does not scan them. Each state has one
// fixed delay, so its queue is always ordered by deadline; the engine needs no heap, and
// its owner needs one timer.
//
// # Tests
//
// Laws (laws_test.go) apply random records in permuted order, twice and with restarts, and
// compare the stitched objects byte by byte. testdata/state-v* holds stored state of every
// version. FuzzOrder and FuzzLoad search for orders and stored bytes that break them.
package stitch
