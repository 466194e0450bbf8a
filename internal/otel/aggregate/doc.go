// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package aggregate turns measurements into pipeline metrics with the
// OpenTelemetry Go metrics SDK: one meter provider for each resource, read by
// hand and converted to pmetric. The SDK does the sums, the buckets, the start
// times (cumulative) and the cardinality cap.
//
// A [Set] is safe for concurrent use. It is bounded: when it holds its limit of
// resources, the one that was used least recently goes, with its series.
package aggregate
