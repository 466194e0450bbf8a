// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// eventReceiver owns the listener and everything behind it. One instance serves
// both signals.
type eventReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder

	// logs and metrics are nil if the signal is in no pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	server   *webhook.Server
	store    *stateStore
	measures *measures // nil without a metrics pipeline
	lastSent bool      // the last metrics were
	stop     context.CancelFunc
	wg       sync.WaitGroup
}

func newReceiver(config *Config, set receiver.Settings) (*eventReceiver, error) {
	transport := "http"
	if config.HTTP.TLS.HasValue() {
		transport = "https"
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

// Start restores what is known, takes the port, so that a busy one fails the
// start, and serves only when both are there. It does not wait for subscriptions.
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
	deliver, err := r.newDelivery(ctx)
	if err != nil {
		return err
	}
	managers, err := newManagers(ctx, r, host)
	if err != nil {
		return err
	}
	if r.server, err = webhook.Serve(ctx, host, &r.config.HTTP, r.settings.TelemetrySettings, webhook.Settings{
		Path: r.config.Path, DefaultPath: defaultPath, MaxBody: r.config.HTTP.MaxRequestBodySize, MaxInFlight: r.config.MaxInFlightBytes,
		Accept: deliver.accept, Count: r.countAnswers, Messages: messages, Logger: r.settings.Logger,
	}); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	if r.measures != nil {
		r.wg.Go(func() { r.sendMetrics(background) })
	}
	if deliver.senders != nil {
		r.wg.Go(func() { deliver.senders.run(background) })
	}
	for _, m := range managers {
		r.wg.Go(func() { m.run(background) })
	}
	if r.config.HTTP.TLS.HasValue() {
		r.settings.Logger.Warn("The listener has TLS, which MediaSense does not speak: something else must take its events and pass them on")
	}
	// Without the path: people put secrets into it.
	r.settings.Logger.Info("Listening for MediaSense events", zap.String("endpoint", r.server.Address.String()))
	return nil
}

// newDelivery makes the way of a body, with what is known from before.
func (r *eventReceiver) newDelivery(ctx context.Context) (*delivery, error) {
	windows := &r.config.Deduplication
	d := &delivery{
		logs:      r.logs,
		windows:   windows,
		perTrack:  r.config.PerTrack,
		known:     newKnown(windows.MaxEntries, r.config.Subscription.HasValue()),
		senders:   newSenders(r.config, r.settings.Logger),
		disks:     newPartitions(windows.StorageWindow),
		store:     r.store,
		obsreport: r.obsreport,
		telemetry: r.telemetry,
		logger:    r.settings.Logger,
		resource:  newResourceBuilder(r.config),
		version:   r.settings.BuildInfo.Version,
		limits:    outbox.Limits{Bytes: r.config.MaxBatchBytes, Records: r.config.MaxBatchRecords},
	}
	if err := r.store.restore(ctx, d.known, d.disks, windows.Window); err != nil {
		return nil, err
	}
	if r.metrics != nil {
		var err error
		if r.measures, err = newMeasures(r.config, r.settings, d.disks.shown, d.senders); err != nil {
			return nil, err
		}
		d.measures = r.measures
	}
	return d, r.startTelemetry(ctx, d)
}

// messages say what an answer means to MediaSense: that it sends anything again
// is not known.
var messages = webhook.Messages{
	OtherPath:    "Request to another path than the configured one; its events are lost: subscribe with this path",
	Refused:      "Events refused; MediaSense is not known to send them again",
	Busy:         "Events refused, because the bodies in flight reach max_in_flight_bytes; MediaSense is not known to send them again",
	TooLarge:     "Body over max_request_body_size; its events are lost",
	Unread:       "Body could not be read; its events are lost",
	Unauthorized: "Request without the credentials that auth asks for, which MediaSense does not send; its events are lost",
	Encoding:     "Body in an encoding that is not in compression_algorithms; its events are lost",
	NoLength:     "Body without a length in HTTP/1.0, of which nothing can be read; the proxy in front must send Content-Length or HTTP/1.1",
}

// Shutdown leaves the servers, lets requests in flight end within
// shutdown_timeout, cuts them off then, sends the last metrics and closes the
// storage: nothing is consumed or stored after it. It may come without Start and
// more than once.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	if r.stop != nil {
		r.stop() // at once, so that all waits are one
	}
	var errs error
	if r.server != nil {
		errs = r.server.Stop(grace)
		r.server = nil
	}
	errs = errors.Join(errs, r.stopBackground(grace))
	errs = errors.Join(errs, r.store.close(grace))
	if errs != nil && ctx.Err() == nil {
		r.settings.Logger.Warn("Not all was done within shutdown_timeout; what was not acknowledged comes again",
			zap.Duration("shutdown_timeout", r.config.ShutdownTimeout), zap.Error(errs))
		errs = nil
	}
	r.telemetry.Shutdown()
	return errs
}

// stopBackground waits for what runs beside the requests, and then sends the last
// metrics, unless those before are still on their way.
func (r *eventReceiver) stopBackground(grace context.Context) error {
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
