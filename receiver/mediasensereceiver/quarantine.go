// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/names"
)

// Messages about events that are kept as posted. Each is logged at most once a minute.
const (
	msgMalformed = "Part of a body cannot be decoded; the logs pipeline gets its bytes as record.malformed"
	msgUnknown   = "Undocumented event; the logs pipeline gets its bytes as record.unknown"
	msgTooLarge  = "Event too large for attributes; the logs pipeline gets its bytes as record.malformed"
	msgExpands   = "Events would expand too much as log records; the logs pipeline gets their bytes as record.malformed"
)

// warnAboutQuarantine logs the new parts of a chunk that are kept as posted, except after a
// refusal by the pipeline, which outbox.Delivery logs.
func (a *acceptor) warnAboutQuarantine(b *batch, c *outbox.Chunk) {
	switch {
	case c.NewParts == 0 || c.Lost:
		return
	case errors.Is(c.QuarantineReason, outbox.ErrRecordsTooLarge):
		a.warnKeptAsPosted(b, msgExpands, outbox.Malformed, errorExpands, c.NewParts, c.QuarantineReason)
		return
	case c.QuarantineReason != nil:
		return
	}
	unknown, tooLarge := 0, 0
	from, to := b.eventsOf(c)
	for i := from; i < to; i++ {
		switch e := &b.decoded.Events[i]; {
		case b.events[i].isDuplicate:
		case len(e.Raw) > maxEventBytes:
			tooLarge++
		case e.Type == event.TypeUnknown:
			unknown++
		}
	}
	malformed := 0
	var reason error // of the first malformed part
	from, to = b.malformedOf(c)
	for i := from; i < to; i++ {
		if b.malformed[i].isDuplicate {
			continue
		}
		if malformed++; reason == nil {
			reason = b.decoded.Malformed[i].Err
		}
	}
	a.warnKeptAsPosted(b, msgMalformed, outbox.Malformed, errorMalformed, malformed, reason)
	a.warnKeptAsPosted(b, msgUnknown, outbox.Unknown, errorUnknown, unknown, nil)
	if tooLarge > 0 {
		a.warnKeptAsPosted(b, msgTooLarge, outbox.Accepted, errorTooLarge, tooLarge, fmt.Errorf("more than %d bytes", maxEventBytes))
	}
}

// warnKeptAsPosted logs a number of parts, unless it is 0. The decoder's reasons contain no text
// of the body.
func (a *acceptor) warnKeptAsPosted(b *batch, message string, outcome outbox.Outcome, errorType string, parts int, reason error) {
	if parts > 0 {
		a.limitedLog.Warn(message, zap.String("client.address", b.request.ClientAddress), zap.Int("events", parts),
			zap.Stringer("outcome", outcome), zap.String(names.ErrorType, errorType), zap.Error(reason))
	}
}
