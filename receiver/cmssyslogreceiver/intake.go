// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/lines"
	"github.com/legato-otel/legato/internal/meetingserver/syslog"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

// intake takes lines to the next consumer.
type intake struct {
	logs      consumer.Logs // nil if there is no logs pipeline
	measures  *measures     // nil if there is no metrics pipeline
	retry     configretry.BackOffConfig
	batchSize int
	offsets   *lines.Offsets // nil without storage
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	version   string

	// attempts ends when a stop has lasted for its grace. The context of an input
	// ends when the stop begins: then an attempt is finished, and no other begins.
	attempts context.Context //nolint:containedctx // it is the receiver's life, not a request's

	open atomic.Int64 // requests, for the gauge

	mu        sync.Mutex // guards everything below; held while a batch is delivered
	reader    *syslog.Reader
	resources *resources
	items     []item
	closed    bool
	warned    time.Time // when a refusal was logged last
}

// errStopped is why lines were not taken: the receiver stopped.
var errStopped = errors.New("the receiver stops; lines of files are read again after the start")

// take implements lines.Sink. Lines of files are taken by the next consumer when it
// returns nil, but for those of a request that is open.
func (in *intake) take(ctx context.Context, from lines.Origin, all []string) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return in.leave(&from)
	}
	source, now := sourceOf(&from), time.Now()
	for _, line := range all {
		in.reader.Read(now, source, line, in.add)
		if len(in.items) >= in.batchSize {
			if err := in.flush(ctx); err != nil {
				return in.leave(&from)
			}
		}
	}
	in.open.Store(int64(in.reader.Open()))
	in.telemetry.ReceiverCmssyslogLines.Add(ctx, int64(len(all)), transportOptions[from.Transport]...)
	if !from.Again {
		return nil // run sends them on
	}
	if err := in.flush(ctx); err != nil {
		return in.leave(&from)
	}
	return nil
}

// leave gives up the offsets of files, so that what a stop found is read again.
func (in *intake) leave(from *lines.Origin) error {
	if from.Again {
		in.offsets.Abandon()
	}
	return errStopped
}

// add puts a record into the batch. A record is valid for the call only.
func (in *intake) add(r *syslog.Record) {
	kept := *r
	kept.Fields = slices.Clone(r.Fields)
	in.items = append(in.items, item{record: kept, resource: in.resources.of(bridgeOf(r))})
}

// run sends on what waits, and ends requests whose time is up, until ctx ends.
func (in *intake) run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		in.mu.Lock()
		in.reader.Advance(time.Now(), in.add)
		in.open.Store(int64(in.reader.Open()))
		_ = in.flush(ctx) // what a stop leaves is finish's
		in.mu.Unlock()
	}
}

// finish takes nothing more, ends all requests, and tries once to send on what is left.
func (in *intake) finish() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.reader.Flush(in.add)
	stopped, cancel := context.WithCancel(in.attempts)
	cancel() // one attempt
	if err := in.flush(stopped); err != nil {
		in.count(outcomeLost, len(in.items))
		in.logger.Warn("Stopped before the pipeline took all records; those from the network are lost", zap.Int("records", len(in.items)))
		in.items = nil
	}
}

// flush sends the batch on. Its error is that of a stop: then what was not taken stays.
func (in *intake) flush(ctx context.Context) error {
	for len(in.items) > 0 {
		done, err := in.deliverUntilTaken(ctx, in.nextBatch())
		in.items = slices.Delete(in.items, 0, done)
		if err != nil {
			return err
		}
	}
	return nil
}

// nextBatch returns the first items that go on together: those of one cluster, which
// their request names in its client metadata.
func (in *intake) nextBatch() []item {
	if in.resources.clustered {
		slices.SortStableFunc(in.items, func(a, b item) int { return strings.Compare(a.resource.cluster, b.resource.cluster) })
	}
	n := min(len(in.items), in.batchSize)
	for i := range n {
		if in.items[i].resource.cluster != in.items[0].resource.cluster {
			return in.items[:i]
		}
	}
	return in.items[:n]
}

// deliverUntilTaken tries until the next consumer took the records, or retry_on_failure
// ends, and returns how many of the first are done with. Its error is that of a stop.
func (in *intake) deliverUntilTaken(ctx context.Context, items []item) (done int, err error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = in.retry.InitialInterval, in.retry.MaxInterval
	pause.RandomizationFactor, pause.Multiplier = in.retry.RandomizationFactor, in.retry.Multiplier
	pause.Reset()
	begun := time.Now()
	for {
		now, err := in.deliver(items[done:]) //nolint:contextcheck // an attempt outlives the context of its input: see attempts
		if done += now; err == nil {
			return done, nil
		}
		left := len(items) - done
		in.count(outcomeRefused, left)
		if ctx.Err() != nil || in.attempts.Err() != nil {
			return done, errStopped
		}
		if !in.retry.Enabled || in.retry.MaxElapsedTime > 0 && time.Since(begun) >= in.retry.MaxElapsedTime {
			in.count(outcomeLost, left)
			in.warn("Gave up as retry_on_failure says; the records are lost", zap.Int("records", left), zap.Error(err))
			return len(items), nil
		}
		in.warn("Records refused by the pipeline; trying again", zap.Int("records", left), zap.Error(err))
		timer := time.NewTimer(pause.NextBackOff())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return done, errStopped
		}
	}
}

// warnInterval is the least time between two warnings of a pipeline that refuses.
const warnInterval = time.Minute

func (in *intake) warn(message string, fields ...zap.Field) {
	if now := time.Now(); now.Sub(in.warned) >= warnInterval {
		in.warned = now
		in.logger.Warn(message, fields...)
	}
}

// deliver hands records on once, and returns how many of the first are done with. Of
// what the pipeline refuses permanently, each half is tried alone, so that one bad
// record costs no other. Records are counted in metrics when they were taken.
func (in *intake) deliver(items []item) (done int, err error) {
	if in.logs != nil {
		err = in.consume(items)
	}
	switch {
	case err == nil:
		in.accepted(items)
		return len(items), nil
	case !consume.IsPermanent(err):
		return 0, err
	case len(items) == 1:
		in.count(outcomeLost, 1)
		in.warn("A record refused permanently by the pipeline is lost", zap.String("kind", items[0].record.Kind.String()), zap.Error(err))
		return 1, nil
	}
	half := len(items) / 2
	if done, err = in.deliver(items[:half]); err != nil {
		return done, err
	}
	done, err = in.deliver(items[half:])
	return half + done, err
}

func (in *intake) accepted(items []item) {
	in.count(outcomeAccepted, len(items))
	in.countRequests(items)
	in.measures.record(in.attempts, items, in.logger)
}

func (in *intake) consume(items []item) error {
	ctx := in.obsreport.StartLogsOp(in.attempts)
	logs := convert(items, in.version)
	err := in.logs.ConsumeLogs(cluster.Context(ctx, logs), logs)
	in.obsreport.EndLogsOp(ctx, metadata.Type.String(), len(items), err)
	return err
}

// transportName is for the Collector's log and its own metrics.
func transportName(config *Config) string {
	var all []string
	if config.UDP != nil {
		all = append(all, "udp")
	}
	if config.TCP != nil {
		all = append(all, "tcp")
	}
	if len(config.File.Include) > 0 {
		all = append(all, "file")
	}
	return strings.Join(all, ",")
}
