// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"errors"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/otel/metricsender"
	"github.com/legato-otel/legato/receiver/ocmsreceiver/internal/metadata"
)

// eventReceiver owns the inputs, the delivery and the store. One instance serves both
// signals.
type eventReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder

	// logs and metrics are nil for a signal without a pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	inputs           *inputs
	store            *store
	metricsSender    *metricsender.Sender // nil without a metrics pipeline
	cancelBackground context.CancelFunc
	cancelAttempts   context.CancelFunc // ends attempts in flight
	wg               sync.WaitGroup
}

func newReceiver(config *Config, set receiver.Settings) (*eventReceiver, error) {
	transport := "file"
	if len(config.File.Include) == 0 {
		transport = "syslog"
	}
	obsreport, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: transport, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &eventReceiver{config: config, settings: set, obsreport: obsreport, telemetry: telemetry}, nil
}

// Start restores the stored state and starts the inputs. A busy port fails the start, a
// missing file does not.
func (r *eventReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.Shutdown(ctx))
	}
	return nil
}

func (r *eventReceiver) start(ctx context.Context, host component.Host) error {
	var err error
	if r.store, err = openStore(ctx, host, r.config.Storage, r.settings); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.cancelBackground = stop
	attempts, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	r.cancelAttempts = cutOff
	d, err := r.newDelivery(ctx, attempts)
	if err != nil {
		return err
	}
	config := *r.config
	if r.store.hasOffsets(ctx) {
		// The input completed a poll earlier, so a file without an offset is new.
		config.File.StartAt = "beginning"
	}
	if r.inputs, err = buildInputs(&config, r.settings.TelemetrySettings, d); err != nil {
		return err
	}
	if r.metricsSender != nil {
		r.wg.Go(func() { r.metricsSender.Run(background) })
	}
	if err := r.inputs.start(r.store.persister()); err != nil {
		return err
	}
	r.settings.Logger.Info("Reading accounting events of OCMS", zap.Strings("include", r.config.File.Include), zap.Bool("syslog", r.config.Syslog.HasValue()))
	return nil
}

// newDelivery creates the delivery and restores its state.
func (r *eventReceiver) newDelivery(ctx, attempts context.Context) (*delivery, error) {
	d := &delivery{
		logs:                r.logs,
		deduplication:       &r.config.Deduplication,
		extraKeys:           slices.Sorted(slices.Values(r.config.ExtraKeys)),
		creationTimeIsLocal: r.config.CreationTimeIsLocal,
		seesLineEnds:        r.config.seesLineEnds(),
		keepOriginal:        r.config.IncludeLogRecordOriginal,
		retry:               r.config.RetryOnFailure,
		limits:              outbox.Limits{Bytes: r.config.MaxBatchBytes, Records: maxBatchRecords},
		acceptedKeys:        dedup.New(r.config.Deduplication.MaxEntries),
		store:               r.store,
		resources:           newResources(r.config),
		obsreport:           r.obsreport,
		telemetry:           r.telemetry,
		logger:              newLimitedLog(r.settings.Logger),
		version:             r.settings.BuildInfo.Version,
		attemptsContext:     attempts,
	}
	if err := r.store.restore(ctx, d.acceptedKeys, r.config.Deduplication.Window); err != nil {
		return nil, err
	}
	if r.metrics != nil {
		d.eventMetrics = newEventMetrics(r.config, r.settings)
		r.metricsSender = &metricsender.Sender{
			Collect: d.eventMetrics.byServer.Collect, Next: r.metrics, Interval: r.config.Metrics.Interval,
			ObsReport: r.obsreport, Format: metadata.Type.String(), Logger: r.settings.Logger,
		}
	}
	return d, r.startTelemetry(ctx, d)
}

// maxBatchRecords is the number of lines that pkg/stanza reads at once.
const maxBatchRecords = 100

// Shutdown stops the inputs, sends the last metrics and closes the storage. Lines in flight
// have until shutdown_timeout; then their attempts are cancelled, and the lines are read
// again after the next start. After Shutdown nothing is consumed or stored. It may be
// called without Start and more than once.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	if r.cancelBackground != nil {
		r.cancelBackground() // first, so that all parts stop at the same time
		defer context.AfterFunc(grace, r.cancelAttempts)()
	}
	errs := r.stopInputs(grace)
	errs = errors.Join(errs, r.metricsSender.Finish(grace, &r.wg))
	if r.cancelAttempts != nil {
		r.cancelAttempts()
	}
	errs = errors.Join(errs, r.store.close(grace))
	if errs != nil && ctx.Err() == nil {
		r.settings.Logger.Warn("Not all was done within shutdown_timeout; what was not taken is read again",
			zap.Duration("shutdown_timeout", r.config.ShutdownTimeout), zap.Error(errs))
		errs = nil
	}
	r.telemetry.Shutdown()
	return errs
}

// stopInputs stops the inputs and waits for their callbacks, a little longer than the
// grace: the attempts are cancelled at its end.
func (r *eventReceiver) stopInputs(grace context.Context) error {
	if r.inputs == nil {
		return nil
	}
	inputs := r.inputs
	r.inputs = nil
	end, cancel := bounded.Extend(grace, bounded.CancelTimeout)
	defer cancel()
	return bounded.Call(end, func(context.Context) error { return inputs.stop() })
}
