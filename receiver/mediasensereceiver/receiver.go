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

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/otel/limitedlog"
	"github.com/legato-otel/legato/internal/otel/metricsender"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// eventReceiver is the receiver. One instance serves both signals.
type eventReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder

	// logs and metrics are nil if the signal is in no pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	server        *webhook.Server
	store         *stateStore
	metricsSender *metricsender.Sender // nil without a metrics pipeline

	stopBackgroundTasks context.CancelFunc
	background          sync.WaitGroup
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

// Start restores keys and levels, and then listens. A busy port is an error. Start does not
// wait for subscriptions.
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
	bodies, err := r.newAcceptor(ctx)
	if err != nil {
		return err
	}
	managers, err := newManagers(ctx, r, host)
	if err != nil {
		return err
	}
	if r.server, err = webhook.Serve(ctx, host, &r.config.HTTP, r.settings.TelemetrySettings, webhook.Settings{
		Path: r.config.Path, DefaultPath: defaultPath, MaxBodyBytes: r.config.HTTP.MaxRequestBodySize, MaxInFlightBytes: r.config.MaxInFlightBytes,
		Accept: bodies.accept, CountAnswers: webhook.CountAnswersIn(r.telemetry.ReceiverMediasenseRequests), Messages: answerMessages, Logger: r.settings.Logger,
	}); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stopBackgroundTasks = stop
	if r.metricsSender != nil {
		r.background.Go(func() { r.metricsSender.Run(background) })
	}
	if bodies.namedSenders != nil {
		r.background.Go(func() { bodies.namedSenders.run(background) })
	}
	for _, m := range managers {
		r.background.Go(func() { m.run(background) })
	}
	if r.config.HTTP.TLS.HasValue() {
		r.settings.Logger.Warn("The listener has TLS, which MediaSense does not support: a proxy must accept its events and pass them on")
	}
	// The log omits the path, because people put secrets into it.
	r.settings.Logger.Info("Listening for MediaSense events", zap.String("endpoint", r.server.Address.String()))
	return nil
}

// newAcceptor returns the acceptor of bodies with its restored state, and makes the
// metrics if they are in a pipeline.
func (r *eventReceiver) newAcceptor(ctx context.Context) (*acceptor, error) {
	windows := &r.config.Deduplication
	a := &acceptor{
		outbox: outbox.Delivery{
			Next: r.logs, ObsReport: r.obsreport, Format: metadata.Type.String(),
			Scope: metadata.ScopeName, Version: r.settings.BuildInfo.Version,
			Limits: r.config.chunkLimits(), Messages: deliveryMessages, Logger: r.settings.Logger,
		},
		windows:      windows,
		perTrack:     r.config.PerTrack,
		accepted:     newAcceptedKeys(windows.MaxEntries, r.config.Subscription.HasValue()),
		namedSenders: newNamedSenders(r.config, r.settings.Logger),
		partitions:   newPartitionStates(windows.StorageWindow),
		store:        r.store,
		telemetry:    r.telemetry,
		logger:       r.settings.Logger,
		limitedLog:   limitedlog.New(r.settings.Logger),
		resource:     newResourceBuilder(r.config),
	}
	if err := r.store.restore(ctx, a.accepted, a.partitions, windows.Window); err != nil {
		return nil, err
	}
	if r.metrics != nil {
		var err error
		if a.metrics, err = newMetricSet(r.config, r.settings, a.partitions.list, a.namedSenders); err != nil {
			return nil, err
		}
		r.metricsSender = &metricsender.Sender{
			Collect: a.metrics.collect, Next: r.metrics, Interval: r.config.Metrics.Interval,
			ObsReport: r.obsreport, Format: metadata.Type.String(), Logger: r.settings.Logger,
		}
	}
	return a, r.startTelemetry(ctx, a)
}

var deliveryMessages = outbox.LogMessages{
	Quarantined: "Events refused permanently by the pipeline; they are quarantined",
	Lost:        "Quarantine refused permanently by the pipeline as well; its events are lost",
}

// answerMessages are the log messages that explain an answer to MediaSense, which is not known
// to send anything again.
var answerMessages = webhook.LogMessages{
	WrongPath:           "Request to another path than the configured one; its events are lost: subscribe with this path",
	WrongMethod:         "Request with another method than POST; MediaSense only posts, so it comes from another program",
	Refused:             "Events refused; MediaSense is not known to send them again",
	Busy:                "Events refused, because the bodies in flight reach max_in_flight_bytes; MediaSense is not known to send them again",
	TooLarge:            "Body over max_request_body_size; its events are lost",
	Unreadable:          "Body could not be read; its events are lost",
	Unauthorized:        "Request without the credentials that auth asks for, which MediaSense does not send; its events are lost",
	UnsupportedEncoding: "Body in an encoding that is not in compression_algorithms; its events are lost",
	MissingLength:       "Body without a length in HTTP/1.0, of which nothing can be read; the proxy in front must send Content-Length or HTTP/1.1",
}

// Shutdown ends the sessions at the servers, waits up to shutdown_timeout for requests in
// flight, then closes their connections, sends the last metrics and closes the storage: the
// receiver sends and stores nothing after it. It may be called without Start and more than
// once.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	if r.stopBackgroundTasks != nil {
		r.stopBackgroundTasks() // first, so that they stop while the requests end
	}
	var errs error
	if r.server != nil {
		errs = r.server.Stop(grace)
		r.server = nil
	}
	errs = errors.Join(errs, r.metricsSender.Finish(grace, &r.background))
	errs = errors.Join(errs, r.store.close(grace))
	if errs != nil && ctx.Err() == nil {
		r.settings.Logger.Warn("Shutdown was not complete within shutdown_timeout",
			zap.Duration("shutdown_timeout", r.config.ShutdownTimeout), zap.Error(errs))
		errs = nil
	}
	r.telemetry.Shutdown()
	return errs
}
