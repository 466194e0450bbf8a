// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmscdrreceiver listens for the call detail records (CDR) that Cisco
// Meeting Server Call Bridges post, and emits one log record per wire record
// and metrics aggregated from the same records.
//
// # The way of a request
//
//	internal/ingest  HTTP: method, size, status code
//	delivery.go      decode -> judge by the ledger -> convert -> consume -> accept -> store
//	logs.go          typed records -> log records, a pure function
//	measure.go       typed records -> measurements, after the logs were accepted
//
// # Ordering and ownership
//
// Requests of one Call Bridge session are handled one at a time, by the lock of
// the ledger's session; others run side by side. The ledger (internal/ingest/ledger)
// owns what was accepted, the metric set (internal/otel/aggregate) what was counted.
// An answer of 200 is given only after the next consumer took the records and,
// with storage, after the ledger is stored: it makes the bridge delete them.
package cmscdrreceiver
