// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package stitch puts the records of a call, a call leg, a recording, a
// streaming, of a recorded session and its tracks, of a SIP call and its
// branches, or of an API request and a scheduled meeting together, and tells when
// its life is over, which trace it belongs to, and what its parent is.
//
// # Why the order of the records makes no difference
//
// An object holds the set of what its records said. A record is known by its
// index, time and phase, so that the same one twice is one element of the set.
// Merging is the union of sets, which is commutative, associative and
// idempotent. To stay small the set is normalized after each union: of an
// attribute only what the newest record says is kept (facts.go says which ones
// keep a history). Normalizing looks at nothing but the set, and leaves out
// only what every larger set would leave out too, so that it does not matter
// when it is done.
//
// The elements of an object's lists (the participants of a track, the tags of a
// session) are a second set beside the first. Its elements have an identity, and
// each field of one is the largest of what was ever said of it, in an order in
// which who has the last word comes first (items.go). So the union of two such
// sets is commutative, associative and idempotent as well; and as a larger set
// only ever adds elements or has larger ones, the first so many of them are the
// same whenever the rest is left out.
//
// Everything else (times, outcome, facts, the conference, parents, links) is a
// pure function of the sets held, computed when it is asked for. Only two
// things remember that something happened: that an object was emitted, and
// which trace its conference had then, because what was sent cannot be unsent.
// Both wait for the linger, which is there for late records to come in.
//
// # The way of a record
//
//	engine.go      Apply: find or make the object, see what follows
//	merge.go       what a record adds to the facts
//	facts.go       the set of what records said, as bytes; statements.go what it says
//	history.go     how much of it is kept
//	items.go       the set of the elements of lists, likewise
//	value.go       values as bytes
//	dictionary.go  attribute keys as small numbers
//	object.go      the fixed part of an object, and the picture of its life
//	slab.go        where objects live; arena.go where their bytes live
//	table.go       objects by identity, by participant, by SIP Call-ID
//	words.go       texts that are a byte each
//	request.go     API requests; meeting.go the meetings that they schedule
//	mention.go     the ids of what a line of a log is about, of which nothing is made
//	relate.go      what the facts of a leg say about other legs
//	conference.go  which calls are one conference, and its trace
//	group.go       which calls of a room have to be compared for that
//	joining.go     running calls whose trace changes
//	ending.go      what ends an object, and what opens it again
//	grace.go       what waits after a restart
//	absence.go     objects that their sender does not have any more; listing.go how that is found out
//	session.go     recorded sessions: their times, their tracks, other sessions of the same call
//	message.go     a SIP message as a record of its call
//	sipcall.go     the course of a SIP call, as its messages tell it
//	dialog.go      SIP calls: their end, their further branches, the leg that they are of
//	dialogspan.go  a SIP call or a branch of it as a span
//	advance.go     what time does: queues, expiry, eviction
//	render.go      the object as a span; timeline.go how a leg spent its time;
//	               lists.go the items as lists, and what tags tell
//	journal.go     changes as entries to store; delta.go those of single records
//	load.go        the way back, with reader.go; restore.go what follows from it
//
// # Ownership, time, bounds
//
// An Engine has one owner: its methods must not be called concurrently. It
// knows no clock, no storage and no telemetry; the owner passes the time, which
// is taken as not going backwards. Every method does a bounded piece of work.
//
// Nothing in the state of an object is a pointer, so that the garbage collector
// has nothing to look at, however many there are. All deadlines are one of
// three fixed delays after something that happens now, so that a queue for each
// delay is always in order; there is no need for a heap, nor for a timer beside
// the owner's single one.
package stitch
