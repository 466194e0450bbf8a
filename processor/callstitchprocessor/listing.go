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

// listEvents are the events that contain a bridge's listing.
var listEvents = map[string]stitch.Kind{
	names.EventAPICallList:    stitch.Call,
	names.EventAPICallLegList: stitch.CallLeg,
}

// readList passes a part of a bridge's listing to the engine. It skips a record without a time
// or a bridge.
func (br *requestReader) readList(rl plog.ResourceLogs, lr plog.LogRecord, kind stitch.Kind, now time.Time) {
	attributes := lr.Attributes()
	rank, bridge := bridgeOf(rl.Resource().Attributes(), "")
	if lr.Timestamp() == 0 || bridge == "" {
		return
	}
	listing := stitch.Listing{
		Bridge: stitch.Source{}.OnBridge(rank, bridge), Kind: kind, At: timeOf(lr), Started: bridgeStart(attributes),
		Part: smallInteger(attributes, names.APIListPart), Parts: smallInteger(attributes, names.APIListParts),
	}
	if v, ok := attributes.Get(names.APIListIDs); ok && v.Type() == pcommon.ValueTypeSlice {
		for _, id := range v.Slice().All() {
			if id.Type() == pcommon.ValueTypeStr {
				listing.IDs = append(listing.IDs, id.Str())
			}
		}
	}
	br.engine.List(now, &listing)
}

func bridgeStart(attributes pcommon.Map) int64 {
	seconds, _ := integer(attributes, names.APIBridgeStart)
	return time.Unix(seconds, 0).UnixNano()
}

// smallInteger returns a small integer attribute, 0 if absent.
func smallInteger(attributes pcommon.Map, key string) int {
	n, _ := integer(attributes, key)
	if n < 0 || n > 1<<20 {
		return 0
	}
	return int(n)
}

// removeCall reports to the engine that a bridge removed a call. It ignores removals which
// only mean that the receiver no longer subscribes to the call. It returns true if the state
// changed.
func (br *requestReader) removeCall(lr plog.LogRecord, now time.Time) (changed bool) {
	switch text(lr.Attributes(), names.CallReason) {
	case names.ReasonLostConnection, names.ReasonNotWatched:
		return false
	}
	id := text(lr.Attributes(), names.CallID)
	return id != "" && br.engine.RemoveCall(now, id, timeOf(lr))
}
