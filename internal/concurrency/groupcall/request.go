// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package groupcall

import "context"

// Request is a value that waits for a call or is part of one.
type Request[T any] struct {
	// Value belongs to the call from [Group.Add] to [Request.Answer].
	Value T

	group *Group[T]
	done  chan struct{}
	err   error // set before done is closed

	// Guarded by group.mu.
	isCanceled bool  // its context ended
	call       *call // nil while the request waits
}

// Answer answers the request. The call calls it once, or the caller of NewRequest instead
// of Add.
func (r *Request[T]) Answer(err error) {
	r.err = err
	close(r.done)
}

// Wait returns the answer. If ctx ends first, it returns its error and cancels the request.
func (r *Request[T]) Wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
	}
	select {
	case <-r.done: // both at once: the answer counts
		return r.err
	default:
	}
	r.group.cancel(r)
	return ctx.Err()
}
