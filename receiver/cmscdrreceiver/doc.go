// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmscdrreceiver receives the call detail records (CDR) that Cisco Meeting Server
// Call Bridges post. It emits one log record for each wire record, and metrics that it
// aggregates from the same records.
//
// # Order
//
//	internal/ingest/webhook  HTTP: method, size, status code
//	accept.go                decode, lock the session, find new parts, deliver, store
//	batch.go, parts.go       which parts of a body are new, by internal/ingest/ledger
//	internal/ingest/outbox   chunks of a body: send, or quarantine, then mark
//	logs.go                  typed records to log records
//	metrics.go               typed records to measurements, after the logs were accepted
//
// The answer is 200 only after the next consumer accepted the records and, with storage,
// after the ledger is stored, because a Call Bridge deletes its records after a 200.
//
// # Ownership and who may block
//
// internal/ingest/ledger owns the accepted records and internal/otel/aggregate the metrics.
// Requests of one Call Bridge session wait for each other, at the lock of the session;
// others run concurrently. A request waits for that lock, in the next consumer and in the
// storage. registrar.go registers the receiver at Call Bridges in the background.
//
// # Tests
//
// Most tests post fixtures to a started receiver (newRig) and compare the log records with
// golden files; -update writes these.
package cmscdrreceiver
