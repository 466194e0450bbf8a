// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command callsim plays a cluster of Cisco Meeting Server Call Bridges that
// send call detail records to a receiver, with the faults of real ones, and
// writes down what a perfect receiver must conclude.
//
//	callsim -target http://localhost:8080/cdr -meetings 100 -faults lost-ack=0.1,shift -truth truth.json
//	callsim -live
//	callsim -live -events localhost:8451
//	callsim -live -mediasense-target http://localhost:8085/mediasense
//	callsim -print -meetings 3
//	callsim drill gap -target http://localhost:8080/cdr
//
// The same flags give the same records. Which of them share a batch depends on
// the receiver's pace, except with -print, which needs no receiver.
//
// One goroutine plays the scenario and appends records to the queues of the
// bridges; each bridge has one goroutine that sends. With -events the same
// goroutine lets the events happen on the Events servers, which have goroutines
// and a lock of their own (internal/events), and so do the MediaSense servers,
// whose story is another one (internal/recording, internal/mediasense/event). Nothing
// else is shared.
//
// It is an independent witness: it shares no code with what it tests.
package main
