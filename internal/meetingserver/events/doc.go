// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package events is the event subscription of Cisco Meeting Server without
// its transport: bytes in, typed frames and changes out. No HTTP, no socket, no
// OpenTelemetry, and no clock: whoever calls says what time it is.
//
// # The way of a message
//
//	decode.go     a frame's bytes -> Frame (internal/scan/jsonscan); what the spec asks to tolerate
//	element.go    the documented elements, their types and subscriptions
//	cluster.go    Receive: which subscription a message is of, and what follows
//	calls.go      call lists and call infos; meetings.go which calls are one meeting
//	roster.go     participants
//	handover.go   removals that may be a bridge's own leaving; removals.go late news
//	renew.go      subscriptions and sockets whose messages cannot be read
//	problems.go   what is pending, damaged or left out; refusal.go refused elements
//	absence.go    what nobody tells of, and when it is gone
//	salvage.go    what can be read of a damaged frame
//	budget.go     what is held, in bytes
//	record.go     the elements of an object as bytes; what changed in them
//	tell.go       a change is told, or remembered as untold when nobody can take it
//	plan.go       which subscriptions are wanted, where; encode.go the request
//	gauges.go     the picture in numbers
//
// # Picture and snapshots
//
// A Cluster holds what the servers said of calls and participants. There is no
// redelivery: after a reconnect a server sends everything again as adds. An add
// of what is known is compared: what differs is an update, what is the same is
// nothing. What is not announced again within a grace time is removed with the
// reason not_listed (calls) or lost_connection (participants); the quiet of connections that are cut before the grace
// time is over adds up. What nobody tells of for Options.LostAfter is gone too. A
// message says what changed against the picture, not
// against the wire, so that two bridges telling the same are one event.
//
// # Meetings
//
// A meeting on several bridges is a call on each, with one callCorrelator. One
// of them is watched (each, with RosterOnAll). Participants belong to the
// meeting: when the watched bridge leaves, they stay while another one is asked.
//
// # Ownership and bounds
//
// A Cluster is not safe for concurrent use. It holds at most Limits.Calls calls
// of a server, Limits.Participants participants and Limits.Bytes of a server; text
// is cut at 1 KiB.
package events
