// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// eventsReceiver owns the links to all servers and their shared state. One instance serves
// both signals.
type eventsReceiver struct {
	config    *Config
	settings  receiver.Settings
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	dial      dialer // nil: the network

	// logs and metrics are nil if the signal is in no pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics

	hub    *hub
	health *health
	gauges *serverGauges // nil without a metrics pipeline

	stopLinks    context.CancelFunc
	stopQueues   chan struct{}
	cancelQueues context.CancelFunc
	links        sync.WaitGroup
	queues       sync.WaitGroup
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

// Start starts the links. An unreachable server does not fail it.
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
		if r.gauges, err = newServerGauges(r); err != nil {
			return err
		}
	}
	if err := r.registerCallbacks(); err != nil {
		return err
	}
	zeroCounters(ctx, r.telemetry)

	background := context.WithoutCancel(ctx)
	linksContext, stopLinks := context.WithCancel(background)
	queuesContext, cancelQueues := context.WithCancel(background)
	r.stopLinks, r.cancelQueues = stopLinks, cancelQueues
	r.links.Go(func() { r.hub.run(linksContext) })
	if r.gauges != nil {
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
		next: r.logs, maxRecords: r.config.QueueSize, maxBytes: r.config.MaxQueueSize, putResource: l.putResource, version: r.settings.BuildInfo.Version,
		obsreport: r.obsreport, telemetry: r.telemetry, logger: l.logger, onDrained: r.hub.wakeRun,
		hasRecords: make(chan struct{}, 1), batchReady: make(chan struct{}, 1), stop: r.stopQueues,
	}
}

// Shutdown closes the sockets, delivers the waiting records and sends the last metrics. It
// takes at most shutdown_timeout or until ctx ends; records that the next consumer has not
// accepted by then count as refused. It may be called without Start and more than once.
func (r *eventsReceiver) Shutdown(ctx context.Context) error {
	if r.stopLinks == nil { // not started, or stopped already
		if r.hub != nil {
			for _, l := range r.hub.links {
				l.account.api.Close()
			}
		}
		r.telemetry.Shutdown()
		return nil
	}
	shutdownCtx, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	r.stopLinks()
	linksEnded := awaitGroup(shutdownCtx, &r.links)
	if r.stopQueues != nil {
		close(r.stopQueues)
		r.stopQueues = nil
	}
	// The consumer gets half of the time, and the rest to return after its context ends.
	flush, stopFlush := context.WithTimeout(shutdownCtx, r.config.ShutdownTimeout/2)
	awaitGroup(flush, &r.queues)
	stopFlush()
	r.cancelQueues()
	queuesEnded := awaitGroup(shutdownCtx, &r.queues)
	if r.gauges != nil && linksEnded {
		r.sendLastMetrics(shutdownCtx)
	}
	r.stopLinks = nil
	r.telemetry.Shutdown()
	if !linksEnded || !queuesEnded {
		return fmt.Errorf("the next consumer did not return within shutdown_timeout, %s", r.config.ShutdownTimeout)
	}
	return nil
}

// awaitGroup waits until group is done or ctx ends, and reports whether it is done.
func awaitGroup(ctx context.Context, group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Wait()
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-done: // ctx ended too; done takes precedence
		return true
	default:
		return false
	}
}

// sendLastMetrics sends the metrics once more, until ctx ends.
func (r *eventsReceiver) sendLastMetrics(ctx context.Context) {
	var last sync.WaitGroup
	last.Go(func() { r.sendMetricsOnce(ctx) })
	awaitGroup(ctx, &last)
}
