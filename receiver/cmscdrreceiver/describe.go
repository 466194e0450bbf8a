// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"cmp"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/cdr"
)

// severity of a record: people filter by it, so that it says whether somebody
// should look.
func severity(r *cdr.Record) plog.SeverityNumber {
	if r.Type != cdr.CallLegEnd {
		return plog.SeverityNumberInfo
	}
	if _, ok := errorReason(r); ok {
		return plog.SeverityNumberError
	}
	if len(r.Alarms) > 0 || abnormalReason(r) {
		return plog.SeverityNumberWarn
	}
	return plog.SeverityNumberInfo
}

// reasons of a leg's end (guide section 5), by their lower-case text: sources
// differ in the case of letters.
var reasons = map[string]reason{
	"apiinitiatedteardown": {"apiInitiatedTeardown", false}, "calldeactivated": {"callDeactivated", false},
	"callended": {"callEnded", false}, "callmoved": {"callMoved", false},
	"clientinitiatedteardown": {"clientInitiatedTeardown", false}, "localteardown": {"localTeardown", false},
	"remoteteardown": {"remoteTeardown", false},

	"confirmationtimeout": {"confirmationTimeout", true}, "dnsfailure": {"dnsFailure", true},
	"encryptionrequired": {"encryptionRequired", true}, "error": {"error", true},
	"incorrectpasscode": {"incorrectPasscode", true}, "ivrtimeout": {"ivrTimeout", true},
	"ivrunknowncall": {"ivrUnknownCall", true}, "participantlimitreached": {"participantLimitReached", true},
	"remotebusy": {"remoteBusy", true}, "remoterejected": {"remoteRejected", true},
	"ringingtimeout": {"ringingTimeout", true}, "tenantparticipantlimitreached": {"tenantParticipantLimitReached", true},
	"timeout": {"timeout", true}, "unknowndestination": {"unknownDestination", true},
}

type reason struct {
	name    string // as the guide spells it
	isError bool
}

func reasonOf(text string) (reason, bool) {
	known, ok := reasons[strings.ToLower(text)]
	return known, ok
}

// errorReason returns the reason of a leg that ended because something failed.
func errorReason(r *cdr.Record) (string, bool) {
	value, _ := r.Field(cdr.CallLegReason)
	known, ok := reasonOf(value.Text)
	return known.name, ok && known.isError
}

// abnormalReason tells a reason the guide does not know, unless the far end
// hung up.
func abnormalReason(r *cdr.Record) bool {
	value, _ := r.Field(cdr.CallLegReason)
	if _, known := reasonOf(value.Text); known || value.Text == "" {
		return false
	}
	remote, _ := r.Field(cdr.CallLegRemoteTeardown)
	return remote.Kind != cdr.KindBool || !remote.Bool()
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
		line.number(r, ", ", cdr.CallCallLegsCompleted, " legs").number(r, ", at most ", cdr.CallCallLegsMaxActive, " at once")
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
		line.add("recording started").after(r, " at ", cdr.RecordingRecorderURI)
	case cdr.RecordingEnd:
		line.add("recording ended")
	case cdr.StreamingStart:
		line.add("streaming started").after(r, " at ", cdr.StreamingStreamerURI)
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

func (s *sentence) after(r *cdr.Record, before string, id cdr.FieldID) *sentence {
	if v, ok := r.Field(id); ok && v.Text != "" {
		s.add(before).add(withoutSecret(id, v.Text))
	}
	return s
}

func (s *sentence) quoted(r *cdr.Record, id cdr.FieldID) *sentence {
	if v, ok := r.Field(id); ok {
		*s = strconv.AppendQuote(append(*s, ' '), v.Text)
	}
	return s
}

func (s *sentence) number(r *cdr.Record, before string, id cdr.FieldID, after string) *sentence {
	if v, ok := r.Field(id); ok {
		s.add(before).add(v.Text).add(after)
	}
	return s
}

func (s *sentence) seconds(r *cdr.Record, before string, id cdr.FieldID) *sentence {
	return s.number(r, before, id, " s")
}

func (s *sentence) alarms(r *cdr.Record) *sentence {
	for i := range r.Alarms {
		s.add(", ").add(cmp.Or(r.Alarms[i].Type, "alarm"))
		if percentage := r.Alarms[i].DurationPercentage.Text; percentage != "" {
			s.add(" ").add(percentage).add(" %")
		}
	}
	return s
}
