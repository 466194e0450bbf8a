// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"cmp"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/meetingserver/completeness"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// putCompleteness compares the number of records that the bridge has created with the
// positions of the receivers of this process, and adds an event for each change.
func (t *target) putCompleteness(to plog.LogRecordSlice, r *reading) {
	created := r.status.CDRCorrelatorIndex
	if created == nil || r.start.IsZero() {
		return
	}
	positions, receivers := completeness.Positions(t.identity.callBridge, t.system())
	for _, c := range t.watch.Observe(completeness.Observation{
		At: r.at, Start: r.start, Created: uint64(*created), Positions: positions, Receivers: receivers, //nolint:gosec // object.Status has no negative ones
	}) {
		putCompletenessChange(to.AppendEmpty(), &c, pcommon.NewTimestampFromTime(r.at))
	}
}

// system returns the name that the operator gave the bridge, or "".
func (t *target) system() string {
	for _, kv := range t.configured {
		if kv.Key == names.SystemID {
			return kv.Value.AsString()
		}
	}
	return ""
}

func putCompletenessChange(lr plog.LogRecord, c *completeness.Change, now pcommon.Timestamp) {
	lr.SetTimestamp(now)
	lr.SetObservedTimestamp(now)
	m := lr.Attributes()
	if c.Receiver != "" {
		m.PutStr(names.RecordReceiver, c.Receiver)
	}
	m.PutInt(names.RecordCreatedIndex, int64(c.Created)) //nolint:gosec // it was one
	if c.HasPosition {
		m.PutInt(names.RecordReceived, int64(c.Position)) //nolint:gosec // an index of the API's size
	}
	at := cmp.Or(c.Receiver, "any receiver")
	if c.Problem == "" {
		lr.SetEventName(names.EventRecordsComplete)
		logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
		lr.Body().SetStr("call detail records arrive again at " + at)
		return
	}
	lr.SetEventName(names.EventRecordsIncomplete)
	logrecord.SetSeverity(lr, plog.SeverityNumberError)
	m.PutStr(names.ErrorType, string(c.Problem))
	switch c.Problem {
	case completeness.Behind:
		lr.Body().SetStr(fmt.Sprintf("call detail records do not arrive at %s: the Call Bridge has created %d, and the position is %d", at, c.Created, c.Position))
	default:
		lr.Body().SetStr(fmt.Sprintf("call detail records do not arrive at %s: the Call Bridge creates some, %d since its start, and none came", at, c.Created))
	}
}
