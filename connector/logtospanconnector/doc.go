// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package logtospanconnector makes a span of every log record that is shaped
// like one: one record, one span, and no state between them.
//
// # The way of a record
//
//	connector.go   convert, hand on, count and report
//	convert.go     logs -> traces with the same resources, scopes and order
//	shape.go       a record's span.* attributes, checked, or the verdict why not
//	link.go        span.links
//	verdict.go     what can become of a record
//
// Everything but connector.go is a pure function: it reads a record whole and
// judges it before it makes a span, so there never is half a one.
//
// # Ordering and ownership
//
// Spans stand in the order of their records. The incoming logs are only read;
// others may read them at the same time. Nothing waits and nothing is kept: an
// error of the next consumer goes back to who sent the logs, as it is.
package logtospanconnector
