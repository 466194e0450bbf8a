// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
)

// logsJob lets legs live through a processor of logs, so many at once.
type logsJob struct {
	setup     setup
	store     *countingStorage // may be nil
	into      *sink
	processor processor.Logs
	log       *rawLog // nil without one
	// sources, one for each concurrent caller.
	sources []*logSource
	started time.Duration // duration of the processor's Start

	sent, again atomic.Int64
	ballast     []byte
}

func beginLogs(ctx context.Context, s setup) (job, error) { return newLogsJob(ctx, s) }

func newLogsJob(ctx context.Context, s setup) (j *logsJob, err error) {
	w, err := readCorpus(s.Corpus, s.Dialogs)
	if err != nil {
		return nil, err
	}
	j = &logsJob{setup: s, into: new(sink)}
	var lives uint64
	lanes := uint32(max(1, s.Callers)) //nolint:gosec // a small number
	for lane := range lanes {
		source := newLogSource(newStream(w, s.Open/int(lanes), lane, lanes))
		source.bare = s.Bare
		lives += source.lives()
		j.sources = append(j.sources, source)
	}
	if s.Store != "" {
		if j.store, err = newStore(ctx, s.Store, s.Directory); err != nil {
			return nil, err
		}
	}
	if j.processor, err = j.newProcessor(ctx, lives); err != nil {
		return nil, errors.Join(err, j.store.Shutdown(ctx))
	}
	begun := time.Now()
	if err := j.processor.Start(ctx, newHost(j.store)); err != nil {
		return nil, errors.Join(err, j.store.Shutdown(ctx))
	}
	j.started = time.Since(begun)
	return j, nil
}

func (j *logsJob) newProcessor(ctx context.Context, lives uint64) (p processor.Logs, err error) {
	switch j.setup.Kind {
	case callstitch:
		c := j.setup.stitch(lives)
		if j.store != nil {
			c.storage = &storeID
		}
		if !j.setup.Spans {
			return newStitcher(ctx, c, j.into)
		}
		spans, err := newSpanMaker(ctx, j.into)
		if err != nil {
			return nil, err
		}
		return newStitcher(ctx, c, spans)
	case appendLog:
		j.log, err = newRawLog(j.setup.Directory, j.store, j.into)
		return j.log, err
	case stitchedLog:
		if j.log, err = newRawLog(j.setup.Directory, j.store, j.into); err != nil {
			return nil, err
		}
		return newStitcher(ctx, j.setup.stitch(lives), j.log)
	case perKey:
		return newKeyStore(j.store, j.setup.Keys, j.into), nil
	default:
		return unread{j.into}, nil
	}
}

// stitches reports whether there is a callstitch that keeps what is sent.
func (j *logsJob) stitches() bool { return j.setup.Kind == callstitch || j.setup.Kind == stitchedLog }

// linger is short, so that there are as many objects in the processor as are
// open, and not those of the last seconds as well.
const linger = 10 * time.Millisecond

// stitch is a configuration with room for the objects that are open, those that
// linger, and a quarter as many that were emitted and are remembered. Without
// that bound, remembered objects would outnumber open ones.
func (s setup) stitch(lives uint64) stitchConfig {
	c := stitchConfig{linger: linger, maxOpen: 24 * time.Hour, maxObjects: int(lives) + int(lives)/4 + 10_000} //nolint:gosec // millions
	if s.MaxOpen > 0 {
		c.maxOpen = s.MaxOpen
	}
	return c
}

// readCorpus reads the corpus that the parent wrote.
func readCorpus(name string, withDialogs bool) (*world, error) {
	encoded, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(encoded)
	if err != nil {
		return nil, err
	}
	return newWorld(logs, withDialogs)
}

func (j *logsJob) close(ctx context.Context) error {
	return errors.Join(j.processor.Shutdown(ctx), j.store.Shutdown(ctx))
}

func (j *logsJob) do(ctx context.Context, o order) (a answer, err error) {
	switch o.Do {
	case "started":
		return answer{Wall: j.started}, nil
	case "fill":
		return j.measured(ctx, o, j.fill)
	case "hold":
		return j.measured(ctx, o, j.hold)
	case "run":
		return j.measured(ctx, o, j.run)
	case "skip":
		// Another process has sent this, until it was held.
		for _, source := range j.sources {
			source.held = true
			source.skip()
		}
		return a, nil
	case "drain":
		return j.measured(ctx, o, j.drain)
	case "ballast":
		// Bytes without pointers, as the legs are: they make the collector of
		// garbage come as rarely, and give it nothing to do.
		j.ballast = make([]byte, o.Count)
		return a, nil
	default:
		return a, fmt.Errorf("no such order %q", o.Do)
	}
}

// measured runs an action, waits until its output is complete, and returns the cost.
func (j *logsJob) measured(ctx context.Context, o order, something func(context.Context, order, *stopwatch) error) (a answer, err error) {
	var watch *stopwatch
	if o.Watch {
		if watch, err = newStopwatch(o.Pace); err != nil {
			return a, err
		}
	}
	runtime.GC()
	sent, again, storedBefore := j.sent.Load(), j.again.Load(), j.store.count()
	begun := time.Now()
	before, err := cpuTime()
	if err != nil {
		return a, err
	}
	if err := something(ctx, o, watch); err != nil {
		return a, err
	}
	a.Wall = time.Since(begun)
	if err := j.waitDelivered(ctx); err != nil {
		return a, err
	}
	after, err := cpuTime()
	if err != nil {
		return a, err
	}
	a.Used = after - before
	a.Records, a.Again = int(j.sent.Load()-sent), int(j.again.Load()-again)
	a.Stored = j.store.count().minus(storedBefore)
	for _, source := range j.sources {
		a.Open += source.legs()
		a.Objects += int(source.lives()) //nolint:gosec // millions
		a.Dialogs += source.dialogs()
	}
	if watch != nil {
		a.Stalls, err = watch.result()
	}
	return a, err
}

// fill opens as many legs as are asked for.
func (j *logsJob) fill(ctx context.Context, o order, watch *stopwatch) error {
	if !j.stitches() {
		// Nothing is kept, so that nothing needs to be sent.
		for _, source := range j.sources {
			source.skip()
		}
		return nil
	}
	return j.each(len(j.sources), func(source *logSource) error {
		source.fill(true)
		defer source.fill(false)
		return j.feed(ctx, source, j.batch(o), watch, source.full)
	})
}

// hold gives all legs the rest of their updates.
func (j *logsJob) hold(ctx context.Context, o order, watch *stopwatch) error {
	return j.each(len(j.sources), func(source *logSource) error {
		source.held = true
		return j.feed(ctx, source, j.batch(o), watch, source.done)
	})
}

// drain ends all legs that are held.
func (j *logsJob) drain(ctx context.Context, o order, watch *stopwatch) error {
	return j.each(len(j.sources), func(source *logSource) error {
		source.draining = true
		return j.feed(ctx, source, j.batch(o), watch, source.drained)
	})
}

// run sends so many records, or for so long.
func (j *logsJob) run(ctx context.Context, o order, watch *stopwatch) error {
	if j.log != nil {
		j.log.payload = o.Payload
	}
	callers := max(1, o.Callers)
	deadline := time.Now().Add(o.Time)
	return j.each(callers, func(source *logSource) error {
		until := source.index + uint64(o.Count/callers) //nolint:gosec // above 0
		return j.feed(ctx, source, j.batch(o), watch, func() bool {
			return source.index >= until && (o.Time == 0 || time.Now().After(deadline))
		})
	})
}

// batch is how many records a call has.
func (j *logsJob) batch(o order) int {
	if o.Batch > 0 {
		return o.Batch
	}
	return largestBatch
}

// each runs the first n of the sources at the same time.
func (j *logsJob) each(n int, f func(*logSource) error) error {
	if n == 1 {
		return f(j.sources[0])
	}
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i, source := range j.sources[:n] {
		wg.Go(func() { errs[i] = f(source) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// feed sends records of a source until it is enough.
func (j *logsJob) feed(ctx context.Context, source *logSource, batch int, watch *stopwatch, enough func() bool) error {
	for !enough() {
		if err := ctx.Err(); err != nil {
			return err
		}
		logs := source.batch(batch)
		n := logs.LogRecordCount()
		call := func() error { return j.consume(ctx, logs) }
		var err error
		if watch != nil {
			err = watch.measure(call)
		} else {
			err = call()
		}
		if err != nil {
			return err
		}
		j.sent.Add(int64(n))
	}
	return nil
}

// consume sends records once more as long as there is no room for them.
func (j *logsJob) consume(ctx context.Context, logs plog.Logs) error {
	deadline := time.Now().Add(patience)
	for {
		err := j.processor.ConsumeLogs(ctx, logs)
		if err == nil || consumererror.IsPermanent(err) || time.Now().After(deadline) {
			return err
		}
		j.again.Add(1)
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

// waitDelivered returns when everything was delivered that should be, and fails unless
// it was.
func (j *logsJob) waitDelivered(ctx context.Context) error {
	sent := j.sent.Load()
	if err := await(ctx, "records", &j.into.passed, sent, patience); err != nil {
		return err
	}
	if !j.stitches() {
		return nil
	}
	if stamped := j.into.stamped.Load(); stamped != sent {
		return fmt.Errorf("%d of %d records were stamped", stamped, sent)
	}
	var ended int64
	for _, source := range j.sources {
		ended += int64(source.ended) //nolint:gosec // counted up from 0
	}
	if err := await(ctx, "stitched records", &j.into.stitched, ended, patience); err != nil {
		return err
	}
	if whole := j.into.whole.Load(); whole != ended {
		return fmt.Errorf("%d of %d stitched records are complete", whole, ended)
	}
	return nil
}
