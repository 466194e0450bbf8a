// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package groupcall

import "context"

// Request is a value that waits for a call, or is in one.
type Request[T any] struct {
	// Value is the call's from [Group.Add] to [Request.Answer].
	Value T

	group *Group[T]
	done  chan struct{}
	err   error // set before done is closed

	// Guarded by group.mu.
	gone bool  // the requester has given up
	call *call // nil as long as the request is in none
}

// Answer ends the request. It is called once: by the call, or instead of Add.
func (r *Request[T]) Answer(err error) {
	r.err = err
	close(r.done)
}

// Wait returns the answer, or the error of ctx if that ends first.
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
	r.group.leave(r)
	return ctx.Err()
}
