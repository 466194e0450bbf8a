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
	// Call answers each of the requests, which are in the order in which they were
	// added. It returns soon after ctx has ended.
	Call func(ctx context.Context, requests []*Request[T])

	// Size of a value, of which one call has at most MaxSize, unless a single
	// value is larger.
	Size    func(T) int
	MaxSize int
	// MaxRequests is how many requests one call has at most.
	MaxRequests int

	// Timeout of a call; 0 for none.
	Timeout time.Duration

	// Slow is how long a call keeps the next one waiting: a callee that does not
	// come back for one group must not be the end for all. At most MaxCalls are
	// under way. 0 is for callees that take one call at a time.
	Slow     time.Duration
	MaxCalls int
}

// Group makes the calls. Its methods may be called concurrently.
type Group[T any] struct {
	options Options[T]
	base    context.Context //nolint:containedctx // that of all calls
	running sync.WaitGroup

	mu      sync.Mutex // guards everything below
	waiting []*Request[T]
	calls   int       // under way
	fast    int       // of these, not yet slow
	alone   time.Time // until then, a call is for one request
	closed  error     // why nothing is called any more
}

// call is one call under way.
type call struct {
	cancel  context.CancelFunc
	present int  // requesters who have not given up
	slow    bool // it keeps nobody waiting any more
}

// New returns a group whose calls end with ctx.
func New[T any](ctx context.Context, options Options[T]) *Group[T] {
	return &Group[T]{options: options, base: ctx}
}

// NewRequest returns a request, which nobody calls for before Add.
func (g *Group[T]) NewRequest(value T) *Request[T] {
	return &Request[T]{Value: value, group: g, done: make(chan struct{})}
}

// Do adds a value and waits for its answer.
func (g *Group[T]) Do(ctx context.Context, value T) error {
	r := g.NewRequest(value)
	g.Add(r)
	return r.Wait(ctx)
}

// Add has the requests answered by calls. Those that are added together share one,
// unless the bounds of a call divide them.
func (g *Group[T]) Add(requests ...*Request[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		for _, r := range requests {
			r.Answer(g.closed)
		}
		return
	}
	for _, r := range requests {
		if !r.gone {
			g.waiting = append(g.waiting, r)
		}
	}
	g.start()
}

// CallAlone makes each call for one request only, for a while: what one request
// meets is no reason then to refuse another.
func (g *Group[T]) CallAlone(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alone = time.Now().Add(d)
}

// Close answers those who wait, and all who come, with err. Calls under way go on.
func (g *Group[T]) Close(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = err
	for _, r := range g.waiting {
		r.Answer(err)
	}
	g.waiting = nil
}

// Waiting is how many requests wait for a call.
func (g *Group[T]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// Wait returns when no call is under way. It comes after Close.
func (g *Group[T]) Wait() { g.running.Wait() }

// leave is for a requester who gives up.
func (g *Group[T]) leave(r *Request[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.gone = true
	if r.call == nil {
		g.waiting = slices.DeleteFunc(g.waiting, func(other *Request[T]) bool { return other == r })
		return
	}
	if r.call.present--; r.call.present == 0 {
		r.call.cancel()
	}
}

// start begins a call if somebody waits and no call under way is to be waited for.
// The caller holds mu.
func (g *Group[T]) start() {
	if len(g.waiting) == 0 || g.fast > 0 || g.calls >= max(g.options.MaxCalls, 1) {
		return
	}
	requests := g.take()
	ctx, cancel := g.context()
	c := &call{cancel: cancel, present: len(requests)}
	for _, r := range requests {
		r.call = c
	}
	g.calls++
	g.fast++
	g.running.Go(func() {
		g.run(ctx, c, requests)
		cancel()
	})
}

func (g *Group[T]) context() (context.Context, context.CancelFunc) {
	if g.options.Timeout > 0 {
		return context.WithTimeout(g.base, g.options.Timeout)
	}
	return context.WithCancel(g.base)
}

// take takes the requests of the next call, of which there is one at least. The
// caller holds mu.
func (g *Group[T]) take() []*Request[T] {
	n := 1
	if len(g.waiting) > 1 && (g.alone.IsZero() || !time.Now().Before(g.alone)) {
		size := g.options.Size(g.waiting[0].Value)
		for n < len(g.waiting) && n < g.options.MaxRequests {
			if size += g.options.Size(g.waiting[n].Value); size > g.options.MaxSize {
				break
			}
			n++
		}
	}
	requests := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n) // clears what is no longer used
	return requests
}

func (g *Group[T]) run(ctx context.Context, c *call, requests []*Request[T]) {
	var timer *time.Timer
	if g.options.Slow > 0 {
		timer = time.AfterFunc(g.options.Slow, func() { g.passBy(c) })
	}
	g.options.Call(ctx, requests)
	if timer != nil {
		timer.Stop()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls--
	if !c.slow {
		c.slow = true // for a timer that fires right now
		g.fast--
	}
	g.start()
}

// passBy lets the next call begin beside one that is slow.
func (g *Group[T]) passBy(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.slow {
		return
	}
	c.slow = true
	g.fast--
	g.start()
}
