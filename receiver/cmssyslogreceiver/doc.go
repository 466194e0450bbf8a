// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmssyslogreceiver takes the syslog of Cisco Meeting Servers, and emits one
// log record per line, or per API request of many lines, and metrics of them.
//
// # The way of a line
//
//	internal/ingest/lines      UDP, TCP, TLS and files -> lines
//	internal/meetingserver/syslog  lines -> records without secrets
//	intake.go           lock -> read -> batch -> consume -> count
//	logs.go             records -> log records, a pure function
//	measure.go          records -> measurements, after the logs were accepted
//
// # Order and ownership
//
// The intake's lock orders the lines of all inputs: internal/meetingserver/syslog.Reader, which
// holds the open API traces, has one user at a time. Lines from files go on before the
// file input moves on; lines from the network wait for others for a moment. A batch
// that the pipeline refuses for now holds all inputs up until it is taken.
package cmssyslogreceiver
