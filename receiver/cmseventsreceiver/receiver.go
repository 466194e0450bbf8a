// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// eventsReceiver owns the links to all servers and the picture. One instance
// serves both signals.
type eventsReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	dial      dialer // nil: over the network

	// logs and metrics are nil if the signal is in no pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	hub      *hub
	health   *health
	measures *measures // nil without a metrics pipeline

	stopLinks  context.CancelFunc
	stopQueues chan struct{}
	cutQueues  context.CancelFunc
	links      sync.WaitGroup
	queues     sync.WaitGroup
}

func newReceiver(config *Config, set receiver.Settings) (*eventsReceiver, error) {
	obsreport, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "websocket", LongLivedCtx: true, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &eventsReceiver{config: config, settings: set, obsreport: obsreport, telemetry: telemetry}, nil
}

// Start begins to connect. That a server cannot be reached does not fail it.
func (r *eventsReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.Shutdown(ctx))
	}
	return nil
}

func (r *eventsReceiver) start(ctx context.Context, host component.Host) error {
	r.health = newHealth(host)
	r.hub = newHub(r.config, r.telemetry, r.settings.Logger)
	for i := range r.config.Servers {
		l, err := newLink(ctx, r, i, host)
		if err != nil {
			return err
		}
		if r.logs != nil {
			l.queue = r.newQueue(l)
		}
		r.hub.links = append(r.hub.links, l)
	}
	if r.metrics != nil {
		var err error
		if r.measures, err = newMeasures(r); err != nil {
			return err
		}
	}
	if err := r.observe(); err != nil {
		return err
	}
	zeroTelemetry(ctx, r.telemetry)

	background := context.WithoutCancel(ctx)
	linksContext, stopLinks := context.WithCancel(background)
	queuesContext, cutQueues := context.WithCancel(background)
	r.stopLinks, r.cutQueues = stopLinks, cutQueues
	r.links.Go(func() { r.hub.run(linksContext) })
	if r.measures != nil {
		r.links.Go(func() { r.sendMetrics(linksContext) })
	}
	for _, l := range r.hub.links {
		r.links.Go(func() { l.run(linksContext) })
		if l.queue != nil {
			r.queues.Go(func() { l.queue.run(queuesContext) })
		}
	}
	return nil
}

func (r *eventsReceiver) newQueue(l *link) *queue {
	if r.stopQueues == nil {
		r.stopQueues = make(chan struct{})
	}
	return &queue{
		next: r.logs, limit: r.config.QueueSize, resource: l.resource, version: r.settings.BuildInfo.Version,
		obsreport: r.obsreport, telemetry: r.telemetry, logger: l.logger, drained: r.hub.poke,
		ready: make(chan struct{}, 1), many: make(chan struct{}, 1), stop: r.stopQueues,
	}
}

// lastMetrics is how long the sending of the last metrics may take when the
// shutdown's own time is up.
const lastMetrics = 2 * time.Second

// Shutdown closes the sockets in good order, passes on what waits, until ctx
// ends, and sends the last metrics. It may come without Start and more than
// once.
func (r *eventsReceiver) Shutdown(ctx context.Context) error {
	if r.stopLinks != nil {
		r.stopLinks()
		r.links.Wait()
		if r.stopQueues != nil {
			close(r.stopQueues)
			r.stopQueues = nil
		}
		kept := context.AfterFunc(ctx, r.cutQueues)
		r.queues.Wait()
		kept()
		r.cutQueues()
		if r.measures != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastMetrics)
			r.sendMetricsOnce(last)
			cancel()
		}
		r.stopLinks, r.measures = nil, nil
	}
	r.telemetry.Shutdown()
	return nil
}
