// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// listEvents are the events with what a bridge lists.
var listEvents = map[string]stitch.Kind{
	names.EventAPICallList:    stitch.Call,
	names.EventAPICallLegList: stitch.CallLeg,
}

// readList gives a part of a bridge's listing to the engine. One without a time or
// without a name of its bridge is passed over.
func (in *batchReader) readList(rl plog.ResourceLogs, lr plog.LogRecord, kind stitch.Kind, now time.Time) {
	attributes := lr.Attributes()
	rank, bridge := bridgeOf(rl.Resource().Attributes(), "")
	if lr.Timestamp() == 0 || bridge == "" {
		return
	}
	l := stitch.Listing{
		Bridge: stitch.Source{}.OnBridge(rank, bridge), Kind: kind, At: timeOf(lr), Started: start(attributes),
		Part: number(attributes, names.APIListPart), Parts: number(attributes, names.APIListParts),
	}
	if v, ok := attributes.Get(names.APIListIDs); ok && v.Type() == pcommon.ValueTypeSlice {
		for _, id := range v.Slice().All() {
			if id.Type() == pcommon.ValueTypeStr {
				l.IDs = append(l.IDs, id.Str())
			}
		}
	}
	in.engine.List(now, &l)
}

func start(attributes pcommon.Map) int64 {
	seconds, _ := integer(attributes, names.APIBridgeStart)
	return time.Unix(seconds, 0).UnixNano()
}

// number is a small number, 0 if there is none.
func number(attributes pcommon.Map, key string) int {
	n, _ := integer(attributes, key)
	if n < 0 || n > 1<<20 {
		return 0
	}
	return int(n)
}

// removeCall takes from an event subscription that a bridge removed a call. That its
// receiver lost the call from view is no removal.
func (in *batchReader) removeCall(lr plog.LogRecord, now time.Time) {
	switch text(lr.Attributes(), names.CallReason) {
	case names.ReasonLostConnection, names.ReasonNotWatched:
		return
	}
	if id := text(lr.Attributes(), names.CallID); id != "" {
		in.engine.RemoveCall(now, id, timeOf(lr))
	}
}
