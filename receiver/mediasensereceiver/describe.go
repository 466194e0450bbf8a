// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// severityOf returns the severity of an event.
func severityOf(e *event.Event) plog.SeverityNumber {
	switch e.Type {
	case event.EnterEmergency:
		return plog.SeverityNumberError
	case event.EnterLow, event.EnterCritical:
		return plog.SeverityNumberWarn
	default:
		if isAbnormalState(e.Text(event.SessionState)) {
			return plog.SeverityNumberWarn
		}
		return plog.SeverityNumberInfo
	}
}

// closedNormal is the state of a session that ended normally. Failures have several
// spellings.
const closedNormal = "CLOSED_NORMAL"

func isAbnormalState(state string) bool {
	state = strings.ToUpper(state)
	return strings.HasPrefix(state, "CLOSED_") && state != closedNormal
}

// describe returns the event as one line for people, the body of its log record. It names no
// devices. sessions is the number of sessions of an event about several.
func describe(e *event.Event, sessions int) string {
	line := describeEvent(e, sessions)
	if e.Parts > 0 {
		line += " (part " + strconv.Itoa(e.Part) + " of " + strconv.Itoa(e.Parts) + ")"
	}
	return line
}

func describeEvent(e *event.Event, sessions int) string {
	switch e.Type {
	case event.SessionStarted:
		return "recording session started" + countOfThings(": ", len(e.Items(event.Tracks)), "track")
	case event.SessionUpdated:
		return "recording session updated" + countOfThings(": ", len(e.Items(event.Tracks)), "track")
	case event.SessionEnded:
		return describeEnd(e)
	case event.SessionDeleted:
		return "recordings deleted" + countOfThings(": ", sessions, "session")
	case event.SessionPruned:
		return "recordings pruned" + countOfThings(": ", sessions, "session")
	case event.TagAdded:
		return describeTag(e, "added")
	case event.TagUpdated:
		return describeTag(e, "updated")
	case event.TagDeleted:
		return describeTag(e, "deleted")
	default:
		return describeStorage(e)
	}
}

func describeEnd(e *event.Event) string {
	line := "recording session ended"
	if state := e.Text(event.SessionState); state != "" {
		line += ": " + redactText(state)
	}
	if duration, ok := e.Int(event.SessionDuration); ok {
		line += " after " + formatSeconds(duration)
	}
	return line + countOfThings(", ", len(e.Items(event.Tracks)), "track")
}

// systemTag is the type of a tag that MediaSense sets.
const systemTag = "SYSTEM_DEFINED"

// describeTag describes a tag event. It names system tags only: other tags are texts of
// people, with names and numbers, which only an attribute has.
func describeTag(e *event.Event, verb string) string {
	line := "tag " + verb
	if name := e.Text(event.TagEventName); name != "" && strings.EqualFold(e.Text(event.TagEventType), systemTag) {
		line += ": " + redactText(name)
	}
	if number, ok := e.Int(event.TagEventTrackNumber); ok {
		line += " on track " + strconv.FormatInt(number, 10)
	}
	if offset, ok := e.Int(event.TagEventOffset); ok {
		line += " at " + formatSeconds(offset)
	}
	return line
}

// thresholdTexts are the bodies of threshold events.
var thresholdTexts = [event.TypeCount]string{
	event.EnterLow: "low storage space entered", event.ExitLow: "low storage space left",
	event.EnterCritical: "critical storage space entered", event.ExitCritical: "critical storage space left",
	event.EnterEmergency: "emergency storage space entered", event.ExitEmergency: "emergency storage space left",
}

func describeStorage(e *event.Event) string {
	line := thresholdTexts[e.Type]
	separator := ": "
	if partition := e.Text(event.Partition); partition != "" {
		line += separator + redactText(partition)
		separator = " "
	}
	if address := e.Text(event.NodeIPAddress); address != "" {
		line += separator + "on " + redactText(address)
		separator = " "
	}
	if percentage, ok := percentageOf(e); ok {
		line += separator + "at " + strconv.FormatFloat(percentage, 'f', -1, 64) + " %"
	}
	return line
}

// percentageOf returns how full the partition is.
func percentageOf(e *event.Event) (percentage float64, ok bool) {
	v, _ := e.Member(event.PercentageUtilization)
	return v.Double(), v.Kind == event.KindInt || v.Kind == event.KindDouble
}

// redactText returns received text for a body: without secrets and line breaks, and short. It
// redacts secrets before it cuts the text, because a cut secret may not be recognized.
func redactText(text string) string {
	return string(logrecord.AppendText(nil, clipName(redact.Text(text))))
}

// formatSeconds formats milliseconds as seconds.
func formatSeconds(milliseconds int64) string {
	return fmt.Sprintf("%.1f s", float64(milliseconds)/1000)
}

// countOfThings formats a number of things, with "s" for several. It returns "" for none.
func countOfThings(before string, n int, thing string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return before + "1 " + thing
	default:
		return before + strconv.Itoa(n) + " " + thing + "s"
	}
}
