// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"time"

	"github.com/legato-otel/legato/internal/names"
)

// Kind is what a record is about.
type Kind uint8

// Kinds of records. The name of a kind is a metric's label.
const (
	KindLine     Kind = iota // a line without an event of its own
	KindUnparsed             // a line without a date
	KindRequest              // an API request, of many lines
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
	// Faults, the signs of which Cisco's notes name.
	KindRecorderMissing
	KindNFSMountFailed
	KindDatabaseFatal
	KindC2WDown
	KindSSOError
	KindHandshakeError
	KindFallback
	KindCount
)

// kinds holds what is fixed for a kind.
var kinds = [KindCount]struct {
	name, event string
	least       Severity // of its records
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
	KindRecorderMissing: {name: "recorder_missing", event: names.EventSyslogRecorderMissing, least: SeverityError, fault: true},
	KindNFSMountFailed:  {name: "nfs_mount_failed", event: names.EventSyslogNFSMountFailed, least: SeverityError, fault: true},
	KindDatabaseFatal:   {name: "database_fatal", event: names.EventSyslogDatabaseFatal, least: SeverityError, fault: true},
	KindC2WDown:         {name: "c2w_down", event: names.EventSyslogC2WDown, least: SeverityError, fault: true},
	KindSSOError:        {name: "sso_error", event: names.EventSyslogSSOError, least: SeverityError, fault: true},
	KindHandshakeError:  {name: "handshake_error", event: names.EventSyslogHandshakeError, least: SeverityWarn, fault: true},
	KindFallback:        {name: "unencrypted_fallback", event: names.EventSyslogFallback, least: SeverityWarn, fault: true},
}

// String returns the name of the kind.
func (k Kind) String() string { return kinds[k].name }

// Event returns the name of the event.
func (k Kind) Event() string { return kinds[k].event }

// Fault tells whether records of the kind say that something is broken.
func (k Kind) Fault() bool { return kinds[k].fault }

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

var severityOfText = map[string]Severity{
	"emerg": SeverityFatal, "alert": SeverityFatal, "crit": SeverityFatal, "err": SeverityError,
	"warning": SeverityWarn, "notice": SeverityInfo, "info": SeverityInfo, "debug": SeverityDebug,
}

// severity returns the severity of a line. The process's own LEVEL counts before the
// text "user.info", which the bridge's logger writes, and that before the priority,
// which a relay may have set.
func (h *Header) severity() Severity {
	if s, known := levels[h.Level]; known {
		return s
	}
	if s, known := levelsOfExport[h.Level]; known {
		return s
	}
	if s, known := severityOfText[h.Severity]; known { // of the priority without a text
		return s
	}
	return SeverityInfo
}

var levelsOfExport = map[string]Severity{"Debug": SeverityDebug, "Info": SeverityInfo, "Warning": SeverityWarn, "Error": SeverityError}

// Field is an attribute of a record: a text, a number or a map.
type Field struct {
	Key   string
	Type  FieldType
	Text  string
	Int   int64
	Float float64
	Map   []Pair
}

// FieldType says which part of a Field holds its value.
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

// Record is one event. It holds no secret. It is valid until Reader is used again.
type Record struct {
	Kind Kind
	// Header of the line, of a request's first line. Time is zero if no line had one.
	Header Header
	// Source is whatever the caller named the line's origin.
	Source string
	// Observed is when the line came, the first of a request's.
	Observed time.Time
	Severity Severity
	// Text is the event in one line for people.
	Text string
	// Fields are attributes, of which each key occurs once.
	Fields []Field
	// Redacted tells that a secret was replaced or withheld.
	Redacted bool
	// Request is what metrics count, nil unless Kind is KindRequest.
	Request *Request
}

// Request is what metrics count of an API request.
type Request struct {
	// Method and Route are "" if the request's first line is missing. Route is one
	// of a bounded number of texts.
	Method, Route string
	// Status is 0 if there was no response.
	Status int
	// Duration from request to response, if both were seen.
	Duration    time.Duration
	HasDuration bool
	// Incomplete says what is missing, "" if nothing is.
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
