// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package callrecordexporter writes the records of calls to an archive in SQL: a row for each
// call, call leg, recording, session, track and SIP dialog, which is there from the start
// record on and final with the stitched record.
//
//	exporter.go   start and stop
//	write.go      the way of a request: rows -> a transaction, shared with others
//	              that wait -> counted
//	rows.go       log records as rows; meeting_server.go, mediasense.go and dialogs.go
//	              the kinds
//	attributes.go reading attributes, once each; what is left are the details
//	archive.go    opens the database, also later; page.go shows it
//	retention.go  the one goroutine: deletes what is too old
//
// The archive itself, its merging and its schema are in internal/archive/store.
package callrecordexporter
