// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package ocmsreceiver reads the accounting events that Oracle Communication and
// Mobility Server writes through Log4j, from files or from syslog, and emits one
// log record for each event and metrics aggregated from the same events.
//
// # The way of a line
//
//	input.go       pkg/stanza: files (rotation, offsets, encodings), TCP and UDP
//	internal/ocms  a line -> an event
//	intake.go      which lines are new
//	delivery.go    convert -> consume, again until taken -> accept -> store
//	logs.go        an event -> a log record, a pure function
//	measure.go     an event -> measurements, after the log record was accepted
//
// # Delivery
//
// The file input advances its offset whatever its callback returns. The callback
// therefore returns only when the next consumer has the lines, or at a stop. The
// offsets are stored at the end of a poll; store.go keeps beside them which lines
// were taken since, so that a line which is read again after a crash is not taken
// twice. At a stop with lines that were not taken, no offsets are stored.
//
// # Ownership
//
// internal/ingest/dedup owns the identities of accepted messages, store.go the offsets
// and the lines taken since, calls.go the times of calls for the histograms,
// internal/otel/aggregate what was counted.
package ocmsreceiver
