// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ingest/lines"
	"github.com/legato-otel/legato/internal/meetingserver/syslog"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

// pendingRecord is a record that has not been delivered.
type pendingRecord struct {
	record   syslog.Record
	resource *resource
}

// toLogs returns the log records of items, those of one bridge together.
func toLogs(items []pendingRecord, version string) plog.Logs {
	logs := plog.NewLogs()
	groups := make(map[*resource]plog.LogRecordSlice)
	for i := range items {
		group, known := groups[items[i].resource]
		if !known {
			rl := logs.ResourceLogs().AppendEmpty()
			items[i].resource.putTo(rl.Resource().Attributes())
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(metadata.ScopeName)
			sl.Scope().SetVersion(version)
			group = sl.LogRecords()
			groups[items[i].resource] = group
		}
		appendRecord(group, &items[i].record)
	}
	return logs
}

var severityNumbers = [syslog.SeverityCount]plog.SeverityNumber{
	syslog.SeverityDebug: plog.SeverityNumberDebug, syslog.SeverityInfo: plog.SeverityNumberInfo, syslog.SeverityWarn: plog.SeverityNumberWarn,
	syslog.SeverityError: plog.SeverityNumberError, syslog.SeverityFatal: plog.SeverityNumberFatal,
}

// appendRecord appends the log record of a record.
func appendRecord(to plog.LogRecordSlice, r *syslog.Record) {
	lr := to.AppendEmpty()
	lr.SetEventName(r.Kind.Event())
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(r.Observed))
	lr.SetTimestamp(lr.ObservedTimestamp())
	if timestamp := r.Header.Time; timestamp.Year() >= firstYear && timestamp.Year() <= lastYear {
		lr.SetTimestamp(pcommon.NewTimestampFromTime(timestamp))
	}
	lr.SetSeverityNumber(severityNumbers[r.Severity])
	lr.SetSeverityText(r.Severity.String())
	lr.Body().SetStr(string(logrecord.AppendRedacted(nil, r.Text)))
	m := lr.Attributes()
	m.EnsureCapacity(len(r.Fields) + maxHeaderAttributes + stampAttributes(r))
	putHeader(m, r)
	for i := range r.Fields {
		putField(m, &r.Fields[i])
	}
}

// firstYear and lastYear are the years that a timestamp can represent.
const (
	firstYear = 1970
	lastYear  = 2261
)

const maxHeaderAttributes = 8

// stampAttributes returns how many attributes callstitch may add to a record: none unless the
// record names a call, which few lines do.
func stampAttributes(r *syslog.Record) int {
	for i := range r.Fields {
		switch r.Fields[i].Key {
		case names.CallID, names.CallLegID, names.ParticipantID, names.CallCorrelator, names.CoSpaceID:
			return logrecord.StampAttributes
		}
	}
	return 0
}

// putHeader writes the attributes of the header, and the path of the file.
func putHeader(m pcommon.Map, r *syslog.Record) {
	h := &r.Header
	if h.Priority >= 0 {
		m.PutInt(names.SyslogPriority, int64(h.Priority))
	}
	putText(m, names.SyslogFacility, h.Facility)
	putText(m, names.SyslogSeverity, h.Severity)
	putText(m, names.SyslogTag, h.Tag)
	putText(m, names.SyslogLevel, h.Level)
	putText(m, names.ContainerID, h.Container)
	if pid, err := strconv.ParseInt(h.PID, 10, 64); err == nil {
		m.PutInt(names.ProcessPID, pid)
	}
	if file, isFile := strings.CutPrefix(r.Source, filePrefix); isFile {
		putText(m, names.LogFilePath, file)
	}
}

func putText(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, validUTF8(value))
	}
}

func putField(m pcommon.Map, f *syslog.Field) {
	switch f.Type {
	case syslog.TypeInt:
		m.PutInt(f.Key, f.Int)
	case syslog.TypeFloat:
		m.PutDouble(f.Key, f.Float)
	case syslog.TypeMap:
		members := m.PutEmptyMap(f.Key)
		members.EnsureCapacity(len(f.Map))
		for _, p := range f.Map {
			members.PutStr(validUTF8(p.Name), validUTF8(p.Value))
		}
	default:
		m.PutStr(f.Key, validUTF8(f.Text))
	}
}

// The prefixes of the senders that Reader gets.
const (
	filePrefix      = "file:"
	peerPrefix      = "peer:"
	transportPrefix = "wire:"
)

// sourceOf returns the sender of lines for Reader. Bridges behind one relay share a sender.
func sourceOf(from *lines.Origin) string {
	switch {
	case from.File != "":
		return filePrefix + from.File
	case from.Peer != "":
		return peerPrefix + from.Peer
	default:
		return transportPrefix + from.Transport
	}
}

// bridgeOf returns the bridge that wrote a record.
func bridgeOf(r *syslog.Record) bridge {
	peer, isPeer := strings.CutPrefix(r.Source, peerPrefix)
	if !isPeer {
		peer = ""
	}
	return bridge{host: r.Header.Host, peer: peer}
}
