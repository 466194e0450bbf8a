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
	resource     resourceBuilder
}

// accept returns nil if everything in the body is safe: accepted by the next consumer,
// now or before, or quarantined, and marked as accepted. After an error only the
// accepted chunks are marked.
func (a *acceptor) accept(ctx context.Context, request webhook.Request) error {
	in := newBatch(a, &request, time.Now())
	unlock, err := a.accepted.lock(ctx, in.keys)
	if err != nil {
		return err
	}
	defer unlock()
	in.findNewParts(a.accepted, a.windows)
	if in.pendingParts > 0 {
		in.isFromNamedSender = a.namedSenders.contains(request.ClientAddress)
		in.resource = a.resource.build(&request)
	}

	// From here on the work continues after the client hangs up: accepted events must be
	// marked and stored, or the receiver would accept them twice.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(request.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	err = a.outbox.Deliver(ctx, in, in.receivedAt)
	if err != nil {
		a.countRefused(ctx, in.pendingParts)
	}
	return errors.Join(err, a.store.save(ctx, a.accepted, a.partitions))
}

// MarkAccepted implements outbox.Body.
func (in *batch) MarkAccepted(ctx context.Context, c *outbox.Chunk) {
	a := in.acceptor
	if c.NewParts > 0 {
		a.accepted.markAccepted(in.entriesOf(c), in.receivedAt, in.isFromNamedSender)
		a.partitions.applyChunk(in, c)
		a.metrics.countChunk(ctx, in, c, a.logger)
	}
	a.countOutcomes(ctx, in, c)
	in.pendingParts -= c.NewParts
}

// MarkSent implements outbox.Body. Events need no state between two payloads.
func (*batch) MarkSent(*outbox.Chunk, outbox.Progress) {}

// PutResource implements outbox.Body.
func (in *batch) PutResource(to pcommon.Map) { in.resource.putLogResource(to) }

// LogFields implements outbox.Body. Events have neither session nor index, so it gives
// their positions in the body and the sender.
func (in *batch) LogFields(c *outbox.Chunk, err error) []zap.Field {
	return []zap.Field{
		zap.Int("events", c.NewParts), zap.Int("first_event", c.From), zap.Int("last_event", c.To-1),
		zap.String("client.address", in.request.ClientAddress), zap.Error(err),
	}
}
