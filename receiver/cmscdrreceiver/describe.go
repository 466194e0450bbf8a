// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"cmp"
	"strconv"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// recordClass classifies the end of a leg.
type recordClass struct {
	severity plog.SeverityNumber
	// failure is the reason of a failed leg, in the guide's spelling, else "".
	failure string
}

// classifyLegEnd classifies a callLegEnd.
func classifyLegEnd(r *cdr.Record) recordClass {
	text, _ := r.Field(cdr.CallLegReason)
	known, documented := names.LegReason(text.Text)
	switch {
	case documented && known.Failure && isFromScanner(r, known):
		return recordClass{severity: plog.SeverityNumberWarn, failure: known.Name}
	case documented && known.Failure:
		return recordClass{severity: plog.SeverityNumberError, failure: known.Name}
	case len(r.Alarms) > 0, !documented && text.Text != "" && !remoteTeardown(r):
		return recordClass{severity: plog.SeverityNumberWarn}
	default:
		return recordClass{severity: plog.SeverityNumberInfo}
	}
}

// isFromScanner reports whether a callLegEnd is that of a network scanner. It returns false
// without a readable duration.
func isFromScanner(r *cdr.Record, reason names.Reason) bool {
	_, inCall := r.Field(cdr.CallLegCall)
	lasted, _ := r.Field(cdr.CallLegDurationSeconds)
	return lasted.Kind == cdr.KindDouble && reason.Scan(inCall, lasted.Double())
}

// remoteTeardown reports whether the far end hung up. It classifies reasons that the guide
// does not document.
func remoteTeardown(r *cdr.Record) bool {
	v, _ := r.Field(cdr.CallLegRemoteTeardown)
	return v.Kind == cdr.KindBool && v.Bool()
}

// describe returns the record as one line for people, the body of its log record.
func describe(r *cdr.Record) string {
	var room [160]byte
	line := bodyText(room[:0])
	switch r.Type {
	case cdr.CallStart:
		line.add("call started:").field(r, " ", cdr.CallCallType).quotedField(r, cdr.CallName)
	case cdr.CallEnd:
		line.add("call ended").secondsField(r, " after ", cdr.CallDurationSeconds)
		line.numberField(r, ", legs: ", cdr.CallCallLegsCompleted, "").numberField(r, ", most at once: ", cdr.CallCallLegsMaxActive, "")
	case cdr.CallLegStart:
		line.add("call leg started:").field(r, " ", cdr.CallLegDirection).field(r, " ", cdr.CallLegType)
		remote, local := " from ", " to "
		if v, _ := r.Field(cdr.CallLegDirection); v.Text == "outgoing" {
			remote, local = " to ", " as "
		}
		line.field(r, remote, cdr.CallLegRemoteParty).field(r, local, cdr.CallLegLocalAddress)
	case cdr.CallLegUpdate:
		describeUpdate(r, &line)
	case cdr.CallLegEnd:
		line.add("call leg ended").field(r, ": ", cdr.CallLegReason).secondsField(r, " after ", cdr.CallLegDurationSeconds).alarms(r)
	case cdr.RecordingStart:
		line.add("recording started").field(r, " at ", cdr.RecordingRecorderURI).field(r, " at ", cdr.RecordingRecorderURL)
	case cdr.RecordingEnd:
		line.add("recording ended")
	case cdr.StreamingStart:
		line.add("streaming started").field(r, " at ", cdr.StreamingStreamerURI).field(r, " at ", cdr.StreamingStreamerURL)
	case cdr.StreamingEnd:
		line.add("streaming ended")
	case cdr.TypeUnknown:
	}
	return string(line)
}

func describeUpdate(r *cdr.Record, line *bodyText) {
	line.add("call leg updated:")
	line.field(r, " ", cdr.CallLegState)
	if _, ok := r.Field(cdr.CallLegIvr); ok {
		line.add(" in the IVR")
	}
	if v, ok := r.Field(cdr.CallLegDeactivated); ok && v.Bool() {
		line.add(" in the lobby")
	}
	line.field(r, " in call ", cdr.CallLegCall)
}

// bodyText builds a line. Its methods add nothing if the record has no value.
type bodyText []byte

func (s *bodyText) add(text string) *bodyText {
	*s = append(*s, text...)
	return s
}

// maxShownBytes bounds a value in a line, in bytes. An attribute has the whole value.
const maxShownBytes = 512

// shortenText returns a value for a line. It redacts secrets before it cuts the text, because
// a cut secret may not be recognized.
func shortenText(text string) string {
	text = redact.Text(text)
	if len(text) <= maxShownBytes {
		return text
	}
	return clipText(text, maxShownBytes) + "…"
}

// wireText adds received text without secrets and line breaks.
func (s *bodyText) wireText(wire string) *bodyText {
	if len(wire) > maxShownBytes {
		wire = shortenText(wire)
	}
	*s = logrecord.AppendText(*s, wire)
	return s
}

func (s *bodyText) field(r *cdr.Record, before string, id cdr.FieldID) *bodyText {
	v, ok := r.Field(id)
	switch {
	case !ok || v.Text == "":
	case id == cdr.StreamingStreamURL:
		s.add(before).wireText(redact.URL(v.Text))
	case id == cdr.CallLegRemoteParty, id == cdr.CallLegLocalAddress:
		s.add(before).wireText(redact.Address(v.Text))
	default:
		s.add(before).wireText(v.Text)
	}
	return s
}

func (s *bodyText) quotedField(r *cdr.Record, id cdr.FieldID) *bodyText {
	if v, ok := r.Field(id); ok {
		*s = strconv.AppendQuote(append(*s, ' '), shortenText(v.Text))
	}
	return s
}

func (s *bodyText) numberField(r *cdr.Record, before string, id cdr.FieldID, after string) *bodyText {
	if v, ok := r.Field(id); ok {
		s.add(before).wireText(v.Text).add(after)
	}
	return s
}

func (s *bodyText) secondsField(r *cdr.Record, before string, id cdr.FieldID) *bodyText {
	return s.numberField(r, before, id, " s")
}

func (s *bodyText) alarms(r *cdr.Record) *bodyText {
	if len(r.Alarms) == 0 {
		return s
	}
	var buffer alarmBuffer
	merged := mergeAlarms(r.Alarms, buffer[:0])
	for i := range merged {
		s.add(", ").wireText(cmp.Or(merged[i].name, "alarm"))
		if percentage := merged[i].percentage.Text; percentage != "" {
			s.add(" ").wireText(percentage).add(" %")
		}
	}
	return s
}
