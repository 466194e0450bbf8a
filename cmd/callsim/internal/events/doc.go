// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package events simulates the Events servers of a cluster of Call Bridges: for each
// bridge an HTTP server with tokens, the system status and WebSockets on which clients
// subscribe to calls, call infos and rosters.
//
//	scenario events --> stage --> subscriptions of each socket --> queue --> client
//
// The stage applies the events of the scenario to calls and people, and reports every
// difference to the subscriptions that it concerns. A subscription filters by its
// elements. A socket queues its messages, and sends the next one after the
// acknowledgement of the last one. If an acknowledgement does not arrive in time, the
// socket sends nothing more.
//
// A [Cluster] has one lock, which guards the stage, the servers, the sockets and all
// counters; nothing waits while it is held. Each socket has one goroutine that reads
// and one that writes. AwaitRoom, AwaitClients and Drain wait until their context ends.
//
// Errors of a client are counted by kind and logged; the server continues as well as it
// can. [Faults] selects deliberate faults. Their durations are in real time, because
// they concern the network rather than the scenario.
//
// Tests run a client of package eventstest against a Cluster: rules_test.go has the
// rules for clients, shapes_test.go the form of the messages, and fold_test.go compares
// the reported state with the scenario.
package events
