// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/redact"
)

const (
	// malformedPerMinute is how many undecodable frames of one server are logged and
	// emitted per minute, maxMalformedBytes how much of each.
	malformedPerMinute = 10
	maxMalformedBytes  = 16 << 10
)

// malformedLimiter limits the emitted frames to malformedPerMinute.
type malformedLimiter struct {
	mu          sync.Mutex
	windowStart time.Time
	count       int
}

func (k *malformedLimiter) allow(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.windowStart) >= time.Minute {
		k.windowStart, k.count = now, 0
	}
	k.count++
	return k.count <= malformedPerMinute
}

// The values of error.type in a record.malformed event.
const (
	errorMalformedMessage = "malformed_message"
	errorUnknownMessage   = "unknown_message"
)

// emitMalformed logs that a frame is not understood, and emits its text as a record of its
// own. The text never goes into the log.
func (srv *server) emitMalformed(ctx context.Context, now time.Time, frame []byte, kind string, err error) {
	if !srv.malformedLimiter.allow(now) {
		return
	}
	srv.logger.Warn("A message cannot be decoded or is of an unknown type", zap.String("error.type", kind), zap.Error(err), zap.Int("bytes", len(frame)))
	// Clone: a prefix would keep the whole frame in memory.
	srv.queue.addMalformed(ctx, now, strings.Clone(redact.Prefix(string(frame), maxMalformedBytes)), kind, err.Error())
}

// putMalformed writes the record of a frame that is not understood. The caller has redacted
// text.
func putMalformed(lr plog.LogRecord, now time.Time, text, kind, reason string) {
	at := pcommon.NewTimestampFromTime(now)
	lr.SetTimestamp(at)
	lr.SetObservedTimestamp(at)
	lr.SetEventName(names.EventRecordMalformed)
	lr.SetSeverityNumber(plog.SeverityNumberError)
	lr.SetSeverityText("ERROR")
	if kind == errorUnknownMessage {
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		lr.SetSeverityText("WARN")
	}
	lr.Body().SetStr(text)
	lr.Attributes().PutStr(names.ErrorType, kind)
	lr.Attributes().PutStr(names.ErrorMessage, reason)
}
