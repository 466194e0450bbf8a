// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"time"

	"github.com/legato-otel/legato/internal/names"
)

// Kind is the kind of a record.
type Kind uint8

// The kinds of records. The name of a kind is a label of metrics.
const (
	KindLine     Kind = iota // any other line
	KindUnparsed             // a line without a date
	KindRequest              // an API request, from several lines
	KindAudit                // an API user created, modified or deleted an object
	KindConferenceIDs
	KindCallLegIDs
	KindOutgoing
	KindIncoming
	KindRinging
	KindJoin
	KindLeave
	KindUnencrypted
	KindCommand
	KindWebApp
	// Faults that Cisco's troubleshooting notes describe.
	KindRecorderMissing
	KindNFSMountFailed
	KindDatabaseFatal
	KindC2WDown
	KindSSOError
	KindHandshakeError
	KindFallback
	KindCount
)

// kindProperties holds the constants of each kind.
var kindProperties = [KindCount]struct {
	name, event string
	minSeverity Severity // the lowest severity of its records
	fault       bool
}{
	KindLine:            {name: "line", event: names.EventSyslogLine},
	KindUnparsed:        {name: "unparsed", event: names.EventSyslogUnparsed},
	KindRequest:         {name: "api_request", event: names.EventAPIRequest},
	KindAudit:           {name: "api_audit", event: names.EventAPIAudit},
	KindConferenceIDs:   {name: "conference_ids", event: names.EventSyslogConferenceIDs},
	KindCallLegIDs:      {name: "call_leg_ids", event: names.EventSyslogCallLegIDs},
	KindOutgoing:        {name: "call_outgoing", event: names.EventSyslogCallOutgoing},
	KindIncoming:        {name: "call_incoming", event: names.EventSyslogCallIncoming},
	KindRinging:         {name: "call_ringing", event: names.EventSyslogCallRinging},
	KindJoin:            {name: "participant_join", event: names.EventSyslogParticipantJoin},
	KindLeave:           {name: "participant_leave", event: names.EventSyslogParticipantQuit},
	KindUnencrypted:     {name: "conference_unencrypted", event: names.EventSyslogUnencrypted},
	KindCommand:         {name: "cli_command", event: names.EventSyslogCommand},
	KindWebApp:          {name: "web_app_audit", event: names.EventSyslogWebAppAudit},
	KindRecorderMissing: {name: "recorder_missing", event: names.EventSyslogRecorderMissing, minSeverity: SeverityError, fault: true},
	KindNFSMountFailed:  {name: "nfs_mount_failed", event: names.EventSyslogNFSMountFailed, minSeverity: SeverityError, fault: true},
	KindDatabaseFatal:   {name: "database_fatal", event: names.EventSyslogDatabaseFatal, minSeverity: SeverityError, fault: true},
	KindC2WDown:         {name: "c2w_down", event: names.EventSyslogC2WDown, minSeverity: SeverityError, fault: true},
	KindSSOError:        {name: "sso_error", event: names.EventSyslogSSOError, minSeverity: SeverityError, fault: true},
	KindHandshakeError:  {name: "handshake_error", event: names.EventSyslogHandshakeError, minSeverity: SeverityWarn, fault: true},
	KindFallback:        {name: "unencrypted_fallback", event: names.EventSyslogFallback, minSeverity: SeverityWarn, fault: true},
}

// String returns the name of the kind.
func (k Kind) String() string { return kindProperties[k].name }

// Event returns the name of the event.
func (k Kind) Event() string { return kindProperties[k].event }

// Fault reports whether records of the kind indicate a fault.
func (k Kind) Fault() bool { return kindProperties[k].fault }

// Severity of a record.
type Severity uint8

// Severities, in order.
const (
	SeverityDebug Severity = iota
	SeverityInfo
	SeverityWarn
	SeverityError
	SeverityFatal
	SeverityCount
)

var severityNames = [SeverityCount]string{"DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

func (s Severity) String() string { return severityNames[s] }

var severityByName = map[string]Severity{
	"emerg": SeverityFatal, "alert": SeverityFatal, "crit": SeverityFatal, "err": SeverityError,
	"warning": SeverityWarn, "notice": SeverityInfo, "info": SeverityInfo, "debug": SeverityDebug,
}

// severity returns the severity of a line: from the LEVEL of the process, else from the
// text "user.info" of the bridge's logger, else from the priority, which a relay may have
// set.
func (h *Header) severity() Severity {
	if s, known := severityByLevel[h.Level]; known {
		return s
	}
	if s, known := severityByExportLevel[h.Level]; known {
		return s
	}
	if s, known := severityByName[h.Severity]; known {
		return s
	}
	return SeverityInfo
}

var severityByExportLevel = map[string]Severity{"Debug": SeverityDebug, "Info": SeverityInfo, "Warning": SeverityWarn, "Error": SeverityError}

// Field is an attribute of a record: a text, a number or a map.
type Field struct {
	Key   string
	Type  FieldType
	Text  string
	Int   int64
	Float float64
	Map   []Pair
}

// FieldType selects the part of a Field that holds its value.
type FieldType uint8

// Types of fields.
const (
	TypeText FieldType = iota
	TypeInt
	TypeFloat
	TypeMap
)

// Pair is a member of a map.
type Pair struct{ Name, Value string }

// Record is one event, without secrets. It is valid until the next use of its Reader.
type Record struct {
	Kind Kind
	// Header is the header of the line, or of the first line of a request. Its Time is
	// zero without a date.
	Header Header
	// Source is the sender as the caller of Read named it.
	Source string
	// Observed is the arrival of the line, or of the first line of a request.
	Observed time.Time
	Severity Severity
	// Text describes the event in one line for people.
	Text string
	// Fields are the attributes, with unique keys.
	Fields []Field
	// Redacted is true if a secret was replaced or withheld.
	Redacted bool
	// Request is for the metrics, nil unless Kind is KindRequest.
	Request *Request
}

// Request holds the values of an API request for the metrics.
type Request struct {
	// Method and Route are "" if the first line of the request is missing. The number
	// of different routes is bounded.
	Method, Route string
	// Status is 0 without a response.
	Status int
	// Duration is the time from request to response, if both were seen.
	Duration    time.Duration
	HasDuration bool
	// Incomplete is the reason why the request is incomplete, or "".
	Incomplete string
}

func (r *Record) putText(key, value string) {
	if value != "" && !r.has(key) {
		r.Fields = append(r.Fields, Field{Key: key, Text: value})
	}
}

func (r *Record) putInt(key string, value int64) {
	if !r.has(key) {
		r.Fields = append(r.Fields, Field{Key: key, Type: TypeInt, Int: value})
	}
}

func (r *Record) putFloat(key string, value float64) {
	r.Fields = append(r.Fields, Field{Key: key, Type: TypeFloat, Float: value})
}

func (r *Record) putMap(key string, pairs []Pair) {
	if len(pairs) > 0 {
		r.Fields = append(r.Fields, Field{Key: key, Type: TypeMap, Map: pairs})
	}
}

func (r *Record) has(key string) bool {
	for i := range r.Fields {
		if r.Fields[i].Key == key {
			return true
		}
	}
	return false
}
