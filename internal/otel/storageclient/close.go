// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package storageclient

import (
	"context"
	"fmt"
	"sync"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
)

// Closer closes a client once, in bounded time.
type Closer struct {
	once sync.Once
	err  error
}

// Close calls closeClient at the first call, and returns its error at each. grace is the
// context of the shutdown. A request that hangs in the storage may keep closeClient from
// returning; Close waits for it only a little longer than for the requests themselves.
func (c *Closer) Close(grace context.Context, closeClient func(context.Context) error) error {
	end, cancel := bounded.Extend(grace, 3*bounded.CancelTimeout)
	defer cancel()
	c.once.Do(func() { c.err = bounded.Call(end, closeClient) })
	return c.err
}

// NewerStateError returns the error of a start that would overwrite the state of a newer
// release.
func NewerStateError(err error) error {
	return fmt.Errorf("storage: %w: start the newer release again, or give this one another storage", err)
}
