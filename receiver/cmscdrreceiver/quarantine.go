// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
)

// Messages about records that are kept as posted. Each is logged at most once a minute.
const (
	msgMalformed         = "Part of a body cannot be decoded; the logs pipeline gets its bytes as record.malformed"
	msgUnknownRecordType = "Record of an undocumented type; the logs pipeline gets its bytes as record.malformed"
	msgTooLarge          = "Record too large for attributes; the logs pipeline gets its bytes as record.malformed"
	msgExpands           = "Records would expand too much as events; the logs pipeline gets their bytes as record.malformed"
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
	from, to := b.recordsOf(c)
	for i := from; i < to; i++ {
		switch r := &b.decoded.Records[i]; {
		case b.records[i].isDuplicate:
		case len(r.Raw) > maxRecordBytes:
			tooLarge++
		case r.Type == cdr.TypeUnknown:
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
	a.warnKeptAsPosted(b, msgUnknownRecordType, outbox.Unknown, errorUnknownRecordType, unknown, nil)
	if tooLarge > 0 {
		a.warnKeptAsPosted(b, msgTooLarge, outbox.Accepted, errorTooLarge, tooLarge, fmt.Errorf("more than %d bytes", maxRecordBytes))
	}
}

// warnKeptAsPosted logs a number of parts, unless it is 0. The decoder's reasons contain no text
// of the body.
func (a *acceptor) warnKeptAsPosted(b *batch, message string, outcome outbox.Outcome, errorType string, parts int, reason error) {
	if parts > 0 {
		a.limitedLog.Warn(message, zap.String("client.address", b.request.ClientAddress), zap.Int("records", parts),
			zap.Stringer("outcome", outcome), zap.String(names.ErrorType, errorType), zap.Error(reason))
	}
}
