// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest"
	"github.com/legato-otel/legato/internal/recent"
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

	server   *http.Server
	handler  *ingest.Handler
	store    *stateStore
	measures *measures // nil without a metrics pipeline
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
	listener, err := r.config.HTTP.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", r.config.HTTP.NetAddr.Endpoint, err)
	}
	r.handler = ingest.NewHandler(ctx, ingest.Settings{
		Path: r.config.Path, MaxBody: r.config.HTTP.MaxRequestBodySize, Accept: deliver.accept,
		Count: r.countAnswers, Words: answers, Logger: r.settings.Logger,
	})
	if r.server, err = r.config.HTTP.ToServer(ctx, host.GetExtensions(), r.settings.TelemetrySettings, r.handler); err != nil {
		return errors.Join(err, listener.Close())
	}
	r.wg.Go(func() {
		if err := r.server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	if r.measures != nil {
		r.wg.Go(func() { r.sendMetrics(background) })
	}
	for _, m := range managers {
		r.wg.Go(func() { m.run(background) })
	}
	if r.config.HTTP.TLS.HasValue() {
		r.settings.Logger.Warn("The listener has TLS, which MediaSense does not speak: something else must take its events and pass them on")
	}
	// Without the path: people put secrets into it.
	r.settings.Logger.Info("Listening for MediaSense events", zap.String("endpoint", listener.Addr().String()))
	return nil
}

// newDelivery makes the way of a body, with what is known from before.
func (r *eventReceiver) newDelivery(ctx context.Context) (*delivery, error) {
	windows := &r.config.Deduplication
	d := &delivery{
		logs:      r.logs,
		windows:   windows,
		perTrack:  r.config.PerTrack,
		known:     recent.New(windows.MaxEntries),
		disks:     newPartitions(windows.StorageWindow),
		store:     r.store,
		obsreport: r.obsreport,
		telemetry: r.telemetry,
		logger:    r.settings.Logger,
		resource:  newResourceBuilder(r.config),
		version:   r.settings.BuildInfo.Version,
		limits:    ingest.Limits{Bytes: r.config.MaxBatchBytes, Records: r.config.MaxBatchRecords},
	}
	r.store.restore(ctx, d.known, d.disks, windows.Window)
	if r.metrics != nil {
		var err error
		if r.measures, err = newMeasures(r.config, r.settings, d.disks.shown); err != nil {
			return nil, err
		}
		d.measures = r.measures
	}
	return d, r.startTelemetry(ctx, d)
}

// answers say what an answer means to MediaSense: that it sends anything again
// is not known.
var answers = ingest.Words{
	OtherPath: "Request to another path than the configured one; its events are lost",
	Refused:   "Events refused; MediaSense is not known to send them again",
	TooLarge:  "Body over max_request_body_size; its events are lost",
	Unread:    "Body could not be read; its events are lost",
}

// lastMetrics is how long the sending of the last metrics may take when the
// shutdown's own time is up.
const lastMetrics = 2 * time.Second

// Shutdown lets requests in flight end, cuts them off when ctx ends, leaves the
// servers, sends the last metrics and closes the storage, in this order: nothing
// is consumed or stored after it. It may come without Start and more than once.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	var errs error
	if r.server != nil {
		if errs = r.server.Shutdown(ctx); errs != nil {
			errs = errors.Join(errs, r.server.Close())
		}
		r.handler.Close()
	}
	if r.stop != nil {
		r.stop()
	}
	r.wg.Wait()
	if r.measures != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastMetrics)
		r.sendMetricsOnce(last)
		cancel()
		r.measures = nil
	}
	errs = errors.Join(errs, r.store.close(ctx))
	r.telemetry.Shutdown()
	return errs
}
