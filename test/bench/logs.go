// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// logSource makes log records of a stream, as the receiver would of its posts.
type logSource struct {
	*stream
	resource pcommon.Resource // of the Call Bridge
	now      pcommon.Timestamp

	events []event
	texts  []byte
}

func newLogSource(s *stream) *logSource {
	l := &logSource{stream: s, resource: pcommon.NewResource(), now: pcommon.NewTimestampFromTime(time.Now())}
	s.world.resource.CopyTo(l.resource)
	session, callBridge := laneNames(s.lane)
	l.resource.Attributes().PutStr(names.SessionID, session)
	l.resource.Attributes().PutStr(names.CallBridgeID, callBridge)
	l.resource.Attributes().PutStr(names.ServiceInstanceID, callBridge)
	return l
}

// laneNames are the session and the Call Bridge of a stream or a connection.
func laneNames(lane uint32) (session, callBridge string) {
	return fmt.Sprintf("490f4dca-f8a5-49c5-af1e-%012x", lane), fmt.Sprintf("cff946a1-aca9-42e2-9b19-%012x", lane)
}

// simulatedStart is when the first record of a stream was written, by the
// bridge's clock.
var simulatedStart = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

// recordTime is when a record of a stream was written: a busy bridge writes
// some hundred a second, with times in whole seconds.
func recordTime(index uint64) time.Time {
	const perSecond = 128
	return simulatedStart.Add(time.Duration(index/perSecond) * time.Second) //nolint:gosec // counted up from 0
}

// batch returns the next n records, fewer only at the end.
func (l *logSource) batch(n int) plog.Logs {
	logs := plog.NewLogs()
	records := appendScope(logs, l.resource, "github.com/legato-otel/legato/receiver/cmscdrreceiver")
	records.EnsureCapacity(n)
	fromProxy := records // of the event log, which has a resource of its own
	if l.world.dialogs > 0 {
		fromProxy = appendScope(logs, l.world.proxy, "github.com/legato-otel/legato/receiver/ocmsreceiver")
	}

	l.events, l.texts = l.events[:0], l.texts[:0]
	for len(l.events) < n {
		e, ok := l.next()
		if !ok {
			break
		}
		l.events = append(l.events, e)
		l.texts = l.world.records[e.record].appendText(l.texts, tag(e.generation))
	}
	texts := string(l.texts)
	for _, e := range l.events {
		of := records
		if l.world.records[e.record].fromProxy {
			of = fromProxy
		}
		log := of.AppendEmpty()
		texts = l.world.records[e.record].put(log, e.index, texts)
		log.SetTimestamp(pcommon.NewTimestampFromTime(recordTime(e.index)))
		log.SetObservedTimestamp(l.now)
	}
	return logs
}

func appendScope(logs plog.Logs, resource pcommon.Resource, scope string) plog.LogRecordSlice {
	rl := logs.ResourceLogs().AppendEmpty()
	resource.CopyTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(scope)
	return sl.LogRecords()
}
