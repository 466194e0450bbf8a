// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// summary of one figure over the rounds.
type summary struct {
	median, least, most float64
}

// summarize needs at least one value.
func summarize(values []float64) summary {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return summary{
		median: (sorted[(n-1)/2] + sorted[n/2]) / 2,
		least:  sorted[0],
		most:   sorted[n-1],
	}
}

// ratios divides round by round.
func ratios(over, under []float64) []float64 {
	out := make([]float64, min(len(over), len(under)))
	for i := range out {
		out[i] = over[i] / under[i]
	}
	return out
}

// differences round by round.
func differences(from, what []float64) []float64 {
	out := make([]float64, min(len(from), len(what)))
	for i := range out {
		out[i] = from[i] - what[i]
	}
	return out
}
