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

// severityOf says whether somebody should look.
func severityOf(e *event.Event) plog.SeverityNumber {
	switch e.Type {
	case event.EnterEmergency:
		return plog.SeverityNumberError
	case event.EnterLow, event.EnterCritical:
		return plog.SeverityNumberWarn
	default:
		if abnormal(e.Text(event.SessionState)) {
			return plog.SeverityNumberWarn
		}
		return plog.SeverityNumberInfo
	}
}

// closedNormal is the state of a session that ended as it should. Its failures
// are spelled in more than one way.
const closedNormal = "CLOSED_NORMAL"

func abnormal(state string) bool {
	state = strings.ToUpper(state)
	return strings.HasPrefix(state, "CLOSED_") && state != closedNormal
}

// describe is the event in one line, for people who read logs. It names no
// devices; sessions is how many sessions an event about several is about.
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
		return "recording session started" + plural(": ", len(e.Items(event.Tracks)), "track")
	case event.SessionUpdated:
		return "recording session updated" + plural(": ", len(e.Items(event.Tracks)), "track")
	case event.SessionEnded:
		return describeEnd(e)
	case event.SessionDeleted:
		return "recordings deleted" + plural(": ", sessions, "session")
	case event.SessionPruned:
		return "recordings pruned" + plural(": ", sessions, "session")
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
		line += ": " + wireText(state)
	}
	if duration, ok := e.Int(event.SessionDuration); ok {
		line += " after " + seconds(duration)
	}
	return line + plural(", ", len(e.Items(event.Tracks)), "track")
}

// systemTag is the type of a tag that MediaSense itself sets.
const systemTag = "SYSTEM_DEFINED"

// describeTag names a tag of the system. Another tag's text is what people wrote,
// names and numbers among it, and stands in an attribute only.
func describeTag(e *event.Event, verb string) string {
	line := "tag " + verb
	if name := e.Text(event.TagEventName); name != "" && strings.EqualFold(e.Text(event.TagEventType), systemTag) {
		line += ": " + wireText(name)
	}
	if number, ok := e.Int(event.TagEventTrackNumber); ok {
		line += " on track " + strconv.FormatInt(number, 10)
	}
	if offset, ok := e.Int(event.TagEventOffset); ok {
		line += " at " + seconds(offset)
	}
	return line
}

// crossed says what a threshold event says.
var crossed = [event.TypeCount]string{
	event.EnterLow: "low storage space entered", event.ExitLow: "low storage space left",
	event.EnterCritical: "critical storage space entered", event.ExitCritical: "critical storage space left",
	event.EnterEmergency: "emergency storage space entered", event.ExitEmergency: "emergency storage space left",
}

func describeStorage(e *event.Event) string {
	line := crossed[e.Type]
	separator := ": "
	if partition := e.Text(event.Partition); partition != "" {
		line += separator + wireText(partition)
		separator = " "
	}
	if address := e.Text(event.NodeIPAddress); address != "" {
		line += separator + "on " + wireText(address)
		separator = " "
	}
	if percentage, ok := percentageOf(e); ok {
		line += separator + "at " + strconv.FormatFloat(percentage, 'f', -1, 64) + " %"
	}
	return line
}

// percentageOf is how full the partition is.
func percentageOf(e *event.Event) (percentage float64, ok bool) {
	v, _ := e.Member(event.PercentageUtilization)
	return v.Double(), v.Kind == event.KindInt || v.Kind == event.KindDouble
}

// wireText is text of the wire in a body: without secrets, short and on one line.
// A secret is taken out first, because without its end it may not be recognized.
func wireText(text string) string {
	return string(logrecord.AppendText(nil, clip(redact.Text(text))))
}

// seconds writes milliseconds for people.
func seconds(milliseconds int64) string {
	return fmt.Sprintf("%.1f s", float64(milliseconds)/1000)
}

// plural counts things, "" for none.
func plural(before string, n int, thing string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return before + "1 " + thing
	default:
		return before + strconv.Itoa(n) + " " + thing + "s"
	}
}
