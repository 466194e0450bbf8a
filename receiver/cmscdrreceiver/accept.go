// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/otel/limitedlog"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// acceptor accepts posted bodies. Its method accept alone decides whether a Call Bridge
// may delete its records.
type acceptor struct {
	outbox          outbox.Delivery
	ledger          *ledger.Ledger
	store           *ledgerStore
	metrics         *metricSet // nil without a metrics pipeline
	telemetry       *metadata.TelemetryBuilder
	logger          *zap.Logger
	resource        resourceBuilder
	batches         batchPool
	overlapWarnings warnLimiter
	limitedLog      *limitedlog.Logger
}

// accept returns nil if everything in the body is safe: accepted by the next consumer,
// now or before, or quarantined, and marked in the ledger. After an error only the
// accepted chunks are marked: the Call Bridge must send the body again for the rest.
func (a *acceptor) accept(ctx context.Context, request webhook.Request) error {
	b := a.batches.get(a, request)
	defer a.batches.put(b)

	// The work continues after the client hangs up: accepted records must be marked and
	// stored, or the receiver would accept them twice.
	workCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(request.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	err := a.acceptDecoded(ctx, workCtx, b)
	for err == nil && b.decodeNext() {
		err = a.acceptDecoded(ctx, workCtx, b)
	}
	return errors.Join(err, a.store.save(workCtx, a.ledger, b.changedSessions, b.evictedSessions))
}

// acceptDecoded accepts the parts (records and malformed pieces) of the batch that was decoded
// last, and stores nothing. ctx ends with the client's request and bounds only the wait for
// the session's lock; workCtx continues after the client has gone.
func (a *acceptor) acceptDecoded(ctx, workCtx context.Context, b *batch) error {
	if err := b.lockSession(ctx, a.ledger); err != nil {
		return err
	}
	defer b.unlockSession(a.ledger)
	b.findNewParts(&a.ledger.ContentHashes) // parts without an index are recognized by their content
	if b.pendingParts > 0 {
		b.resource = a.resource.build(b, b.request)
	}
	err := a.outbox.Deliver(workCtx, b, time.Now())
	if err != nil {
		a.countRefused(workCtx, b.pendingParts)
	}
	if b.session != nil && b.session.HasChanges() {
		b.changedSessions = append(b.changedSessions, b.session.ID())
	}
	return err
}

// MarkAccepted implements outbox.Body.
func (b *batch) MarkAccepted(ctx context.Context, c *outbox.Chunk) {
	a := b.acceptor
	if c.NewParts > 0 {
		mustReport := b.requestInfo.SessionStart.MustReport
		result := b.markInLedger(a.ledger, c) // clears SessionStart when numbered records are marked
		b.evictedSessions = append(b.evictedSessions, result.EvictedSessions...)
		if result.OverlappingSession != "" {
			a.reportOverlap(ctx, b)
		}
		startsSession := mustReport && !b.requestInfo.SessionStart.MustReport
		a.metrics.countChunk(ctx, b, c, startsSession, a.logger)
	}
	a.countOutcomes(ctx, b, c)
	a.warnAboutQuarantine(b, c)
	b.pendingParts -= c.NewParts
}

// PutResource implements outbox.Body.
func (b *batch) PutResource(to pcommon.Map) { b.resource.putLogResource(to) }

// LogFields implements outbox.Body. The session's id is text of the sender, and is left out
// unless it looks like a GUID.
func (b *batch) LogFields(c *outbox.Chunk, err error) []zap.Field {
	fields := []zap.Field{zap.Int("records", c.NewParts), zap.Error(err)}
	if isID(b.decoded.Session) {
		fields = append(fields, zap.String("session", b.decoded.Session))
	}
	if entries, _, _ := b.ledgerEntriesOf(c); len(entries) > 0 {
		first, last := entries[0].Index, entries[0].Index
		for _, e := range entries {
			first, last = min(first, e.Index), max(last, e.Index)
		}
		fields = append(fields, zap.Uint64("first_index", first), zap.Uint64("last_index", last))
	}
	return fields
}

// isID reports whether text consists of hexadecimal digits and hyphens, as a GUID does.
func isID(text string) bool {
	const maxLength = 64
	return text != "" && len(text) <= maxLength && strings.Trim(text, "0123456789abcdefABCDEF-") == ""
}
