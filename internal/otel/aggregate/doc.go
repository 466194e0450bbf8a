// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package aggregate turns measurements into pipeline metrics with the OpenTelemetry Go
// metrics SDK. Each resource has a meter provider with a manual reader. The SDK computes
// sums, buckets, cumulative start times and the cardinality limit.
//
// # Order
//
// A receiver gets the instruments of a resource ([Set.InstrumentsFor]), records its
// measurements, and reads all series at an interval ([Set.Collect]), as pmetric.
//
// # Concurrency
//
// A [Set] is safe for concurrent use, and waits only for its mutex. Its number of resources
// is bounded: a new resource evicts one that was used once or, without one, the least
// recently used, with its series.
//
// # Tests
//
// Tables of measurements against the collected series.
package aggregate
