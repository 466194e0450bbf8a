// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/consume"
	"github.com/legato-otel/legato/internal/posted"
	"github.com/legato-otel/legato/internal/recent"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// delivery takes a body to the next consumer.
type delivery struct {
	logs      consumer.Logs // nil if there is no logs pipeline
	windows   *DeduplicationConfig
	perTrack  bool
	known     *recent.Set
	disks     *partitions
	store     *stateStore
	measures  *measures // nil if there is no metrics pipeline
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	resource  resourceBuilder
	version   string
}

// accept returns nil if everything in the body is safe: taken by the next
// consumer now or before, or quarantined, and noted as known. After an error
// nothing is noted but what was taken.
func (d *delivery) accept(ctx context.Context, req posted.Request) error {
	in := newIntake(&req, time.Now())
	unlock, err := d.known.Lock(ctx, in.keys)
	if err != nil {
		return err
	}
	defer unlock()
	in.judge(d.known, d.windows)

	// From here on a client that hangs up is not the end: events that were
	// taken must be noted and stored, or they would be taken again.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(req.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	if in.anythingNew() {
		source := d.resource.build(&req)
		if err := d.forward(ctx, in, &source); err != nil {
			d.countRefused(ctx, in)
			return err
		}
		d.known.Accept(in.entries, in.received)
		d.disks.apply(in)
		d.measures.record(ctx, in, &source, d.logger)
	}
	d.count(ctx, in)
	return d.store.save(ctx, d.known, d.disks)
}

// forward hands the new part of a body on. What the pipeline refuses for good
// is not sent to it again, as the contract of consumers asks; the body goes to
// quarantine instead.
func (d *delivery) forward(ctx context.Context, in *intake, source *resource) error {
	if d.logs == nil {
		return nil
	}
	err := d.consume(ctx, d.convert(in, source))
	if err == nil || !consume.IsPermanent(err) {
		return err
	}
	in.rejected = err
	d.logger.Error("Events refused for good by the pipeline; their body is quarantined", zap.Error(err))
	err = d.consume(ctx, d.quarantine(in, source, err))
	if err != nil && consume.IsPermanent(err) {
		d.logger.Error("Quarantine refused for good by the pipeline as well; its events are lost",
			zap.Int("events", in.fresh), zap.Error(err))
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
