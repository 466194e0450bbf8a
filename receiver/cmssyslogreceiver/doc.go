// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmssyslogreceiver receives the syslog of Cisco Meeting Servers. It emits one log
// record per line, or per API request, which has several lines, and metrics aggregated from
// the records.
//
// # The way of a line
//
//	internal/ingest/lines          UDP, TCP, TLS and files -> lines
//	internal/meetingserver/syslog  lines -> records without secrets
//	delivery.go                    lock -> read -> batch -> consume -> count
//	logs.go                        records -> log records, a pure function
//	record_metrics.go              records -> measurements, after the logs were accepted
//
// # Order and state
//
// The lock of delivery orders the lines of all inputs and guards syslog.Reader, which owns
// the open API traces. It is held while a batch is delivered: a batch that the pipeline
// refuses for now blocks all inputs until it is accepted. The callback of the file input
// returns after the delivery of its lines; lines from the network wait up to
// flush_interval for others.
//
// # Testing
//
// receiver_test.go sends lines through the inputs to a consumer that accepts, refuses or
// waits; contract_test.go checks the contract of consumers.
package cmssyslogreceiver
