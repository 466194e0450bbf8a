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

// ending says how a leg ended and whether somebody should look.
type ending struct {
	severity plog.SeverityNumber
	// failure is the reason, in the guide's spelling, of a leg that ended
	// because something failed; "" otherwise.
	failure string
}

// endingOf classifies a callLegEnd.
func endingOf(r *cdr.Record) ending {
	text, _ := r.Field(cdr.CallLegReason)
	known, documented := names.LegReason(text.Text)
	switch {
	case documented && known.Failure && isScan(r, known):
		return ending{severity: plog.SeverityNumberWarn, failure: known.Name}
	case documented && known.Failure:
		return ending{severity: plog.SeverityNumberError, failure: known.Name}
	case len(r.Alarms) > 0, !documented && text.Text != "" && !remoteTeardown(r):
		return ending{severity: plog.SeverityNumberWarn}
	default:
		return ending{severity: plog.SeverityNumberInfo}
	}
}

// isScan tells whether a callLegEnd is a scanner's. Without a readable duration
// it is not.
func isScan(r *cdr.Record, reason names.Reason) bool {
	_, inCall := r.Field(cdr.CallLegCall)
	lasted, _ := r.Field(cdr.CallLegDurationSeconds)
	return lasted.Kind == cdr.KindDouble && reason.Scan(inCall, lasted.Double())
}

// remoteTeardown tells whether the far end hung up; it is what classifies a
// reason that the guide does not know.
func remoteTeardown(r *cdr.Record) bool {
	v, _ := r.Field(cdr.CallLegRemoteTeardown)
	return v.Kind == cdr.KindBool && v.Bool()
}

// describe is the record in one line, for people who read logs.
func describe(r *cdr.Record) string {
	var room [160]byte
	line := sentence(room[:0])
	switch r.Type {
	case cdr.CallStart:
		line.add("call started:").after(r, " ", cdr.CallCallType).quoted(r, cdr.CallName)
	case cdr.CallEnd:
		line.add("call ended").seconds(r, " after ", cdr.CallDurationSeconds)
		line.number(r, ", legs: ", cdr.CallCallLegsCompleted, "").number(r, ", most at once: ", cdr.CallCallLegsMaxActive, "")
	case cdr.CallLegStart:
		line.add("call leg started:").after(r, " ", cdr.CallLegDirection).after(r, " ", cdr.CallLegType)
		remote, local := " from ", " to "
		if v, _ := r.Field(cdr.CallLegDirection); v.Text == "outgoing" {
			remote, local = " to ", " as "
		}
		line.after(r, remote, cdr.CallLegRemoteParty).after(r, local, cdr.CallLegLocalAddress)
	case cdr.CallLegUpdate:
		describeUpdate(r, &line)
	case cdr.CallLegEnd:
		line.add("call leg ended").after(r, ": ", cdr.CallLegReason).seconds(r, " after ", cdr.CallLegDurationSeconds).alarms(r)
	case cdr.RecordingStart:
		line.add("recording started").after(r, " at ", cdr.RecordingRecorderURI).after(r, " at ", cdr.RecordingRecorderURL)
	case cdr.RecordingEnd:
		line.add("recording ended")
	case cdr.StreamingStart:
		line.add("streaming started").after(r, " at ", cdr.StreamingStreamerURI).after(r, " at ", cdr.StreamingStreamerURL)
	case cdr.StreamingEnd:
		line.add("streaming ended")
	case cdr.TypeUnknown:
	}
	return string(line)
}

func describeUpdate(r *cdr.Record, line *sentence) {
	line.add("call leg updated:")
	line.after(r, " ", cdr.CallLegState)
	if _, ok := r.Field(cdr.CallLegIvr); ok {
		line.add(" in the IVR")
	}
	if v, ok := r.Field(cdr.CallLegDeactivated); ok && v.Bool() {
		line.add(" in the lobby")
	}
	line.after(r, " in call ", cdr.CallLegCall)
}

// sentence grows a line. Its methods add nothing where the record has no value.
type sentence []byte

func (s *sentence) add(text string) *sentence {
	*s = append(*s, text...)
	return s
}

// maxShown is how much of a value stands in a line, in bytes; all of it is in an
// attribute.
const maxShown = 512

// shown returns as much of a value as stands in a line. Its secrets are taken out
// first, because one that is cut may not be recognized.
func shown(text string) string {
	text = redact.Text(text)
	if len(text) <= maxShown {
		return text
	}
	return clipTo(text, maxShown) + "…"
}

// text adds text of the wire: without secrets, and on one line.
func (s *sentence) text(wire string) *sentence {
	if len(wire) > maxShown {
		wire = shown(wire)
	}
	*s = logrecord.AppendText(*s, wire)
	return s
}

func (s *sentence) after(r *cdr.Record, before string, id cdr.FieldID) *sentence {
	v, ok := r.Field(id)
	switch {
	case !ok || v.Text == "":
	case id == cdr.StreamingStreamURL:
		s.add(before).text(redact.URL(v.Text))
	case id == cdr.CallLegRemoteParty, id == cdr.CallLegLocalAddress:
		s.add(before).text(redact.Address(v.Text))
	default:
		s.add(before).text(v.Text)
	}
	return s
}

func (s *sentence) quoted(r *cdr.Record, id cdr.FieldID) *sentence {
	if v, ok := r.Field(id); ok {
		*s = strconv.AppendQuote(append(*s, ' '), shown(v.Text))
	}
	return s
}

func (s *sentence) number(r *cdr.Record, before string, id cdr.FieldID, after string) *sentence {
	if v, ok := r.Field(id); ok {
		s.add(before).text(v.Text).add(after)
	}
	return s
}

func (s *sentence) seconds(r *cdr.Record, before string, id cdr.FieldID) *sentence {
	return s.number(r, before, id, " s")
}

func (s *sentence) alarms(r *cdr.Record) *sentence {
	if len(r.Alarms) == 0 {
		return s
	}
	var buffer alarmBuffer
	merged := alarmsOf(r.Alarms, buffer[:0])
	for i := range merged {
		s.add(", ").text(cmp.Or(merged[i].name, "alarm"))
		if percentage := merged[i].percentage.Text; percentage != "" {
			s.add(" ").text(percentage).add(" %")
		}
	}
	return s
}
