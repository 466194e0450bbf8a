// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrBudget means that a request was not made, because the limit of its context is reached.
var ErrBudget = errors.New("the limit of requests is reached")

type budgetKey struct{}

// LimitRequests returns a context that allows n requests, retries included.
func LimitRequests(ctx context.Context, n int) context.Context {
	left := new(atomic.Int64)
	left.Store(int64(n))
	return context.WithValue(ctx, budgetKey{}, left)
}

// RequestsLeft returns the number of requests that a context of LimitRequests still allows.
func RequestsLeft(ctx context.Context) int {
	left, limited := ctx.Value(budgetKey{}).(*atomic.Int64)
	if !limited {
		return int(^uint(0) >> 1)
	}
	return int(max(left.Load(), 0))
}

// spendRequest counts one request against the limit.
func spendRequest(ctx context.Context) error {
	if left, limited := ctx.Value(budgetKey{}).(*atomic.Int64); limited && left.Add(-1) < 0 {
		return ErrBudget
	}
	return nil
}
