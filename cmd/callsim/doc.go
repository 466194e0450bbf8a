// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command callsim simulates a cluster of Cisco Meeting Server Call Bridges. They send call
// detail records to a receiver, with the faults of real bridges. callsim also writes the
// expected result of a perfect receiver.
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
// One goroutine runs the scenario and appends records to the queues of the
// bridges; each bridge has one goroutine that sends. With -events the same
// goroutine applies the events to the Events servers (internal/events), which have
// goroutines and a lock of their own. So have the MediaSense servers
// (internal/mediasense), whose scenario is separate (internal/recording). Nothing else
// is shared.
//
// It is an independent check: it shares no code with the receivers that it tests.
package main
