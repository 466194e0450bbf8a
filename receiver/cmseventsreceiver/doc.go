// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmseventsreceiver is a WebSocket client of Cisco Meeting Server Call
// Bridges. It subscribes to their events, and emits one log record for each change
// of a call or participant, and gauges of the calls and participants.
//
// A server is one configured Call Bridge, with its API account, its sockets and its
// queue. Log messages call it the Call Bridge.
//
// # Order
//
// The way of a message:
//
//	connection.go  one connection: token, dial, read, acknowledge, decode
//	hub.go         applies the message to the shared state (internal/meetingserver/events)
//	logs.go        change -> log record; attributes.go its attributes, describe.go its body
//	queue.go       records of one server -> next consumer
//	malformed.go   frames that cannot be decoded
//
// A connection acknowledges a message before it applies it, because a server that
// waits for an acknowledgement sends nothing more. The hub then changes the shared
// state and puts each change into the queue of its server. A full queue refuses the
// change; the hub emits the difference when the queue is half empty. So the state
// and the gauges are current whether or not the next consumer accepts records.
//
// Around it:
//
//	server.go      keeps the sockets of a server connected
//	control.go     sends subscription requests, detects a dead peer
//	account.go     makes API requests, pauses after a refusal
//	identity.go    requests the GUID of a Call Bridge
//	failure.go     why connections end, delays between them
//	watch.go       finds problems; health.go reports them
//	metrics.go     exports the gauges of instruments.go; telemetry.go internal metrics
//	receiver.go    Start and Shutdown
//
// # Blocking and locks
//
// Each socket has a goroutine that reads and one that sends requests; each server has
// one for watchProblems, each queue one that delivers. Only deliver waits for the
// next consumer. Each wait ends with a timeout or a context. The hub never waits
// while it holds its lock. Locks are taken in the order hub, queue. The locks of
// account and health are never held together with another; health holds its own
// while it reports to the host.
//
// # Testing
//
// Tests run the receiver against fakeBridge in a synctest bubble, see runInBubble
// in helpers_test.go. A new conversation from the field is a fixture that
// TestGolden replays (go test -run TestGolden -update). The rules of the state
// itself are tested in internal/meetingserver/events.
package cmseventsreceiver
