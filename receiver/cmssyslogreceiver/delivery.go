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

// delivery delivers the records of lines to the next consumer.
type delivery struct {
	logs          consumer.Logs  // nil if there is no logs pipeline
	recordMetrics *recordMetrics // nil if there is no metrics pipeline
	retry         configretry.BackOffConfig
	batchSize     int
	offsets       *lines.Offsets // nil without storage
	obsreport     *receiverhelper.ObsReport
	telemetry     *metadata.TelemetryBuilder
	logger        *zap.Logger
	version       string

	// attemptsContext ends shutdown_timeout after the beginning of a stop. The context of an
	// input ends at the beginning: the attempt in flight continues, and no other follows.
	attemptsContext context.Context //nolint:containedctx // it is the receiver's life, not a request's

	openRequests atomic.Int64 // requests, for the gauge

	mu          sync.Mutex // guards everything below; held while a batch is delivered
	reader      *syslog.Reader
	resources   *resources
	pending     []pendingRecord
	closed      bool
	lastWarning time.Time // of a refusal
}

// errStopped means that the receiver stopped before the next consumer accepted the lines.
var errStopped = errors.New("the receiver stops; lines of files are read again after the start")

// consumeLines implements lines.Sink. When it returns nil, the next consumer has accepted the
// records of lines of files, except open requests.
func (d *delivery) consumeLines(ctx context.Context, from lines.Origin, all []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return d.abandonLines(&from)
	}
	source, now := sourceOf(&from), time.Now()
	for _, line := range all {
		d.reader.Read(now, source, line, d.addRecord)
		if len(d.pending) >= d.batchSize {
			if err := d.flush(ctx); err != nil {
				return d.abandonLines(&from)
			}
		}
	}
	d.openRequests.Store(int64(d.reader.Open()))
	d.telemetry.ReceiverCmssyslogLines.Add(ctx, int64(len(all)), transportOptions[from.Transport]...)
	if !from.RereadAfterRestart {
		return nil // run sends them on
	}
	if err := d.flush(ctx); err != nil {
		return d.abandonLines(&from)
	}
	return nil
}

// abandonLines stops the storing of offsets, so that undelivered lines of files are read
// again after a stop.
func (d *delivery) abandonLines(from *lines.Origin) error {
	if from.RereadAfterRestart {
		d.offsets.StopStoring()
	}
	return errStopped
}

// addRecord adds a copy of a record to pending: the Reader reuses the record.
func (d *delivery) addRecord(r *syslog.Record) {
	kept := *r
	kept.Fields = slices.Clone(r.Fields)
	d.pending = append(d.pending, pendingRecord{record: kept, resource: d.resources.resourceOf(bridgeOf(r))})
}

// flushPeriodically ends requests at their deadlines and delivers the pending records, until
// ctx ends.
func (d *delivery) flushPeriodically(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		d.mu.Lock()
		d.reader.Advance(time.Now(), d.addRecord)
		d.openRequests.Store(int64(d.reader.Open()))
		_ = d.flush(ctx) // finish handles the records that a stop leaves
		d.mu.Unlock()
	}
}

// finish closes the delivery, ends all requests, and tries once to deliver the rest.
func (d *delivery) finish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.reader.Flush(d.addRecord)
	stopped, cancel := context.WithCancel(d.attemptsContext)
	cancel() // one attempt
	if err := d.flush(stopped); err != nil {
		d.countOutcome(outcomeLost, len(d.pending))
		d.logger.Warn("Stopped before the pipeline took all records; those from the network are lost", zap.Int("records", len(d.pending)))
		d.pending = nil
	}
}

// flush delivers the pending records. Its only error is errStopped; undelivered records
// stay pending.
func (d *delivery) flush(ctx context.Context) error {
	for len(d.pending) > 0 {
		done, err := d.deliverUntilTaken(ctx, d.nextBatch())
		d.pending = slices.Delete(d.pending, 0, done)
		if err != nil {
			return err
		}
	}
	return nil
}

// nextBatch returns the first items that are sent together: those of one cluster, which their
// request names in its client metadata.
func (d *delivery) nextBatch() []pendingRecord {
	if d.resources.hasClusters {
		slices.SortStableFunc(d.pending, func(a, b pendingRecord) int { return strings.Compare(a.resource.cluster, b.resource.cluster) })
	}
	n := min(len(d.pending), d.batchSize)
	for i := range n {
		if d.pending[i].resource.cluster != d.pending[0].resource.cluster {
			return d.pending[:i]
		}
	}
	return d.pending[:n]
}

// deliverUntilTaken retries until the next consumer accepts the records, or until
// retry_on_failure ends. It returns how many records from the front need no further attempt.
// Its only error is errStopped.
func (d *delivery) deliverUntilTaken(ctx context.Context, items []pendingRecord) (done int, err error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = d.retry.InitialInterval, d.retry.MaxInterval
	pause.RandomizationFactor, pause.Multiplier = d.retry.RandomizationFactor, d.retry.Multiplier
	pause.Reset()
	begun := time.Now()
	for {
		now, err := d.deliverOnce(items[done:]) //nolint:contextcheck // an attempt outlives the context of its input: see attempts
		if done += now; err == nil {
			return done, nil
		}
		left := len(items) - done
		d.countOutcome(outcomeRefused, left)
		if ctx.Err() != nil || d.attemptsContext.Err() != nil {
			return done, errStopped
		}
		if !d.retry.Enabled || d.retry.MaxElapsedTime > 0 && time.Since(begun) >= d.retry.MaxElapsedTime {
			d.countOutcome(outcomeLost, left)
			d.warn("Gave up as retry_on_failure says; the records are lost", zap.Int("records", left), zap.Error(err))
			return len(items), nil
		}
		d.warn("Records refused by the pipeline; trying again", zap.Int("records", left), zap.Error(err))
		timer := time.NewTimer(pause.NextBackOff())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return done, errStopped
		}
	}
}

// warnInterval is the shortest time between two warnings about a refusing pipeline.
const warnInterval = time.Minute

func (d *delivery) warn(message string, fields ...zap.Field) {
	if now := time.Now(); now.Sub(d.lastWarning) >= warnInterval {
		d.lastWarning = now
		d.logger.Warn(message, fields...)
	}
}

// deliverOnce sends records to the next consumer, and returns how many from the front need no
// further attempt. After a permanent error it sends each half alone, so that one bad record
// does not affect others. It counts accepted records in the metrics.
func (d *delivery) deliverOnce(items []pendingRecord) (done int, err error) {
	if d.logs != nil {
		err = d.consume(items)
	}
	switch {
	case err == nil:
		d.countAccepted(items)
		return len(items), nil
	case !consume.IsPermanent(err):
		return 0, err
	case len(items) == 1:
		d.countOutcome(outcomeLost, 1)
		d.warn("A record refused permanently by the pipeline is lost", zap.String("kind", items[0].record.Kind.String()), zap.Error(err))
		return 1, nil
	}
	half := len(items) / 2
	if done, err = d.deliverOnce(items[:half]); err != nil {
		return done, err
	}
	done, err = d.deliverOnce(items[half:])
	return half + done, err
}

func (d *delivery) countAccepted(items []pendingRecord) {
	d.countOutcome(outcomeAccepted, len(items))
	d.countRequests(items)
	d.recordMetrics.countAccepted(d.attemptsContext, items, d.logger)
}

func (d *delivery) consume(items []pendingRecord) error {
	ctx := d.obsreport.StartLogsOp(d.attemptsContext)
	logs := toLogs(items, d.version)
	err := d.logs.ConsumeLogs(cluster.WithMetadata(ctx, logs), logs)
	d.obsreport.EndLogsOp(ctx, metadata.Type.String(), len(items), err)
	return err
}

// transportName names the configured inputs, for the Collector's log and telemetry.
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
