// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

// failing refuses with err, for ever or a number of times, after that with
// then; a nil error lets records pass.
type failing struct {
	next consumer.Logs

	mu    sync.Mutex
	err   error
	times int // 0 means for ever
	then  error
	count int
}

func (f *failing) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.times = err, 0
}

func (*failing) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (f *failing) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	f.mu.Lock()
	err := f.err
	if f.times > 0 && f.count >= f.times {
		err = f.then
	}
	f.count++
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.next.ConsumeLogs(ctx, logs)
}

// gated lets one batch at a time through, when told.
type gated struct {
	next    consumer.Logs
	entered chan struct{}
	leave   chan struct{}
}

func (*gated) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (g *gated) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	g.entered <- struct{}{}
	<-g.leave
	return g.next.ConsumeLogs(ctx, logs)
}
