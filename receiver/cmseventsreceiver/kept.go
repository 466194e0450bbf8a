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
	// keptPerMinute is how many frames of one server are kept and logged in a
	// minute, and keptBytes how much of each.
	keptPerMinute = 10
	keptBytes     = 16 << 10
)

// keptLimit bounds the frames that are kept.
type keptLimit struct {
	mu    sync.Mutex
	began time.Time
	n     int
}

func (k *keptLimit) allow(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.began) >= time.Minute {
		k.began, k.n = now, 0
	}
	k.n++
	return k.n <= keptPerMinute
}

// What error.type says of a record.malformed event.
const (
	errorMalformedMessage = "malformed_message"
	errorUnknownMessage   = "unknown_message"
)

// keep logs that a frame is not understood, and passes it on as a record of its
// own, so that nothing a server says is lost. Text never goes into the log.
func (l *link) keep(ctx context.Context, now time.Time, frame []byte, kind string, err error) {
	if !l.kept.allow(now) {
		return
	}
	l.logger.Warn("A message is not understood", zap.String("error.type", kind), zap.Error(err), zap.Int("bytes", len(frame)))
	// A copy: the prefix of a long frame would keep all of it in memory.
	l.queue.addRaw(ctx, now, strings.Clone(redact.Prefix(string(frame), keptBytes)), kind, err.Error())
}

// putRaw writes a frame that is not understood. The secrets that can be recognized
// are not in text any more.
func putRaw(lr plog.LogRecord, now time.Time, text, kind, reason string) {
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
