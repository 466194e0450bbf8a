// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package cmsapireceiver scrapes the API of Cisco Meeting Server Call Bridges, as
// gauges, sums, and histograms of the quality of live call legs, and as events: what
// a bridge has, and how its live legs are.
//
// # The way of a scrape
//
//	receiver.go  scraperhelper's receiver, with a stop that is bounded
//	scraper.go   all bridges at the same time: targets
//	target.go    one bridge: its client, its name, its metrics
//	scrape.go    one reading of one bridge, in at most max_requests requests
//	identity.go  which bridge of its cluster a server is
//	sampler.go   which legs are looked at
//	start.go     when a bridge started
//	discover.go  the other bridges of the cluster
//	record.go    reading -> data points; quality.go legs -> histograms; events.go reading -> events,
//	             completeness.go those about call detail records
//	failure.go   what an error means -> health.go
//
// # Ownership
//
// A target is used by one scrape at a time and needs no lock; targets guards the
// list of them, and health the problems, because the host reads both whenever it
// likes. What limits requests to one server is in internal/meetingserver/api, for all
// components together.
package cmsapireceiver
