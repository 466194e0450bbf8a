// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmseventsreceiver is a WebSocket client of Cisco Meeting Server Call
// Bridges. It subscribes to their events and emits one log record for each
// change of a call or participant, and gauges of what is going on.
//
// # The way of a message
//
//	link.go     one server: its sockets; identity.go which bridge it is
//	account.go  the server's API, and when not to ask it
//	session.go  one socket: token, dial, read, decode, acknowledge
//	control.go  what one socket asks for, and how it is found to be dead
//	hub.go      one lock: message -> picture (internal/meetingserver/events) -> changes
//	logs.go     change -> log record, a pure function; describe.go its body
//	kept.go     frames that are not understood
//	queue.go    records of one server -> next consumer
//	watch.go    what keeps the picture from being whole -> health.go
//
// # Ordering and ownership
//
// A message is acknowledged before it is looked into: a server that waits for an
// acknowledgement sends nothing more. The picture is then changed under
// the hub's lock, which is never held while anything is sent. What changed is put
// into the queue of its server; a queue that is full makes the picture remember
// what was not told, and tell it when there is room. So the picture is always
// right, whatever the next consumer does, and gauges are read from it.
//
// The sockets of a server run on their own: one that ends leaves the others. All
// of them share the account, which makes one request at a time.
//
// Locks are taken in this order: hub, queue. Those of account and health are held
// alone; health reports to the host with its own held, and the host does not wait
// for the receiver.
package cmseventsreceiver
