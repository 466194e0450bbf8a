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

// item is a record that waits for the next consumer.
type item struct {
	record   syslog.Record
	resource *resource
}

// convert returns the log records of items, those of one bridge together.
func convert(items []item, version string) plog.Logs {
	logs := plog.NewLogs()
	groups := make(map[*resource]plog.LogRecordSlice)
	for i := range items {
		group, known := groups[items[i].resource]
		if !known {
			rl := logs.ResourceLogs().AppendEmpty()
			items[i].resource.put(rl.Resource().Attributes())
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

// appendRecord writes a record.
func appendRecord(to plog.LogRecordSlice, r *syslog.Record) {
	lr := to.AppendEmpty()
	lr.SetEventName(r.Kind.Event())
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(r.Observed))
	lr.SetTimestamp(lr.ObservedTimestamp())
	if when := r.Header.Time; when.Year() >= firstYear && when.Year() <= lastYear {
		lr.SetTimestamp(pcommon.NewTimestampFromTime(when))
	}
	lr.SetSeverityNumber(severityNumbers[r.Severity])
	lr.SetSeverityText(r.Severity.String())
	lr.Body().SetStr(string(logrecord.AppendPlain(nil, r.Text)))
	m := lr.Attributes()
	m.EnsureCapacity(len(r.Fields) + maxHeaderAttributes)
	putHeader(m, r)
	for i := range r.Fields {
		putField(m, &r.Fields[i])
	}
}

// Years that a timestamp has room for.
const (
	firstYear = 1970
	lastYear  = 2261
)

const maxHeaderAttributes = 8

// putHeader writes what a line says of itself, and the file that it is from.
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
	if file, isFile := strings.CutPrefix(r.Source, sourceFile); isFile {
		putText(m, names.LogFilePath, file)
	}
}

func putText(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, valid(value))
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
			members.PutStr(valid(p.Name), valid(p.Value))
		}
	default:
		m.PutStr(f.Key, valid(f.Text))
	}
}

// Prefixes of what Reader is told of where lines come from.
const (
	sourceFile  = "file:"
	sourcePeer  = "peer:"
	sourceOther = "wire:"
)

// sourceOf names the origin of lines. Bridges behind one relay have one source.
func sourceOf(from *lines.Origin) string {
	switch {
	case from.File != "":
		return sourceFile + from.File
	case from.Peer != "":
		return sourcePeer + from.Peer
	default:
		return sourceOther + from.Transport
	}
}

// bridgeOf is the bridge that a record is of.
func bridgeOf(r *syslog.Record) bridge {
	peer, isPeer := strings.CutPrefix(r.Source, sourcePeer)
	if !isPeer {
		peer = ""
	}
	return bridge{host: r.Header.Host, peer: peer}
}
