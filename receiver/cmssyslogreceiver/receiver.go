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
	"github.com/legato-otel/legato/internal/otel/storageclient"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

// syslogReceiver owns the inputs and everything behind them. One instance serves both
// signals.
type syslogReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder

	// logs and metrics are nil if the signal is in no pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	inputs   *lines.Inputs
	intake   *intake
	storage  storage.Client // nil without storage
	measures *measures      // nil without a metrics pipeline
	lastSent bool           // the last metrics were
	stop     context.CancelFunc
	cutOff   context.CancelFunc // ends attempts in flight
	wg       sync.WaitGroup
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

// Start starts the inputs. A port that is busy fails the start; a file that is not
// there yet does not.
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
	r.stop = stop
	attempts, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	r.cutOff = cutOff
	in, err := r.newIntake(attempts, offsets)
	if err != nil {
		return err
	}
	r.intake = in
	if r.inputs, err = lines.Build(r.config.inputs(), r.settings.TelemetrySettings, in.take); err != nil {
		return err
	}
	if r.measures != nil {
		r.wg.Go(func() { r.sendMetrics(background) })
	}
	r.wg.Go(func() { in.run(background, r.config.FlushInterval) })
	if err := r.inputs.Start(offsets); err != nil {
		return err
	}
	r.settings.Logger.Info("Receiving syslog of Cisco Meeting Servers", zap.String("by", transportName(r.config)), zap.String("location", r.config.Location))
	return nil
}

func (r *syslogReceiver) newIntake(attempts context.Context, offsets *lines.Offsets) (*intake, error) {
	location, err := time.LoadLocation(r.config.Location)
	if err != nil {
		return nil, err
	}
	requests := &r.config.Requests
	limits := syslog.DefaultLimits
	limits.RequestBytes, limits.Bytes = requests.MaxSize, requests.MaxTotalSize
	in := &intake{
		logs: r.logs, retry: r.config.RetryOnFailure, batchSize: r.config.MaxBatchRecords, offsets: offsets,
		obsreport: r.obsreport, telemetry: r.telemetry, logger: r.settings.Logger, version: r.settings.BuildInfo.Version, attempts: attempts,
		reader: syslog.NewReader(syslog.Options{
			Location: location, TraceTimeout: requests.TraceTimeout, ResponseTimeout: requests.ResponseTimeout, Limits: limits,
		}),
		resources: newResources(r.config),
	}
	if r.metrics != nil {
		r.measures = newMeasures(r.config, r.settings)
		in.measures = r.measures
	}
	return in, r.startTelemetry(attempts, in)
}

// Shutdown ends the inputs, passes on what waits, sends the last metrics and closes the
// storage: nothing is consumed or stored after it. Records in flight have until
// shutdown_timeout and are cut off then. It may come without Start and more than once.
func (r *syslogReceiver) Shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	if r.stop != nil {
		r.stop() // at once, so that all waits are one
		defer context.AfterFunc(grace, r.cutOff)()
	}
	errs := errors.Join(r.stopInputs(grace), r.stopBackground(grace))
	if r.cutOff != nil {
		r.cutOff()
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

// stopInputs waits for those that are in the intake, and a little longer after the
// grace for those that were then cut off.
func (r *syslogReceiver) stopInputs(grace context.Context) error {
	if r.inputs == nil {
		return nil
	}
	inputs, in := r.inputs, r.intake
	r.inputs, r.intake = nil, nil
	end, cancel := bounded.After(grace, bounded.AfterGrace)
	defer cancel()
	return bounded.Call(end, func(context.Context) error {
		err := inputs.Stop()
		in.finish() //nolint:contextcheck // its attempts end with those of the intake
		return err
	})
}

// stopBackground waits for what runs beside the inputs, and then sends the last
// metrics, unless those before are still on their way.
func (r *syslogReceiver) stopBackground(grace context.Context) error {
	end, cancel := bounded.After(grace, bounded.AfterGrace)
	defer cancel()
	err := bounded.Wait(end, &r.wg)
	if err == nil && r.measures != nil && !r.lastSent {
		r.lastSent = true
		last, cancel := bounded.After(grace, 2*bounded.AfterGrace)
		defer cancel()
		err = bounded.Call(last, func(ctx context.Context) error {
			r.sendMetricsOnce(ctx)
			return nil
		})
	}
	return err
}

func (r *syslogReceiver) closeStorage(grace context.Context) error {
	if r.storage == nil {
		return nil
	}
	client := r.storage
	r.storage = nil
	end, cancel := bounded.After(grace, 2*bounded.AfterGrace)
	defer cancel()
	return bounded.Call(end, client.Close)
}
