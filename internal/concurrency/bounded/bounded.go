// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package bounded bounds waits for a consumer, a storage or a database that may ignore the
// end of its context. Components use it in Shutdown, because the Collector gives Shutdown a
// context without a deadline.
//
// A component first waits until its grace period ends, then cancels its calls, and then
// waits with [Extend] for CancelTimeout longer. The tests run in testing/synctest bubbles or
// with contexts that they cancel.
package bounded

import (
	"context"
	"sync"
	"time"
)

// Wait waits for wg. If ctx ends first, it returns the cause; a goroutine keeps waiting
// until wg is done.
func Wait(ctx context.Context, wg *sync.WaitGroup) error {
	return Call(ctx, func(context.Context) error {
		wg.Wait()
		return nil
	})
}

// Call calls f with ctx and returns its error. If ctx ends first, it returns the cause and
// leaves f behind, because Go cannot end a goroutine: the goroutine ends when f returns, and
// its error is lost.
func Call(ctx context.Context, f func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // both at once: f has returned
		return err
	default:
		return context.Cause(ctx)
	}
}

// CancelTimeout is how long Shutdown waits for canceled calls after its grace period.
const CancelTimeout = 500 * time.Millisecond

// Extend returns a context with the values of ctx that ends delay after ctx: calls that ctx
// cancels get this time to return.
func Extend(ctx context.Context, delay time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var timer *time.Timer
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(delay, func() { cancel(context.DeadlineExceeded) })
	})
	return later, func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
		cancel(context.Canceled)
	}
}
