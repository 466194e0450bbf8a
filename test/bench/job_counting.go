// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync/atomic"
)

// countingJob reports how many records, or frames, a client or server has taken.
type countingJob struct {
	took *atomic.Int64
	end  func(context.Context) error
}

func (j *countingJob) do(ctx context.Context, o order) (a answer, err error) {
	if o.Do == "delivered" {
		return a, await(ctx, "records or frames", j.took, int64(o.Count), patience)
	}
	return reportOf(j.took)
}

func (j *countingJob) close(ctx context.Context) error { return j.end(ctx) }

// reportOf answers a report: the number of deliveries and the CPU time so far.
func reportOf(delivered *atomic.Int64) (a answer, err error) {
	a.Delivered = delivered.Load()
	a.Used, err = cpuTime()
	return a, err
}
