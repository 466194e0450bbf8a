// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/consume"
	"github.com/legato-otel/legato/internal/ledger"
	"github.com/legato-otel/legato/internal/posted"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// delivery takes a body to the next consumer. accept is the one place where it
// is decided whether a bridge may delete its records.
type delivery struct {
	logs      consumer.Logs // nil if there is no logs pipeline
	ledger    *ledger.Ledger
	store     *ledgerStore
	measures  *measures // nil if there is no metrics pipeline
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	resource  resourceBuilder
	version   string
	intakes   intakePool
}

// accept returns nil if everything in the body is safe: taken by the next
// consumer now or before, or quarantined, and noted in the ledger. After an
// error nothing is noted but what was taken, and the body must come again.
func (d *delivery) accept(ctx context.Context, req posted.Request) error {
	in := d.intakes.get(req)
	defer d.intakes.put(in)

	if err := in.lock(ctx, d.ledger); err != nil {
		return err
	}
	defer in.unlock(d.ledger)
	in.judge(&d.ledger.Fingerprints)

	// From here on a client that hangs up is not the end: records that were
	// taken must be noted and stored, or they would be taken again.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(req.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	var evicted []string
	if in.anythingNew() {
		source := d.resource.build(in, req)
		if err := d.forward(ctx, in, source); err != nil {
			d.countRefused(ctx, in)
			return err
		}
		evicted = in.note(d.ledger)
		d.measures.record(ctx, in, source, d.logger)
	}
	d.count(ctx, in)
	return d.store.save(ctx, d.ledger, in.session, evicted)
}

// forward hands the new part of a body on. What the pipeline refuses for good
// is not sent to it again, as the contract of consumers asks; the body goes to
// quarantine instead.
func (d *delivery) forward(ctx context.Context, in *intake, source resource) error {
	if d.logs == nil {
		return nil
	}
	observed := time.Now()
	err := d.consume(ctx, in.convert(source, d.version, observed))
	if err == nil || !consume.IsPermanent(err) {
		return err
	}
	in.rejected = err
	d.logger.Error("Records refused for good by the pipeline; their body is quarantined", zap.Error(err))
	err = d.consume(ctx, in.quarantine(source, d.version, observed, err))
	if err != nil && consume.IsPermanent(err) {
		d.logger.Error("Quarantine refused for good by the pipeline as well; its records are lost",
			zap.Int("records", in.fresh), zap.Error(err))
		return nil
	}
	return err
}

func (d *delivery) consume(ctx context.Context, logs plog.Logs) error {
	ctx = d.obsreport.StartLogsOp(ctx)
	count := logs.LogRecordCount()
	err := d.logs.ConsumeLogs(ctx, logs)
	d.obsreport.EndLogsOp(ctx, metadata.Type.String(), count, err)
	return err
}
