// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package logtospanconnector converts each log record with span.* attributes to one span. It
// has no state.
// # Order of work
//
//	connector.go   converts, passes the spans on, counts and logs faults
//	convert.go     logs -> traces with the same resources, scopes and order
//	spanfields.go  reads and checks the span.* attributes of a record
//	link.go        span.links
//	result.go      the possible results for a record
//
// Everything but connector.go is a pure function. It checks a record before it makes a span,
// so no incomplete span is sent.
// # Ownership
// The connector only reads its input, which others may read concurrently. ConsumeLogs waits
// only for the next consumer, whose error it returns unchanged.
// # Tests
// testdata/golden holds input and output (-update); laws_test.go checks for random records
// that no record is lost or made twice.
package logtospanconnector
