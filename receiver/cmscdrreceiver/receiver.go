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

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/otel/limitedlog"
	"github.com/legato-otel/legato/internal/otel/metricsender"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// cdrReceiver is the receiver. One instance serves both signals.
type cdrReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder

	// logs and metrics are nil if the signal is in no pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	server              *webhook.Server
	store               *ledgerStore
	metricsSender       *metricsender.Sender // nil without a metrics pipeline
	stopBackgroundTasks context.CancelFunc
	background          sync.WaitGroup
	// unregisterPositions ends the registration through which
	// internal/meetingserver/completeness reads the ledger's positions; nil before Start.
	unregisterPositions func()
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

// Start restores the ledger, and then listens. A busy port is an error.
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
	recordLedger := ledger.New(ledger.DefaultLimits, time.Now)
	if err := r.store.restore(ctx, recordLedger); err != nil {
		return err
	}
	registrars, err := newURIRegistrars(ctx, r, host)
	if err != nil {
		return err
	}
	r.store.storeInCurrentVersion(ctx, recordLedger)
	resources := resourceBuilder{mappedParameters: r.config.parameters(), configured: r.config.ResourceAttributes}
	r.unregisterPositions = registerPositions(r.settings.ID.String(), recordLedger)
	addTelemetryZeros(ctx, r.telemetry)
	bodyAcceptor := r.newAcceptor(ctx, recordLedger, resources)
	if r.server, err = webhook.Serve(ctx, host, &r.config.HTTP, r.settings.TelemetrySettings, webhook.Settings{
		Path: r.config.Path, DefaultPath: defaultPath, MaxBodyBytes: r.config.HTTP.MaxRequestBodySize, MaxInFlightBytes: r.config.MaxInFlightBytes,
		Accept: bodyAcceptor.accept, CountAnswers: webhook.CountAnswersIn(r.telemetry.ReceiverCmscdrRequests), Messages: answerMessages, Logger: r.settings.Logger,
	}); err != nil {
		closeClients(registrars)
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stopBackgroundTasks = stop
	if r.metricsSender != nil {
		r.background.Go(func() { r.metricsSender.Run(background) })
	}
	for _, g := range registrars {
		r.background.Go(func() { g.run(background) })
	}
	// The log omits the path, because people put secrets into it.
	r.settings.Logger.Info("Listening for call detail records", zap.String("endpoint", r.server.Address.String()))
	return nil
}

// newAcceptor returns the acceptor of bodies, and makes the metrics if they are in a
// pipeline.
func (r *cdrReceiver) newAcceptor(ctx context.Context, recordLedger *ledger.Ledger, resources resourceBuilder) *acceptor {
	a := &acceptor{
		outbox: outbox.Delivery{
			Next: r.logs, ObsReport: r.obsreport, Format: metadata.Type.String(),
			Scope: metadata.ScopeName, Version: r.settings.BuildInfo.Version,
			Limits: r.config.chunkLimits(), Messages: deliveryMessages, Logger: r.settings.Logger,
		},
		ledger: recordLedger, store: r.store, telemetry: r.telemetry, logger: r.settings.Logger, resource: resources,
		limitedLog: limitedlog.New(r.settings.Logger),
	}
	if r.metrics != nil {
		a.metrics = newMetricSet(r.config, r.settings)
		a.metrics.startSeriesOfRestoredBridges(ctx, recordLedger.Positions(), resources, r.settings.Logger)
		r.metricsSender = &metricsender.Sender{
			Collect: a.metrics.bridges.Collect, Next: r.metrics, Interval: r.config.Metrics.Interval,
			ObsReport: r.obsreport, Format: metadata.Type.String(), Logger: r.settings.Logger,
		}
	}
	return a
}

var deliveryMessages = outbox.LogMessages{
	Quarantined: "Records refused permanently by the pipeline; they are quarantined",
	Lost:        "Quarantine refused permanently by the pipeline as well; its records are lost",
}

// answerMessages are the log messages that explain an answer to a Call Bridge: after a 200 it
// deletes its records; after any other status it sends them again, without end and ahead of
// all later ones.
var answerMessages = webhook.LogMessages{
	WrongPath:           "Request to another path than the configured one; a Call Bridge repeats it without end: register the receiver's URI with this path",
	WrongMethod:         "Request with another method than POST; a Call Bridge only posts, so it comes from another program",
	Refused:             "Records refused, the Call Bridge will send them again",
	Busy:                "Records refused, because the bodies in flight reach max_in_flight_bytes; the Call Bridge will send them again",
	TooLarge:            "Body over max_request_body_size; the Call Bridge will send it again until the limit is raised",
	Unreadable:          "Body could not be read, the Call Bridge will send it again",
	Unauthorized:        "Request without the credentials that auth asks for; a Call Bridge has none and repeats it without end",
	UnsupportedEncoding: "Body in an encoding that is not in compression_algorithms; the sender must use one that is",
	MissingLength:       "HTTP/1.0 request without Content-Length: its body cannot be read; the proxy in front must send Content-Length or HTTP/1.1",
}

// Shutdown stops the background tasks and waits up to shutdown_timeout for the requests in
// flight. Then it closes their connections, sends the last metrics and closes the storage.
// Afterwards the receiver sends and stores nothing. It may be called without Start and more
// than once.
func (r *cdrReceiver) Shutdown(ctx context.Context) error {
	shutdownCtx, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	if r.stopBackgroundTasks != nil {
		r.stopBackgroundTasks() // first, so that they stop while the requests end
	}
	if r.unregisterPositions != nil {
		r.unregisterPositions()
	}
	var errs error
	if r.server != nil {
		errs = r.server.Stop(shutdownCtx)
		r.server = nil
	}
	errs = errors.Join(errs, r.metricsSender.Finish(shutdownCtx, &r.background))
	errs = errors.Join(errs, r.store.close(shutdownCtx))
	if errs != nil && ctx.Err() == nil {
		r.settings.Logger.Warn("Shutdown was not complete within shutdown_timeout; Call Bridges send again what was not acknowledged",
			zap.Duration("shutdown_timeout", r.config.ShutdownTimeout), zap.Error(errs))
		errs = nil
	}
	r.telemetry.Shutdown()
	return errs
}
