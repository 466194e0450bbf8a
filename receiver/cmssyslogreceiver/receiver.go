// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
	"github.com/legato-otel/legato/internal/meetingserver/syslog"

	"github.com/legato-otel/legato/internal/ingest/lines"
	"github.com/legato-otel/legato/internal/otel/metricsender"
	"github.com/legato-otel/legato/internal/otel/storageclient"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

// syslogReceiver owns the inputs, the delivery and the storage. One instance serves both
// signals.
type syslogReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder

	// logs and metrics are nil for a signal without a pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	inputs           *lines.Inputs
	delivery         *delivery
	storage          storage.Client       // nil without storage
	metricsSender    *metricsender.Sender // nil without a metrics pipeline
	cancelBackground context.CancelFunc
	cancelAttempts   context.CancelFunc // ends attempts in flight
	wg               sync.WaitGroup
}

func newReceiver(config *Config, set receiver.Settings) (*syslogReceiver, error) {
	obsreport, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: transportName(config), LongLivedCtx: true, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &syslogReceiver{config: config, settings: set, obsreport: obsreport, telemetry: telemetry}, nil
}

// Start starts the inputs. A busy port fails the start, a missing file does not.
func (r *syslogReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.Shutdown(ctx))
	}
	return nil
}

func (r *syslogReceiver) start(ctx context.Context, host component.Host) error {
	var offsets *lines.Offsets
	if r.config.Storage != nil {
		client, err := storageclient.Open(ctx, host, *r.config.Storage, component.KindReceiver, r.settings.ID, "")
		if err != nil {
			return err
		}
		r.storage, offsets = client, lines.NewOffsets(client)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.cancelBackground = stop
	attempts, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	r.cancelAttempts = cutOff
	d, err := r.newDelivery(attempts, offsets)
	if err != nil {
		return err
	}
	r.delivery = d
	if r.inputs, err = lines.Build(r.config.inputs(), r.settings.TelemetrySettings, d.consumeLines); err != nil {
		return err
	}
	if r.metricsSender != nil {
		r.wg.Go(func() { r.metricsSender.Run(background) })
	}
	r.wg.Go(func() { d.flushPeriodically(background, r.config.FlushInterval) })
	if err := r.inputs.Start(offsets); err != nil {
		return err
	}
	r.settings.Logger.Info("Receiving syslog of Cisco Meeting Servers", zap.String("by", transportName(r.config)), zap.String("location", r.config.Location))
	return nil
}

func (r *syslogReceiver) newDelivery(attempts context.Context, offsets *lines.Offsets) (*delivery, error) {
	location, err := time.LoadLocation(r.config.Location)
	if err != nil {
		return nil, err
	}
	requests := &r.config.Requests
	limits := syslog.DefaultLimits
	limits.RequestBytes, limits.Bytes = requests.MaxSize, requests.MaxTotalSize
	d := &delivery{
		logs: r.logs, retry: r.config.RetryOnFailure, batchSize: r.config.MaxBatchRecords, offsets: offsets,
		obsreport: r.obsreport, telemetry: r.telemetry, logger: r.settings.Logger, version: r.settings.BuildInfo.Version, attemptsContext: attempts,
		reader: syslog.NewReader(syslog.Options{
			Location: location, TraceTimeout: requests.TraceTimeout, ResponseTimeout: requests.ResponseTimeout, Limits: limits,
		}),
		resources: newResources(r.config),
	}
	if r.metrics != nil {
		d.recordMetrics = newRecordMetrics(r.config, r.settings)
		r.metricsSender = &metricsender.Sender{
			Collect: d.recordMetrics.collect, Next: r.metrics, Interval: r.config.Metrics.Interval,
			ObsReport: r.obsreport, Format: metadata.Type.String(), Logger: r.settings.Logger,
		}
	}
	return d, r.startTelemetry(attempts, d)
}

// Shutdown stops the inputs, delivers pending records, sends the last metrics and closes the
// storage. Attempts in flight are cancelled after shutdown_timeout. After Shutdown nothing is
// consumed or stored. It may be called without Start and more than once.
func (r *syslogReceiver) Shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	if r.cancelBackground != nil {
		r.cancelBackground() // first, so that all parts stop at the same time
		defer context.AfterFunc(grace, r.cancelAttempts)()
	}
	errs := errors.Join(r.stopInputs(grace), r.metricsSender.Finish(grace, &r.wg))
	if r.cancelAttempts != nil {
		r.cancelAttempts()
	}
	errs = errors.Join(errs, r.closeStorage(grace))
	if errs != nil && ctx.Err() == nil {
		r.settings.Logger.Warn("Not all was done within shutdown_timeout; lines of files that were not taken are read again",
			zap.Duration("shutdown_timeout", r.config.ShutdownTimeout), zap.Error(errs))
		errs = nil
	}
	r.telemetry.Shutdown()
	return errs
}

// stopInputs stops the inputs and waits for their callbacks, a little longer than the grace:
// the attempts are cancelled at its end.
func (r *syslogReceiver) stopInputs(grace context.Context) error {
	if r.inputs == nil {
		return nil
	}
	inputs, d := r.inputs, r.delivery
	r.inputs, r.delivery = nil, nil
	end, cancel := bounded.Extend(grace, bounded.CancelTimeout)
	defer cancel()
	return bounded.Call(end, func(context.Context) error {
		err := inputs.Stop()
		d.finish() //nolint:contextcheck // its attempts end with those of the intake
		return err
	})
}

func (r *syslogReceiver) closeStorage(grace context.Context) error {
	if r.storage == nil {
		return nil
	}
	client := r.storage
	r.storage = nil
	end, cancel := bounded.Extend(grace, 2*bounded.CancelTimeout)
	defer cancel()
	return bounded.Call(end, client.Close)
}
