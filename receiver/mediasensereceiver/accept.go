// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/otel/limitedlog"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// acceptor accepts posted bodies.
type acceptor struct {
	outbox       outbox.Delivery
	windows      *DeduplicationConfig
	perTrack     bool
	accepted     *acceptedKeys
	namedSenders *namedSenders // nil without a subscription
	partitions   *partitionStates
	store        *stateStore
	metrics      *metricSet // nil without a metrics pipeline
	telemetry    *metadata.TelemetryBuilder
	logger       *zap.Logger
	limitedLog   *limitedlog.Logger
	resource     resourceBuilder
}

// accept returns nil if everything in the body is safe: accepted by the next consumer,
// now or before, or quarantined, and marked as accepted. After an error only the
// accepted chunks are marked.
func (a *acceptor) accept(ctx context.Context, request webhook.Request) error {
	b := newBatch(a, &request, time.Now())
	unlock, err := a.accepted.lock(ctx, b.keys)
	if err != nil {
		return err
	}
	defer unlock()
	b.findNewParts(a.accepted, a.windows)
	if b.pendingParts > 0 {
		b.isFromNamedSender = a.namedSenders.contains(request.ClientAddress)
		b.resource = a.resource.build(&request)
	}

	// From here on the work continues after the client hangs up: accepted events must be
	// marked and stored, or the receiver would accept them twice.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(request.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	err = a.outbox.Deliver(ctx, b, b.receivedAt)
	if err != nil {
		a.countRefused(ctx, b.pendingParts)
	}
	return errors.Join(err, a.store.save(ctx, a.accepted, a.partitions))
}

// MarkAccepted implements outbox.Body.
func (b *batch) MarkAccepted(ctx context.Context, c *outbox.Chunk) {
	a := b.acceptor
	if c.NewParts > 0 {
		a.accepted.markAccepted(b.entriesOf(c), b.receivedAt, b.isFromNamedSender)
		a.partitions.applyChunk(b, c)
		a.metrics.countChunk(ctx, b, c, a.logger)
	}
	a.countOutcomes(ctx, b, c)
	a.warnAboutQuarantine(b, c)
	b.pendingParts -= c.NewParts
}

// MarkSent implements outbox.Body. Events need no state between two payloads.
func (*batch) MarkSent(*outbox.Chunk, outbox.Progress) {}

// PutResource implements outbox.Body.
func (b *batch) PutResource(to pcommon.Map) { b.resource.putLogResource(to) }

// LogFields implements outbox.Body. Events have neither session nor index, so it gives
// their positions in the body and the sender.
func (b *batch) LogFields(c *outbox.Chunk, err error) []zap.Field {
	return []zap.Field{
		zap.Int("events", c.NewParts), zap.Int("first_event", c.From), zap.Int("last_event", c.To-1),
		zap.String("client.address", b.request.ClientAddress), zap.Error(err),
	}
}
