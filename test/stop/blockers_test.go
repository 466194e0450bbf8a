// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stop

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/legato-otel/legato/internal/testkit"
)

// gate is a place where something waits until the test ends.
type gate struct {
	entered, released chan struct{}
	enter, release    sync.Once
}

func newGate() *gate { return &gate{entered: make(chan struct{}), released: make(chan struct{})} }

// open lets everybody through.
func (g *gate) open() { g.release.Do(func() { close(g.released) }) }

func (g *gate) arrive() { g.enter.Do(func() { close(g.entered) }) }

// wait waits for open or the end of ctx.
func (g *gate) wait(ctx context.Context) error {
	g.arrive()
	select {
	case <-g.released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ignore waits for open, whatever becomes of ctx.
func (g *gate) ignore(context.Context) error {
	g.arrive()
	<-g.released
	return nil
}

// logs is a consumer that waits with those records that are meant.
func logs(wait func(context.Context) error, meant func(plog.LogRecord) bool) consumer.Logs {
	next, err := consumer.NewLogs(func(ctx context.Context, data plog.Logs) error {
		for _, rl := range data.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if meant(lr) {
						return wait(ctx)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return next
}

func all(plog.LogRecord) bool { return true }

func metrics(wait func(context.Context) error) consumer.Metrics {
	next, err := consumer.NewMetrics(func(ctx context.Context, _ pmetric.Metrics) error { return wait(ctx) })
	if err != nil {
		panic(err)
	}
	return next
}

// deaf is a server that accepts connections and says nothing on them.
func deaf(t *testing.T, g *gate) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var connections sync.WaitGroup
	go func() {
		<-g.released
		_ = listener.Close()
	}()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			g.arrive()
			connections.Go(func() {
				<-g.released
				_ = connection.Close()
			})
		}
	}()
	return listener.Addr().String()
}

// stuckStorage is a storage extension that hangs, and ignores contexts, once it
// is armed.
type stuckStorage struct {
	component.StartFunc
	component.ShutdownFunc

	inner *testkit.Storage
	gate  *gate
	armed atomic.Bool
}

func newStuckStorage(g *gate) *stuckStorage {
	return &stuckStorage{inner: testkit.NewStorage(), gate: g}
}

func (s *stuckStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.inner.GetClient(ctx, kind, id, name)
	return &stuckClient{Client: client, storage: s}, err
}

type stuckClient struct {
	storage.Client
	storage *stuckStorage
}

// hang waits whatever becomes of ctx.
func (c *stuckClient) hang(ctx context.Context) {
	if c.storage.armed.Load() {
		_ = c.storage.gate.ignore(ctx)
	}
}

func (c *stuckClient) Get(ctx context.Context, key string) ([]byte, error) {
	c.hang(ctx)
	return c.Client.Get(ctx, key)
}

func (c *stuckClient) Set(ctx context.Context, key string, value []byte) error {
	c.hang(ctx)
	return c.Client.Set(ctx, key, value)
}

func (c *stuckClient) Delete(ctx context.Context, key string) error {
	c.hang(ctx)
	return c.Client.Delete(ctx, key)
}

func (c *stuckClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	c.hang(ctx)
	return c.Client.Batch(ctx, operations...)
}

func (c *stuckClient) Close(ctx context.Context) error {
	c.hang(ctx)
	return c.Client.Close(ctx)
}
