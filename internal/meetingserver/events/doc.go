// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package events implements the event subscriptions of Cisco Meeting Server
// without their transport: frames in, changes of calls and participants out. It
// imports no HTTP, WebSocket or OpenTelemetry package and reads no clock; the
// caller passes the time.
//
// # Terms
//
// A server is one Call Bridge. The list of calls lists the calls of a server, a roster lists
// the participants of a meeting. A meeting is one call on each server that hosts it, joined by
// callCorrelator. After a subscription begins, the server sends a snapshot of all objects,
// then updates. A call or participant that no server lists is absent; a sweep removes it
// later. The difference between the cluster state before and after a message is a change,
// which the Cluster emits to its Sink.
//
// # Order
//
// The way of a message through the files:
//
//	frame.go, decode.go, value.go  bytes -> Frame; salvage.go: headers of damaged frames
//	element.go                     the documented elements, their types and subscriptions
//	cluster.go                     Receive finds the subscription of a message
//	calls.go, meetings.go          the list of calls, call infos, and meetings
//	roster.go                      participants
//	record.go                      the elements of one object as bytes, and their differences
//	change.go                      emits a change; unreported.go: changes that the sink refused
//
// Advance does everything that is due at a time:
//
//	absence.go         sweeps remove objects that a snapshot does not list
//	handover.go        removals that may mean that a server leaves the meeting
//	recentremovals.go  stale updates after a removal
//	renew.go           renews subscriptions and sockets with damaged messages
//	problems.go        ends subscriptions that stay pending; reports problems
//	plan.go            decides which server gets which subscription
//
// subscription.go has the sockets and their sets, encode.go the request,
// elementtrial.go finds elements that a server accepts, budget.go counts the
// bytes of the state, gauges.go counts calls and participants.
//
// # Snapshots
//
// Servers do not redeliver: after a reconnect they send a new snapshot as adds. The
// Cluster compares each add of a known object with its state. Equal values emit
// nothing, different ones an update. So two servers that report the same change
// emit one. An absent object is removed after SnapshotGrace without news of
// absent objects, calls with the reason NotListed, participants with
// LostConnection; or after LostAfter without a snapshot.
//
// # Meetings
//
// The Cluster subscribes to one call of a meeting, or to all with
// RosterOnAllBridges. Participants belong to the meeting: they stay when the
// subscribed server leaves it and another server takes over.
//
// # Ownership, blocking and bounds
//
// A Cluster is not safe for concurrent use, starts no goroutine and never blocks.
// The sink must not block either: if it has no room it refuses a change, and
// EmitPending emits the difference later. Limits bound the state in objects and
// bytes; text is cut at 1 KiB.
//
// # Testing
//
// world_test.go simulates servers and a sink on an injected clock. TestWorld
// compares the emitted changes with the simulated truth after random events;
// FuzzDecode reads arbitrary bytes. To add a rule, put a scenario into the test
// file of its source file.
package events
