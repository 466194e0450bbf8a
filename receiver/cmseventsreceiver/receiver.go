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
		next: r.logs, limit: r.config.QueueSize, limitSize: r.config.MaxQueueSize, resource: l.resource, version: r.settings.BuildInfo.Version,
		obsreport: r.obsreport, telemetry: r.telemetry, logger: l.logger, drained: r.hub.poke,
		ready: make(chan struct{}, 1), many: make(chan struct{}, 1), stop: r.stopQueues,
	}
}

// Shutdown closes the sockets in good order, passes on what waits, and sends the
// last metrics. It takes shutdown_timeout at most, or as long as ctx lasts: what
// the next consumer has not taken by then is counted as refused. It may come
// without Start and more than once.
func (r *eventsReceiver) Shutdown(ctx context.Context) error {
	if r.stopLinks == nil { // it did not start, or has ended
		if r.hub != nil {
			for _, l := range r.hub.links {
				l.account.api.Close()
			}
		}
		r.telemetry.Shutdown()
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	r.stopLinks()
	linksEnded := await(bounded, &r.links)
	if r.stopQueues != nil {
		close(r.stopQueues)
		r.stopQueues = nil
	}
	// The consumer gets a moment of its own to return after its context ends.
	flush, stopFlush := context.WithTimeout(bounded, r.config.ShutdownTimeout/2)
	await(flush, &r.queues)
	stopFlush()
	r.cutQueues()
	queuesEnded := await(bounded, &r.queues)
	if r.measures != nil && linksEnded {
		r.sendLastMetrics(bounded)
	}
	r.stopLinks = nil
	r.telemetry.Shutdown()
	if !linksEnded || !queuesEnded {
		return fmt.Errorf("the next consumer did not return within shutdown_timeout, %s", r.config.ShutdownTimeout)
	}
	return nil
}

// await waits until group is done or ctx ends, and returns whether it is done.
func await(ctx context.Context, group *sync.WaitGroup) bool {
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
	case <-done: // both: it is done
		return true
	default:
		return false
	}
}

// sendLastMetrics sends the metrics once more, for as long as ctx lasts.
func (r *eventsReceiver) sendLastMetrics(ctx context.Context) {
	var last sync.WaitGroup
	last.Go(func() { r.sendMetricsOnce(ctx) })
	await(ctx, &last)
}
