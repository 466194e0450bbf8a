// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// apiReceiver is the receiver of scraperhelper with a bounded stop: scraperhelper waits for a
// scrape and for the next consumer without limit. One instance serves both signals.
type apiReceiver struct {
	config    *Config
	settings  receiver.Settings
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	obsreport *receiverhelper.ObsReport
	targets   *targets

	// logs and metrics are nil for a signal without a pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	controller    receiver.Metrics // nil before Start
	eventsRefused bool             // the next consumer of logs refused the last events; used by the scrape alone
	stop          sync.Once
}

func newReceiver(config *Config, set receiver.Settings) (*apiReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	obsreport, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	return &apiReceiver{
		config: config, settings: set, logger: set.Logger, telemetry: telemetry, obsreport: obsreport, targets: newTargets(config, set, telemetry),
	}, nil
}

// Start starts the scrapes. An unreachable server does not fail it.
func (r *apiReceiver) Start(ctx context.Context, host component.Host) error {
	metrics, err := scraper.NewMetrics(r.scrape)
	if err != nil {
		return err
	}
	controller, err := scraperhelper.NewMetricsController(
		&r.config.ControllerConfig, r.settings, &stopBoundConsumer{next: r.metrics, stopContext: r.targets.stopContext}, scraperhelper.AddMetricsScraper(metadata.Type, metrics))
	if err != nil {
		return err
	}
	r.targets.wantsEvents = r.logs != nil
	if err := r.targets.start(ctx, host); err != nil {
		return err
	}
	startTelemetryAtZero(ctx, r.telemetry)
	r.controller = controller
	return r.controller.Start(ctx, host)
}

// scrape reads all bridges, passes the events on and returns the metrics.
func (r *apiReceiver) scrape(ctx context.Context) (pmetric.Metrics, error) {
	read := r.targets.scrape(ctx)
	if r.logs != nil {
		r.sendEvents(ctx, read.events)
	}
	if r.metrics == nil {
		return pmetric.NewMetrics(), nil
	}
	return read.metrics, nil
}

// sendEvents sends events to the next consumer. Refused events are lost; the next scrape emits
// the state at that time.
func (r *apiReceiver) sendEvents(ctx context.Context, events plog.Logs) {
	n := events.LogRecordCount()
	if n == 0 {
		return
	}
	ctx, end := withStopGrace(ctx, r.targets.stopContext)
	defer end()
	var err error
	for _, part := range cluster.Split(events) {
		err = errors.Join(err, r.sendPart(ctx, part))
	}
	if err != nil && !r.eventsRefused {
		r.logger.Error("The next consumer refuses events of the API; those of later scrapes are sent to it again", zap.Int("events", n), zap.Error(err))
	}
	r.eventsRefused = err != nil
}

// sendPart sends the events of one cluster.
func (r *apiReceiver) sendPart(ctx context.Context, events plog.Logs) error {
	ctx = r.obsreport.StartLogsOp(ctx)
	n := events.LogRecordCount()
	err := r.logs.ConsumeLogs(cluster.WithMetadata(ctx, events), events)
	r.obsreport.EndLogsOp(ctx, metadata.Type.String(), n, err)
	return err
}

// Shutdown ends the current scrape, and waits for the next consumer for at most
// shutdown_timeout. It may be called without Start and more than once.
func (r *apiReceiver) Shutdown(ctx context.Context) (err error) {
	r.stop.Do(func() {
		r.targets.end(errStopping)
		if r.controller != nil {
			grace, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
			defer cancel()
			err = bounded.Call(grace, func(ctx context.Context) error {
				return errors.Join(r.controller.Shutdown(ctx), r.targets.shutdown(ctx))
			})
		}
		r.telemetry.Shutdown()
		if err != nil && ctx.Err() == nil {
			r.logger.Warn("The next consumer did not return within shutdown_timeout", zap.Duration("shutdown_timeout", r.config.ShutdownTimeout))
			err = nil
		}
	})
	return err
}

// stopBoundConsumer forwards metrics, and cancels the call of the next consumer consumeGrace
// after the receiver stops.
type stopBoundConsumer struct {
	next        consumer.Metrics // nil without a metrics pipeline
	stopContext context.Context
}

// Capabilities implements consumer.Metrics.
func (c *stopBoundConsumer) Capabilities() consumer.Capabilities {
	if c.next == nil {
		return consumer.Capabilities{}
	}
	return c.next.Capabilities()
}

// ConsumeMetrics implements consumer.Metrics.
func (c *stopBoundConsumer) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	if data.DataPointCount() == 0 {
		return nil
	}
	ctx, end := withStopGrace(ctx, c.stopContext)
	defer end()
	return c.next.ConsumeMetrics(ctx, data)
}

// consumeGrace is the time of the next consumer after the receiver stops.
const consumeGrace = time.Second

// withStopGrace returns a context that ends consumeGrace after the receiver stops.
func withStopGrace(ctx, stopContext context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	later, release := bounded.Extend(stopContext, consumeGrace)
	stop := context.AfterFunc(later, cancel) // the receiver ends it, not the scrape
	return ctx, func() {
		stop()
		release()
		cancel()
	}
}
