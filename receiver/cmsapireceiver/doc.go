// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmsapireceiver scrapes the API of Cisco Meeting Server Call Bridges. It emits gauges
// and sums of each bridge, histograms of the quality of live call legs, and events: lists of
// calls and legs, quality of legs, completeness of call detail records.
//
// # The way of a scrape
//
//	receiver.go      the receiver of scraperhelper, with a bounded stop
//	scraper.go       all bridges concurrently
//	target.go        one bridge: its client, its identity, its metrics
//	scrape.go        one reading of one bridge, in at most max_requests requests
//	identity.go      the id of a server in its cluster
//	sampler.go       selects the legs whose details are read
//	start.go         the start time of a bridge
//	discover.go      the other bridges of the cluster
//	record.go        reading -> data points
//	quality.go       legs -> histograms
//	events.go        reading -> events
//	completeness.go  events about missing call detail records
//	failure.go       error -> problem
//	health.go        problem -> status of the component
//
// # State
//
// One scrape at a time uses a target, so a target needs no lock. Locks guard the list of
// targets and the problems in health, because callbacks of the host read them. The limits of
// requests are in internal/meetingserver/api, shared by all components. A scrape waits for
// the servers at most four fifths of timeout.
//
// # Testing
//
// scrape_test.go compares the metrics of played servers with testdata (-update writes them);
// live_test.go reads a simulated cluster.
package cmsapireceiver
