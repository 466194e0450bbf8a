// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package groupcall

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Options of a [Group].
type Options[T any] struct {
	// Call answers each request. The requests are in the order in which they were added.
	// Call returns soon after the end of ctx.
	Call func(ctx context.Context, requests []*Request[T])

	// Size returns the size of a value. MaxSize bounds the sum of one call, unless a
	// single value is larger.
	Size    func(T) int
	MaxSize int
	// MaxRequests bounds the requests of one call.
	MaxRequests int

	// Timeout of a call; 0 for none.
	Timeout time.Duration

	// SlowAfter is how long a call delays the next one, so that a callee that does not
	// return for one group does not block all. At most MaxCalls run at once. 0 is for
	// callees that accept one call at a time.
	SlowAfter time.Duration
	MaxCalls  int
}

// Group makes the calls. It is safe for concurrent use.
type Group[T any] struct {
	options     Options[T]
	baseContext context.Context //nolint:containedctx // parent of all call contexts
	running     sync.WaitGroup

	mu           sync.Mutex // guards everything below
	waiting      []*Request[T]
	runningCalls int       // number of running calls
	fastCalls    int       // running calls that are not slow
	singleUntil  time.Time // until then, each call is for one request
	closeErr     error     // set by Close: the error of all later requests
}

// call is a running call.
type call struct {
	cancel         context.CancelFunc
	activeRequests int  // requests that are not canceled
	isSlow         bool // it does not delay the next call
}

// New returns a group whose calls end with ctx.
func New[T any](ctx context.Context, options Options[T]) *Group[T] {
	return &Group[T]{options: options, baseContext: ctx}
}

// NewRequest returns a request. Add makes it wait for a call.
func (g *Group[T]) NewRequest(value T) *Request[T] {
	return &Request[T]{Value: value, group: g, done: make(chan struct{})}
}

// Do adds a request with a value and waits for its answer.
func (g *Group[T]) Do(ctx context.Context, value T) error {
	r := g.NewRequest(value)
	g.Add(r)
	return r.Wait(ctx)
}

// Add makes requests wait for a call. Requests of one Add share a call, unless its bounds
// divide them.
func (g *Group[T]) Add(requests ...*Request[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closeErr != nil {
		for _, r := range requests {
			r.Answer(g.closeErr)
		}
		return
	}
	for _, r := range requests {
		if !r.isCanceled {
			g.waiting = append(g.waiting, r)
		}
	}
	g.startCall()
}

// CallSingly makes each call for one request only, for the duration d: a refused request
// then affects no other.
func (g *Group[T]) CallSingly(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.singleUntil = time.Now().Add(d)
}

// Close answers all waiting and later requests with err. Running calls continue.
func (g *Group[T]) Close(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closeErr = err
	for _, r := range g.waiting {
		r.Answer(err)
	}
	g.waiting = nil
}

// WaitingCount returns how many requests wait for a call.
func (g *Group[T]) WaitingCount() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// Wait waits until no call is running. Call it after Close.
func (g *Group[T]) Wait() { g.running.Wait() }

// cancel removes a request whose context ended.
func (g *Group[T]) cancel(r *Request[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.isCanceled = true
	if r.call == nil {
		g.waiting = slices.DeleteFunc(g.waiting, func(other *Request[T]) bool { return other == r })
		return
	}
	if r.call.activeRequests--; r.call.activeRequests == 0 {
		r.call.cancel()
	}
}

// startCall starts a call if requests wait and no running call delays it. The caller holds
// mu.
func (g *Group[T]) startCall() {
	if len(g.waiting) == 0 || g.fastCalls > 0 || g.runningCalls >= max(g.options.MaxCalls, 1) {
		return
	}
	requests := g.takeNext()
	ctx, cancel := g.callContext()
	c := &call{cancel: cancel, activeRequests: len(requests)}
	for _, r := range requests {
		r.call = c
	}
	g.runningCalls++
	g.fastCalls++
	g.running.Go(func() {
		g.run(ctx, c, requests)
		cancel()
	})
}

func (g *Group[T]) callContext() (context.Context, context.CancelFunc) {
	if g.options.Timeout > 0 {
		return context.WithTimeout(g.baseContext, g.options.Timeout)
	}
	return context.WithCancel(g.baseContext)
}

// takeNext removes the requests of the next call from the waiting ones. At least one request
// waits. The caller holds mu.
func (g *Group[T]) takeNext() []*Request[T] {
	n := 1
	if len(g.waiting) > 1 && (g.singleUntil.IsZero() || !time.Now().Before(g.singleUntil)) {
		size := g.options.Size(g.waiting[0].Value)
		for n < len(g.waiting) && n < g.options.MaxRequests {
			if size += g.options.Size(g.waiting[n].Value); size > g.options.MaxSize {
				break
			}
			n++
		}
	}
	requests := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n) // clears the unused elements
	return requests
}

func (g *Group[T]) run(ctx context.Context, c *call, requests []*Request[T]) {
	var timer *time.Timer
	if g.options.SlowAfter > 0 {
		timer = time.AfterFunc(g.options.SlowAfter, func() { g.markSlow(c) })
	}
	g.options.Call(ctx, requests)
	if timer != nil {
		timer.Stop()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.runningCalls--
	if !c.isSlow {
		c.isSlow = true // for a timer that fires at the same time
		g.fastCalls--
	}
	g.startCall()
}

// markSlow marks a call as slow, so that the next call starts beside it.
func (g *Group[T]) markSlow(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.isSlow {
		return
	}
	c.isSlow = true
	g.fastCalls--
	g.startCall()
}
