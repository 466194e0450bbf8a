// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/exporter/callrecordexporter/internal/metadata"
	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/concurrency/groupcall"
)

// callRecord is the exporter. It owns the archive: archive.go opens it, write.go
// writes to it, retention.go cleans it up, page.go shows it.
type callRecord struct {
	config    *Config
	settings  exporter.Settings
	telemetry *metadata.TelemetryBuilder

	// connect opens the archive of the configuration.
	connect func(context.Context) (*store.Store, error)
	archive atomic.Pointer[store.Store] // nil until the archive is open
	page    *pageServer                 // nil without http
	cancel  context.CancelFunc          // of the background goroutines
	wg      sync.WaitGroup

	writes        *groupcall.Group[*writeRequest]
	cancelExports context.CancelFunc // ends the transaction under way
}

func newExporter(config *Config, set exporter.Settings) (*callRecord, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &callRecord{config: config, settings: set, telemetry: telemetry}
	e.connect = func(ctx context.Context) (*store.Store, error) {
		return store.Open(ctx, config.Driver, string(config.DataSource))
	}
	exporting, cancel := context.WithCancel(context.Background())
	e.cancelExports = cancel
	e.writes = groupcall.New(exporting, groupcall.Options[*writeRequest]{
		Call: e.write, Size: (*writeRequest).size, MaxSize: maxTransaction, MaxRequests: maxRequests, Timeout: config.Timeout.Timeout,
	})
	return e, nil
}

// start opens the archive. What it did before it failed, it undoes.
func (e *callRecord) start(ctx context.Context, host component.Host) error {
	if err := e.open(ctx, host); err != nil {
		return errors.Join(err, e.shutdown(ctx))
	}
	return nil
}

func (e *callRecord) open(ctx context.Context, host component.Host) error {
	e.warn()
	for _, option := range ofOutcome {
		e.telemetry.ExporterCallrecordRecords.Add(ctx, 0, option)
	}
	e.telemetry.ExporterCallrecordTransactions.Add(ctx, 0)
	e.telemetry.ExporterCallrecordWriteFailures.Add(ctx, 0)
	e.telemetry.ExporterCallrecordRetentionFailures.Add(ctx, 0)
	if e.config.HTTP.HasValue() {
		var err error
		if e.page, err = startPage(ctx, host, e.config.HTTP.Get(), e.config.ShutdownTimeout, e.settings.TelemetrySettings); err != nil {
			return fmt.Errorf("http: %w", err)
		}
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	return e.openArchive(ctx, background, host)
}

// warn of settings with which accepted records can be lost.
func (e *callRecord) warn() {
	if !e.config.Queue.HasValue() {
		return
	}
	queue := e.config.Queue.Get()
	if queue.StorageID == nil && !queue.WaitForResult {
		e.settings.Logger.Warn("sending_queue is in memory: what is in it when the Collector stops for the wrong reason is lost, though it was accepted. " +
			"Set sending_queue::storage, or sending_queue::wait_for_result, or leave sending_queue out")
	}
	if !e.config.Retry.Enabled || e.config.Retry.MaxElapsedTime > 0 {
		e.settings.Logger.Warn("retry_on_failure gives up: what the archive does not take for longer is dropped from the queue, though it was accepted. " +
			"Set retry_on_failure::max_elapsed_time to 0s")
	}
}

// shutdown may come without start, and more than once. It is the last action of the helper,
// after the last export has ended.
func (e *callRecord) shutdown(ctx context.Context) error {
	var errs []error
	if e.page != nil {
		errs = append(errs, e.page.stop(ctx))
	}
	if e.cancel != nil {
		e.cancel()
	}
	e.wg.Wait()
	e.writes.Close(errNotOpen)
	e.writes.Wait()
	if archive := e.archive.Swap(nil); archive != nil {
		errs = append(errs, archive.Close())
	}
	e.telemetry.Shutdown()
	e.cancelExports()
	return errors.Join(errs...)
}

// Outcomes of a log record.
const (
	outcomeStored    = "stored"
	outcomeUnchanged = "unchanged"
	outcomeSkipped   = "skipped"
	outcomeInvalid   = "invalid"
	outcomeRefused   = "refused"
)

// ofOutcome are the attributes of the counter, made once.
var ofOutcome = func() map[string]metric.MeasurementOption {
	options := make(map[string]metric.MeasurementOption)
	for _, outcome := range []string{outcomeStored, outcomeUnchanged, outcomeSkipped, outcomeInvalid, outcomeRefused} {
		options[outcome] = metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", outcome)))
	}
	return options
}()

func (e *callRecord) count(ctx context.Context, outcome string, n int) {
	if n > 0 {
		e.telemetry.ExporterCallrecordRecords.Add(ctx, int64(n), ofOutcome[outcome])
	}
}
