// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// cdrReceiver owns the listener and everything behind it. One instance serves
// both signals.
type cdrReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder

	// logs and metrics are nil if the signal is in no pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	server   *webhook.Server
	store    *ledgerStore
	measures *measures // nil without a metrics pipeline
	lastSent bool      // the last metrics were
	stop     context.CancelFunc
	wg       sync.WaitGroup
	// unregister takes the ledger out of internal/meetingserver/completeness; nil before Start.
	unregister func()
}

func newReceiver(config *Config, set receiver.Settings) (*cdrReceiver, error) {
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
	return &cdrReceiver{config: config, settings: set, obsreport: obsreport, telemetry: telemetry}, nil
}

// Start restores the ledger, takes the port, so that a busy one fails the start,
// and serves only when both are there.
func (r *cdrReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.Shutdown(ctx))
	}
	return nil
}

func (r *cdrReceiver) start(ctx context.Context, host component.Host) error {
	var err error
	if r.store, err = openStore(ctx, host, r.config.Storage, r.settings); err != nil {
		return err
	}
	accepted := ledger.New(ledger.DefaultLimits, time.Now)
	if err := r.store.restore(ctx, accepted); err != nil {
		return err
	}
	registrars, err := newRegistrars(ctx, r, host)
	if err != nil {
		return err
	}
	r.store.upgrade(ctx, accepted)
	if r.metrics != nil {
		r.measures = newMeasures(r.config, r.settings)
	}
	resources := resourceBuilder{parameters: r.config.parameters(), static: r.config.ResourceAttributes}
	r.measures.restore(ctx, accepted.Positions(), resources, r.settings.Logger)
	r.unregister = completenessOf(r.settings.ID.String(), accepted)
	zeroTelemetry(ctx, r.telemetry)
	deliver := &delivery{
		logs:      r.logs,
		ledger:    accepted,
		store:     r.store,
		measures:  r.measures,
		obsreport: r.obsreport,
		telemetry: r.telemetry,
		logger:    r.settings.Logger,
		resource:  resources,
		version:   r.settings.BuildInfo.Version,
		limits:    outbox.Limits{Bytes: r.config.MaxBatchBytes, Records: r.config.MaxBatchRecords},
	}
	if r.server, err = webhook.Serve(ctx, host, &r.config.HTTP, r.settings.TelemetrySettings, webhook.Settings{
		Path: r.config.Path, DefaultPath: defaultPath, MaxBody: r.config.HTTP.MaxRequestBodySize, MaxInFlight: r.config.MaxInFlightBytes,
		Accept: deliver.accept, Count: r.countAnswers, Messages: messages, Logger: r.settings.Logger,
	}); err != nil {
		closeRegistrars(registrars)
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	if r.measures != nil {
		r.wg.Go(func() { r.sendMetrics(background) })
	}
	for _, g := range registrars {
		r.wg.Go(func() { g.run(background) })
	}
	// Without the path: people put secrets into it.
	r.settings.Logger.Info("Listening for call detail records", zap.String("endpoint", r.server.Address.String()))
	return nil
}

// messages say what an answer means to a Call Bridge: it deletes its records on
// exactly 200, and sends them again on everything else, for ever and ahead of
// all later ones.
var messages = webhook.Messages{
	OtherPath:    "Request to another path than the configured one; a Call Bridge repeats it for ever: register the receiver's URI with this path",
	Refused:      "Records refused, the Call Bridge will send them again",
	Busy:         "Records refused, because the bodies in flight reach max_in_flight_bytes; the Call Bridge will send them again",
	TooLarge:     "Body over max_request_body_size; the Call Bridge will send it again until the limit is raised",
	Unread:       "Body could not be read, the Call Bridge will send it again",
	Unauthorized: "Request without the credentials that auth asks for; a Call Bridge has none and repeats it for ever",
	Encoding:     "Body in an encoding that is not in compression_algorithms; the sender must use one that is",
	NoLength:     "Body without a length in HTTP/1.0, of which nothing can be read; the proxy in front must send Content-Length or HTTP/1.1",
}

// Shutdown lets requests in flight end within shutdown_timeout, cuts them off
// then, sends the last metrics and closes the storage, in this order: nothing is
// consumed or stored after it. It may come without Start and more than once.
func (r *cdrReceiver) Shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	if r.stop != nil {
		r.stop() // at once, so that all waits are one
	}
	if r.unregister != nil {
		r.unregister()
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
func (r *cdrReceiver) stopBackground(grace context.Context) error {
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
