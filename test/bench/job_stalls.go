// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// stallsJob lets everything that is open end at once, while the records of
// another bridge come in as always.
type stallsJob struct {
	*logsJob
	side  *logSource
	begun time.Time
}

// Of the other bridge: number of its legs, and the part that distinguishes its ids.
const (
	sideOpen = 1000
	sideLane = 1 << 24
)

func beginStalls(ctx context.Context, s setup) (job, error) {
	logs, err := newLogsJob(ctx, s)
	if err != nil {
		return nil, err
	}
	side := newLogSource(newStream(logs.sources[0].world, min(sideOpen, s.Open), sideLane, 1))
	return &stallsJob{logsJob: logs, side: side, begun: time.Now()}, nil
}

func (j *stallsJob) do(ctx context.Context, o order) (a answer, err error) {
	switch o.Do {
	case "spin":
		a.Stalls, err = spin(o.Time)
		return a, err
	case "expire":
		return j.endAll(ctx, o, func() error {
			// The first leg was opened after begun.
			time.Sleep(time.Until(j.begun.Add(j.setup.MaxOpen)))
			return nil
		})
	case "restart":
		return j.endAll(ctx, o, func() error {
			j.sent.Add(1)
			return j.consume(ctx, j.restart())
		})
	default:
		return j.logsJob.do(ctx, o)
	}
}

// endAll begins the end of everything and sends records of the other bridge
// until nothing of it is left.
func (j *stallsJob) endAll(ctx context.Context, o order, begin func() error) (a answer, err error) {
	open := int64(j.sources[0].started - j.sources[0].ended) //nolint:gosec // counted up from 0
	ended := func() int64 { return j.into.stitched.Load() - j.into.whole.Load() }
	if before := ended(); before != 0 {
		return a, fmt.Errorf("%d had ended before", before)
	}
	if err := begin(); err != nil {
		return a, err
	}
	begun := time.Now()
	watch, err := newStopwatch(o.Pace)
	if err != nil {
		return a, err
	}
	for ended() < open {
		if time.Since(begun) > 2*patience {
			return a, fmt.Errorf("%d of %d have ended", ended(), open)
		}
		enough := j.side.index + 1
		if err := j.feed(ctx, j.side, j.batch(o), watch, func() bool { return j.side.index >= enough }); err != nil {
			return a, err
		}
	}
	a.Wall = time.Since(begun)
	a.Records, a.Open = int(j.side.index), int(open) //nolint:gosec // counted up from 0
	a.Stalls, err = watch.result()
	return a, err
}

// restart is the receiver's record of a bridge that has a new session.
func (j *stallsJob) restart() plog.Logs {
	source := j.sources[0]
	previous, _ := laneNames(source.lane)
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	source.resource.CopyTo(rl.Resource())
	rl.Resource().Attributes().PutStr(names.SessionID, "5f9ccdd2-6a19-4d3a-9d7c-2f7f0d6fb5a1")
	log := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	log.SetEventName(names.EventSessionStart)
	log.SetTimestamp(pcommon.NewTimestampFromTime(recordTime(source.index)))
	log.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	log.Attributes().PutStr(names.SessionPreviousID, previous)
	return logs
}
