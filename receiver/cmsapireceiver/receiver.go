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
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/bounded"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// apiReceiver is scraperhelper's receiver with a stop that is bounded: that one
// waits for a scrape and for the next consumer, however long they take.
type apiReceiver struct {
	config     *Config
	logger     *zap.Logger
	telemetry  *metadata.TelemetryBuilder
	targets    *targets
	controller receiver.Metrics

	stop    sync.Once
	started bool
}

func newReceiver(config *Config, set receiver.Settings, next consumer.Metrics) (*apiReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	all := newTargets(config, set, telemetry)
	metrics, err := scraper.NewMetrics(all.scrape)
	if err != nil {
		return nil, err
	}
	controller, err := scraperhelper.NewMetricsController(
		&config.ControllerConfig, set, &cutConsumer{Metrics: next, life: all.life}, scraperhelper.AddMetricsScraper(metadata.Type, metrics))
	if err != nil {
		return nil, err
	}
	return &apiReceiver{config: config, logger: set.Logger, telemetry: telemetry, targets: all, controller: controller}, nil
}

// Start begins to scrape. That a server cannot be reached does not fail it.
func (r *apiReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.targets.start(ctx, host); err != nil {
		return err
	}
	zeroTelemetry(ctx, r.telemetry)
	r.started = true
	return r.controller.Start(ctx, host)
}

// Shutdown ends the scrape that runs, and waits for the next consumer for
// shutdown_timeout at most. It may come without Start and more than once.
func (r *apiReceiver) Shutdown(ctx context.Context) (err error) {
	r.stop.Do(func() {
		r.targets.end(errStopping)
		if r.started {
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

// cutConsumer passes on what there is, and ends the wait for the next consumer a
// moment after the receiver stops.
type cutConsumer struct {
	consumer.Metrics
	life context.Context
}

// consumeGrace is how long the next consumer has when the receiver stops.
const consumeGrace = time.Second

// ConsumeMetrics implements consumer.Metrics.
func (c *cutConsumer) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	if data.DataPointCount() == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	later, release := bounded.After(c.life, consumeGrace)
	defer release()
	defer context.AfterFunc(later, cancel)() //nolint:contextcheck // it ends with the receiver, not with the scrape
	return c.Metrics.ConsumeMetrics(ctx, data)
}
