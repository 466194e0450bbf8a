// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package mediasensereceiver listens for the events that Cisco MediaSense posts,
// and emits one log record per event and metrics aggregated from the same events.
//
// # The way of a request
//
//	internal/ingest      HTTP: method, size, status code
//	internal/mediasense/event  bytes -> typed events
//	delivery.go          lock keys -> judge -> convert -> consume -> accept -> store
//	logs.go              typed events -> log records, a pure function
//	measure.go           typed events -> measurements, after the logs were accepted
//
// # Ordering and ownership
//
// Events have no numbers and come in any order, at times twice, by way of both
// servers. A body's keys are locked from the judgement to the end, so that of two
// copies that come at the same moment one is first; other bodies are handled side
// by side. internal/ingest/dedup owns what was accepted, partitions how full the disks
// are, internal/otel/aggregate what was counted. An answer of 200 is given only after the next
// consumer took the events and, with storage, after keys and levels are stored.
//
// # Subscriptions
//
// subscription.go has one manager for each server, which owns its session and its
// subscription (internal/mediasense/api). The listener does not wait for it.
package mediasensereceiver
