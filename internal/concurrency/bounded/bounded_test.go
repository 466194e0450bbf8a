// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bounded

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("failed")
		forever, release := context.WithCancel(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		assert.NoError(t, Call(ctx, func(context.Context) error { return nil }))
		assert.ErrorIs(t, Call(ctx, func(context.Context) error { return failed }), failed)
		assert.Zero(t, time.Since(began))

		returned := make(chan struct{})
		err := Call(ctx, func(context.Context) error {
			defer close(returned)
			<-forever.Done() // and not ctx
			return nil
		})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
		release()
		<-returned // or synctest finds its goroutine
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		assert.NoError(t, Wait(ctx, &wg))
		release := make(chan struct{})
		wg.Go(func() { <-release })
		assert.ErrorIs(t, Wait(ctx, &wg), context.DeadlineExceeded)
		close(release)
		assert.NoError(t, Wait(t.Context(), &wg))
	})
}

func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		later, stop := Extend(ctx, 2*time.Second)
		defer stop()
		began := time.Now()
		<-later.Done()
		assert.Equal(t, 7*time.Second, time.Since(began))
		assert.ErrorIs(t, context.Cause(later), context.DeadlineExceeded)

		// One that is not needed leaves nothing behind.
		unneeded, stop := Extend(t.Context(), time.Hour)
		stop()
		assert.ErrorIs(t, unneeded.Err(), context.Canceled)
	})
}
