// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

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
	"github.com/legato-otel/legato/internal/ledger"
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

	server   *http.Server
	handler  *ingest.Handler
	store    *ledgerStore
	measures *measures // nil without a metrics pipeline
	stop     context.CancelFunc
	wg       sync.WaitGroup
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
	accepted := ledger.New(ledger.DefaultLimits)
	r.store.restore(ctx, accepted)

	registrars, err := newRegistrars(ctx, r, host)
	if err != nil {
		return err
	}
	listener, err := r.config.HTTP.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", r.config.HTTP.NetAddr.Endpoint, err)
	}
	if r.metrics != nil {
		r.measures = newMeasures(r.config, r.settings)
	}
	zeroTelemetry(ctx, r.telemetry)
	deliver := &delivery{
		logs:      r.logs,
		ledger:    accepted,
		store:     r.store,
		measures:  r.measures,
		obsreport: r.obsreport,
		telemetry: r.telemetry,
		logger:    r.settings.Logger,
		resource:  resourceBuilder{parameters: r.config.parameters(), static: r.config.ResourceAttributes},
		version:   r.settings.BuildInfo.Version,
		limits:    ingest.Limits{Bytes: r.config.MaxBatchBytes, Records: r.config.MaxBatchRecords},
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
	for _, g := range registrars {
		r.wg.Go(func() { g.run(background) })
	}
	// Without the path: people put secrets into it.
	r.settings.Logger.Info("Listening for call detail records", zap.String("endpoint", listener.Addr().String()))
	return nil
}

// answers say what an answer means to a Call Bridge: it deletes its records on
// exactly 200, and sends them again on everything else, for ever and ahead of
// all later ones.
var answers = ingest.Words{
	OtherPath: "Request to another path than the configured one; a Call Bridge would repeat it for ever",
	Refused:   "Records refused, the Call Bridge will send them again",
	TooLarge:  "Body over max_request_body_size; the Call Bridge will send it again until the limit is raised",
	Unread:    "Body could not be read, the Call Bridge will send it again",
}

// lastMetrics is how long the sending of the last metrics may take when the
// shutdown's own time is up.
const lastMetrics = 2 * time.Second

// Shutdown lets requests in flight end, cuts them off when ctx ends, sends the
// last metrics and closes the storage, in this order: nothing is consumed or
// stored after it. It may come without Start and more than once.
func (r *cdrReceiver) Shutdown(ctx context.Context) error {
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
