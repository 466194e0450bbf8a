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

// eventsReceiver owns all servers and their shared state. One instance serves
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

	stopBackground context.CancelFunc
	stopQueues     chan struct{}
	cancelQueues   context.CancelFunc
	background     sync.WaitGroup
	queues         sync.WaitGroup
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

// Start connects to the servers in the background. An unreachable server does not fail it.
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
		srv, err := newServer(ctx, r, i, host)
		if err != nil {
			return err
		}
		if r.logs != nil {
			srv.queue = r.newQueue(srv)
		}
		r.hub.servers = append(r.hub.servers, srv)
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

	uncancelled := context.WithoutCancel(ctx)
	var backgroundCtx, queuesCtx context.Context
	backgroundCtx, r.stopBackground = context.WithCancel(uncancelled)
	queuesCtx, r.cancelQueues = context.WithCancel(uncancelled)
	r.background.Go(func() { r.hub.run(backgroundCtx) })
	if r.gauges != nil {
		r.background.Go(func() { r.sendMetrics(backgroundCtx) })
	}
	for _, srv := range r.hub.servers {
		r.background.Go(func() { srv.run(backgroundCtx) })
		if srv.queue != nil {
			r.queues.Go(func() { srv.queue.run(queuesCtx) })
		}
	}
	return nil
}

func (r *eventsReceiver) newQueue(srv *server) *queue {
	if r.stopQueues == nil {
		r.stopQueues = make(chan struct{})
	}
	return &queue{
		next: r.logs, maxRecords: r.config.QueueSize, maxBytes: r.config.MaxQueueSize, putResource: srv.putResource, version: r.settings.BuildInfo.Version,
		obsreport: r.obsreport, telemetry: r.telemetry, logger: srv.logger, onHalfEmpty: r.hub.wakeRun,
		hasRecords: make(chan struct{}, 1), batchReady: make(chan struct{}, 1), stop: r.stopQueues,
	}
}

// Shutdown closes the sockets, delivers the waiting records and sends the last metrics. It
// takes at most shutdown_timeout or until ctx ends; records that the next consumer has not
// accepted by then count as refused. It may be called without Start and more than once.
func (r *eventsReceiver) Shutdown(ctx context.Context) error {
	if r.stopBackground == nil { // not started, or stopped already
		if r.hub != nil {
			for _, srv := range r.hub.servers {
				srv.account.api.Close()
			}
		}
		r.telemetry.Shutdown()
		return nil
	}
	shutdownCtx, cancel := context.WithTimeout(ctx, r.config.ShutdownTimeout)
	defer cancel()
	r.stopBackground()
	backgroundEnded := awaitGroup(shutdownCtx, &r.background)
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
	if r.gauges != nil && backgroundEnded {
		r.sendLastMetrics(shutdownCtx)
	}
	r.stopBackground = nil
	r.telemetry.Shutdown()
	if !backgroundEnded || !queuesEnded {
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
