// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package bounded ends waits that depend on somebody else: a consumer, a storage
// or a database that may ignore the end of its context. Components stop with it:
// the Collector gives Shutdown a context without a deadline.
package bounded

import (
	"context"
	"sync"
	"time"
)

// Wait waits for wg until ctx ends, and then returns the cause of that. The
// goroutine that keeps waiting ends when wg is done.
func Wait(ctx context.Context, wg *sync.WaitGroup) error {
	return Call(ctx, func(context.Context) error {
		wg.Wait()
		return nil
	})
}

// Call returns what f returns, or the cause of ctx's end if that comes first. f
// gets ctx, and should end with it. One that does not is left behind, because Go
// has no way to end it; its goroutine ends when f returns, and nobody gets its
// result.
func Call(ctx context.Context, f func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // both at once: it was done
		return err
	default:
		return context.Cause(ctx)
	}
}

// AfterGrace is how long a cancelled call has to return after the grace of a stop has
// ended.
const AfterGrace = 500 * time.Millisecond

// After returns a context that ends a delay after ctx has ended, with the values
// of ctx: time for those who have just been cancelled.
func After(ctx context.Context, delay time.Duration) (context.Context, context.CancelFunc) {
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
