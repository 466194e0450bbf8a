// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package events plays the Events servers of a cluster of Call Bridges: for each
// bridge an HTTP server with tokens, the system status and WebSockets on which
// clients subscribe to calls, call infos and rosters.
//
//	scenario events --> stage --> subscriptions of each socket --> queue --ack by ack--> client
//
// The stage folds the events of the scenario into calls and people as each bridge
// shows them, and tells every difference to the subscriptions it concerns. A
// subscription filters by its elements. A socket keeps its messages in a queue
// and sends the next one when the last one was acknowledged; when an
// acknowledgement does not come in time the socket is silent for ever.
//
// A [Cluster] has one lock, which guards the stage, the servers, the sockets and
// all counts; nothing waits while it is held. Each socket has one goroutine that
// reads and one that writes.
//
// What a client does wrong is counted by kind and told to a log; the server goes
// on as well as it can. What goes wrong on purpose is chosen by [Faults]; the
// durations are of real time, because they are of the network and not of the
// story.
package events
