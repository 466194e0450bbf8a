// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

// pace blocks until a simulated moment has come; false means that ctx ended.
type pace func(ctx context.Context, at time.Time) bool

// newPace starts the clock now.
func newPace(opts options) pace {
	if opts.speed == 0 {
		return func(ctx context.Context, _ time.Time) bool { return ctx.Err() == nil }
	}
	began := time.Now()
	return func(ctx context.Context, at time.Time) bool {
		due := began.Add(time.Duration(float64(at.Sub(opts.start)) / opts.speed))
		timer := time.NewTimer(time.Until(due))
		defer timer.Stop()
		select {
		case <-timer.C:
			return ctx.Err() == nil
		case <-ctx.Done():
			return false
		}
	}
}
