// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/hex"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/stitch"
)

// traceChangeBatch is a batch of events about running calls that joined a conference.
type traceChangeBatch struct {
	logs  plog.Logs
	calls []changedCall
}

type changedCall struct {
	ref   stitch.Ref
	trace stitch.TraceID
}

// maxTraceChanges bounds the events of a batch.
const maxTraceChanges = 50

// sendTraceChanges sends events about running calls that joined a conference. more reports
// whether there were any. Refused events are retried, one by one after some failures; they
// delay no stitched records.
func (s *sender) sendTraceChanges(ctx context.Context) (more bool, err error) {
	size := maxTraceChanges
	if s.traceChangeRetry.failures >= triesBeforeSplit {
		size = 1
	}
	batch := s.takeTraceChanges(size)
	if len(batch.calls) == 0 {
		return false, nil
	}
	if err = s.consume(ctx, batch.logs); err != nil && !consume.IsPermanent(err) {
		s.retryLater(ctx, err, &s.traceChangeRetry)
		s.state.mu.Lock()
		defer s.state.mu.Unlock()
		for _, call := range batch.calls {
			s.state.engine.RetryTraceChange(call.ref)
		}
		return true, err
	}
	if err != nil {
		s.logger.Error("Events about calls that joined a conference refused by the next consumer with a permanent error; they are lost")
	}
	s.traceChangeRetry.reset()
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	for _, call := range batch.calls {
		s.state.engine.TraceChangeSent(call.ref, call.trace)
	}
	return true, nil
}

func (s *sender) takeTraceChanges(size int) *traceChangeBatch {
	b := &traceChangeBatch{logs: plog.NewLogs()}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	now := pcommon.NewTimestampFromTime(s.state.clock.now())
	s.state.engine.TakeTraceChanges(size, func(change *stitch.TraceChange) {
		rl := b.logs.ResourceLogs().AppendEmpty()
		decodeResource(change.Resource, rl)
		sl := rl.ScopeLogs().AppendEmpty()
		setScope(sl.Scope(), s.version)
		renderTraceChange(sl.LogRecords().AppendEmpty(), change, now)
		b.calls = append(b.calls, changedCall{change.Ref, change.Trace})
	})
	return b
}

// renderTraceChange writes the event of one call.
func renderTraceChange(to plog.LogRecord, change *stitch.TraceChange, now pcommon.Timestamp) {
	to.SetEventName(names.EventConferenceUpdate)
	to.SetTimestamp(now)
	to.SetObservedTimestamp(now)
	to.SetTraceID(pcommon.TraceID(change.Trace))
	to.SetSpanID(pcommon.SpanID(change.Span))
	to.SetSeverityNumber(plog.SeverityNumberInfo)
	to.SetSeverityText("INFO")
	to.Body().SetStr("call joined a conference: its trace is now " + hex.EncodeToString(change.Trace[:]))
	attributes := to.Attributes()
	attributes.EnsureCapacity(len(change.Context) + 1)
	attributes.PutStr(names.ConferencePreviousTraceID, hex.EncodeToString(change.Former[:]))
	for i := range change.Context {
		setValue(attributes.PutEmpty(change.Context[i].Key), change.Context[i].Value)
	}
}

// consume passes logs to the next consumer.
func (s *sender) consume(ctx context.Context, logs plog.Logs) error {
	s.setBusy(s.state.clock.now())
	err := s.next.ConsumeLogs(ctx, logs)
	s.setBusy(time.Time{})
	if err != nil && !consume.IsPermanent(err) {
		s.telemetry.ProcessorCallstitchSendFailures.Add(ctx, 1)
	}
	return err
}
