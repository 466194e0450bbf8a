// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package mediasensereceiver receives the events that Cisco MediaSense posts. It emits one
// log record for each event, and metrics that it aggregates from the same events.
//
// # Order
//
//	internal/ingest/webhook    HTTP: method, size, status code
//	internal/mediasense/event  bytes to typed events
//	accept.go                  lock the keys, find new events, deliver, store
//	internal/ingest/outbox     chunks of a body: send, or quarantine, then mark
//	logs.go                    typed events to log records
//	metrics.go                 typed events to measurements, after the logs were accepted
//
// The answer is 200 only after the next consumer accepted the events and, with storage,
// after keys and levels are stored.
//
// # Ownership and who may block
//
// Events have no numbers, arrive in any order, and sometimes twice, from both servers. The
// receiver locks the keys of a body until the body is delivered, so that the second of two
// concurrent copies waits for the first. Other bodies run concurrently. A request waits for
// the keys, in the next consumer and in the storage. internal/ingest/dedup owns the accepted
// keys, partitionStates the levels of the storage partitions, and internal/otel/aggregate
// the metrics.
//
// # Subscriptions
//
// manager.go has one manager for each server. It owns the session and the subscription at
// that server (internal/mediasense/api), and runs in the background.
//
// # Tests
//
// Most tests post fixtures to a started receiver (newRig) and compare the log records with
// golden files; -update writes these. The managers run against apitest.
package mediasensereceiver
