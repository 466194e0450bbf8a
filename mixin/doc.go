// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package mixin makes the Prometheus rules and Grafana dashboards of the components
// from one [Config]. out/ has them for the default configuration, and
//
//	go -C mixin run ./cmd/mixin -config my.yaml -out /etc/prometheus/legato
//
// makes them for another one. README.md says how to use them.
//
//	config.go       labels, selectors, thresholds and their reasons
//	promql.go       the forms that expressions are put together from
//	alerts_*.go     the alerts, by what they are about
//	slo.go          service levels in Sloth's names
//	catalogue/      every metric of every component, read from its documentation
//	scenarios/      what promtool plays: when each alert rings and when it does not
package mixin
