// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package ocmsreceiver reads the accounting events that Oracle Communication and Mobility
// Server writes through Log4j, from files or from syslog. It emits one log record for each
// event, and metrics aggregated from the same events.
//
// # The way of a line
//
//	input.go          pkg/stanza: files (rotation, offsets, encodings), TCP and UDP
//	internal/ocms     a line -> an event
//	batch.go          which lines are new
//	delivery.go       convert -> consume, retried until accepted -> mark as accepted -> store
//	logs.go           an event -> a log record, a pure function
//	event_metrics.go  an event -> measurements, after the log record was accepted
//
// # Delivery
//
// The file input advances its offset whatever its callback returns. The callback
// therefore waits until the next consumer has accepted the lines, or until a stop. The
// input stores offsets at the end of a poll; store.go stores between polls which lines
// were delivered, so that they are not delivered again after a crash. After a stop with
// undelivered lines, no offsets are stored.
//
// # State
//
// internal/ingest/dedup owns the identities of accepted messages, store.go the offsets
// and the lines delivered since, calls.go the times of calls for the histograms,
// internal/otel/aggregate the sums.
//
// # Testing
//
// TestGolden compares the records of all fixtures with testdata (-update writes them);
// delivery_test.go refuses, rotates, stops and crashes. test/e2e has the same with the
// distribution and kill -9.
package ocmsreceiver
