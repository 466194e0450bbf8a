// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// arrival is the place where accepted records arrive.
type arrival interface {
	// arrived is how much of it is there.
	arrived(ctx context.Context) (int, error)
}

// catchUp tells how accepted records arrived.
type catchUp struct {
	took  time.Duration // until all was there, since the load ended
	share float64       // of it, there when the load ended
	left  int           // not there when it was no longer waited for
}

// longestCatchUp is how long it is waited for.
const longestCatchUp = 2 * patience

// catchUpOf waits until everything is there.
func catchUpOf(ctx context.Context, at arrival, want int) (c catchUp, err error) {
	begun := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for first := true; ; first = false {
		got, err := at.arrived(ctx)
		switch {
		case err != nil:
			return c, err
		case got > want:
			return c, fmt.Errorf("%d are there, of %d", got, want)
		}
		if first {
			c.share = float64(got) / float64(max(want, 1))
		}
		c.took, c.left = time.Since(begun), want-got
		if c.left == 0 || c.took > longestCatchUp {
			return c, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return c, ctx.Err()
		}
	}
}

// backend takes OTLP over gRPC, and counts.
type backend struct {
	address string
	served  components
	calls   atomic.Int64
	records atomic.Int64
}

func startBackend(ctx context.Context) (b *backend, err error) {
	b = &backend{}
	if b.address, err = loopback.Address(); err != nil {
		return nil, err
	}
	factory := otlpreceiver.NewFactory()
	config, err := configure(factory, map[string]any{"protocols": map[string]any{"grpc": map[string]any{"endpoint": b.address}}})
	if err != nil {
		return nil, err
	}
	set := receivertest.NewNopSettings(factory.Type())
	logs, err := factory.CreateLogs(ctx, set, config, b)
	if err != nil {
		return nil, err
	}
	traces, err := factory.CreateTraces(ctx, set, config, new(sink))
	if err != nil {
		return nil, err
	}
	metrics, err := factory.CreateMetrics(ctx, set, config, new(counter))
	if err != nil {
		return nil, err
	}
	b.served = components{logs, traces, metrics}
	return b, b.served.Start(ctx, componenttest.NewNopHost())
}

func (b *backend) stop(ctx context.Context) error { return b.served.Shutdown(ctx) }

func (*backend) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs counts the posted records, and not those that the Collector adds: stitched
// records and session starts.
func (b *backend) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	b.calls.Add(1)
	var posted int64
	for log := range recordsOf(logs) {
		if name := log.EventName(); strings.HasPrefix(name, postedEvent) && !strings.HasSuffix(name, spanEvent) {
			posted++
		}
	}
	b.records.Add(posted)
	return nil
}

// postedEvent is how the events of calls and legs begin.
const postedEvent = "cisco.meeting_server.call"

func (b *backend) arrived(context.Context) (int, error) { return int(b.records.Load()), nil }

// archiveRows are the rows of an archive in SQLite.
type archiveRows struct{ db *sql.DB }

func openRows(path string) (*archiveRows, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	return &archiveRows{db}, err
}

// arrived counts each object once when it has a row, and once more when its row
// says that it has ended.
func (a *archiveRows) arrived(ctx context.Context) (n int, err error) {
	const count = "SELECT COUNT(*) + COUNT(CASE WHEN state = 'ended' THEN 1 END) FROM "
	row := a.db.QueryRowContext(ctx, "SELECT ("+count+"calls) + ("+count+"call_legs)")
	return n, row.Scan(&n)
}
