// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// eventNames are the event names by kind of change.
var eventNames = [events.ChangeKinds]string{
	events.CallAdded:          names.EventEventCallAdd,
	events.CallChanged:        names.EventEventCallUpdate,
	events.CallRemoved:        names.EventEventCallRemove,
	events.InfoChanged:        names.EventEventCallInfoUpdate,
	events.ParticipantAdded:   names.EventEventParticipantAdd,
	events.ParticipantChanged: names.EventEventParticipantUpdate,
	events.ParticipantRemoved: names.EventEventParticipantRemove,
}

// putRecord writes a change as a log record. Messages have no time of their own, so the
// timestamp is their arrival.
func putRecord(lr plog.LogRecord, c *events.Change) {
	now := pcommon.NewTimestampFromTime(c.Time)
	lr.SetTimestamp(now)
	lr.SetObservedTimestamp(now)
	lr.SetEventName(eventNames[c.Kind])
	lr.SetSeverityNumber(plog.SeverityNumberInfo)
	lr.SetSeverityText("INFO")
	if isWarning(c.Reason) {
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		lr.SetSeverityText("WARN")
	}
	lr.Body().SetStr(describeChange(c))

	m := lr.Attributes()
	m.EnsureCapacity(len(c.Fields) + 5 + logrecord.StampAttributes)
	added := c.Kind == events.CallAdded || c.Kind == events.ParticipantAdded
	m.PutStr(names.CallID, c.Call)
	putIfSet(m, names.CallCorrelator, c.Correlator)
	putIfSet(m, names.CallName, redact.Text(string(c.CallName)))
	if c.Participant != "" {
		m.PutStr(names.ParticipantID, c.Participant)
		participantKeys.putFields(m, c.Fields, added)
		putIfSet(m, names.ParticipantReason, redact.Text(string(c.Reason)))
		return
	}
	callKeys.putFields(m, c.Fields, added)
	putIfSet(m, names.CallReason, redact.Text(string(c.Reason)))
}

func putIfSet(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}

// isWarning reports whether a removal deserves the severity WARN: the participant left
// because of a failure, or no server reported the end.
func isWarning(reason []byte) bool {
	switch string(reason) {
	case "":
		return false
	case events.LostConnection, events.NotListed, events.NotWatched:
		return true
	default:
		known, documented := names.LegReason(string(reason))
		return documented && known.Failure
	}
}
