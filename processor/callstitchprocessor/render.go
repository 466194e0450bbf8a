// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/stitch"
)

var spanEvents = [...]string{
	stitch.Call:            names.EventCallSpan,
	stitch.CallLeg:         names.EventCallLegSpan,
	stitch.Recording:       names.EventRecordingSpan,
	stitch.Streaming:       names.EventStreamingSpan,
	stitch.RecordedSession: names.EventSessionSpan,
	stitch.Track:           names.EventTrackSpan,

	stitch.Dialog:     names.EventDialogSpan,
	stitch.DialogFork: names.EventDialogSpan,

	stitch.APIRequest:       names.EventAPIRequestSpan,
	stitch.ScheduledMeeting: names.EventScheduledMeetingSpan,
}

// keyReason is the reason for a leg's end.
var keyReason = names.MeetingServerAttribute("callLeg", "reason")

// summaryAttribute is the attribute that the body of a stitched record quotes.
var summaryAttribute = [len(spanEvents)]string{
	stitch.CallLeg:         keyReason,
	stitch.RecordedSession: names.MediaSenseState,
	stitch.Track:           trackPrefix + "track_media_type",

	stitch.Dialog:     names.DialogResult,
	stitch.DialogFork: names.DialogResult,

	stitch.APIRequest:       names.ScheduledMeetingStep,
	stitch.ScheduledMeeting: names.CoSpaceName,
}

// ownAttributes is how many attributes a stitched record has at most beside its fields.
const ownAttributes = 13

// render writes a stitched record. The record depends only on the object and its call, so that
// sending it twice gives one span.
func render(to plog.LogRecord, s *stitch.Stitched) {
	to.SetEventName(spanEvents[s.Kind])
	to.SetTimestamp(pcommon.Timestamp(s.End))                  //nolint:gosec // a time
	to.SetObservedTimestamp(pcommon.Timestamp(s.PendingSince)) //nolint:gosec // a time
	to.SetTraceID(pcommon.TraceID(s.Trace))
	to.SetSpanID(pcommon.SpanID(s.Span))
	renderSeverity(to, s)
	to.Body().SetStr(describe(s))
	attributes := to.Attributes()
	attributes.EnsureCapacity(len(s.Fields) + ownAttributes)
	attributes.PutStr(s.Kind.IDKey(), s.ID)
	renderSpan(attributes, s)
	attributes.PutStr(names.CallstitchOutcome, s.Outcome.String())
	if len(s.Calls) > 0 {
		calls := attributes.PutEmptySlice(names.CallLegCalls)
		for _, call := range s.Calls {
			calls.AppendEmpty().SetStr(call)
		}
	}
	for i := range s.Fields {
		if field := &s.Fields[i]; !isReserved(field.Key) && !isUnsetParty(field) {
			setValue(attributes.PutEmpty(field.Key), field.Value)
		}
	}
	for i := range s.Lists {
		renderList(attributes.PutEmptySlice(s.Lists[i].Key), &s.Lists[i])
	}
}

func renderList(to pcommon.Slice, list *stitch.List) {
	to.EnsureCapacity(len(list.Maps))
	for _, fields := range list.Maps {
		m := to.AppendEmpty().SetEmptyMap()
		m.EnsureCapacity(len(fields))
		for i := range fields {
			setValue(m.PutEmpty(fields[i].Key), fields[i].Value)
		}
	}
}

// isReserved reports whether only this processor sets an attribute. A record that has it was
// stitched by another component.
func isReserved(key string) bool {
	return strings.HasPrefix(key, "span.") || key == names.CallstitchOutcome || key == names.CallLegCalls
}

func renderSeverity(to plog.LogRecord, s *stitch.Stitched) {
	number, text := plog.SeverityNumberInfo, "INFO"
	switch {
	case isScan(s), isRefused(s):
		number, text = plog.SeverityNumberWarn, "WARN"
	case s.ErrorType != "":
		number, text = plog.SeverityNumberError, "ERROR"
	case s.Outcome != stitch.Complete:
		number, text = plog.SeverityNumberWarn, "WARN"
	}
	to.SetSeverityNumber(number)
	to.SetSeverityText(text)
}

// isScan reports whether a failed leg is a scanner's. Its span keeps the status error.
func isScan(s *stitch.Stitched) bool {
	if s.Kind != stitch.CallLeg || s.ErrorType == "" {
		return false
	}
	reason, _ := names.LegReason(s.ErrorType)
	return reason.Scan(len(s.Calls) > 0, time.Duration(s.End-s.Start).Seconds())
}

// isRefused reports whether a SIP call failed because of the caller or the called party (4xx),
// and not because of a server.
func isRefused(s *stitch.Stitched) bool {
	return s.Kind == stitch.Dialog && strings.HasPrefix(s.ErrorType, "4")
}

// renderSpan writes the span.* attributes.
func renderSpan(attributes pcommon.Map, s *stitch.Stitched) {
	kind, status := names.SpanKindInternal, names.SpanStatusUnset
	switch {
	case s.Server:
		kind = names.SpanKindServer
	case s.Client:
		kind = names.SpanKindClient
	}
	if s.ErrorType != "" {
		status = names.SpanStatusError
	}
	name := s.Name
	if name == "" {
		name = s.Kind.SpanName()
	}
	attributes.PutStr(names.SpanName, name)
	attributes.PutStr(names.SpanKind, kind)
	if s.Parent != (stitch.SpanID{}) {
		attributes.PutStr(names.SpanParentID, hex.EncodeToString(s.Parent[:]))
	}
	attributes.PutInt(names.SpanStart, s.Start)
	attributes.PutStr(names.SpanStatus, status)
	if s.ErrorType != "" {
		attributes.PutStr(names.ErrorType, s.ErrorType)
	}
	if len(s.Links) == 0 {
		return
	}
	links := attributes.PutEmptySlice(names.SpanLinks)
	for i := range s.Links {
		link := links.AppendEmpty().SetEmptyMap()
		link.PutStr(names.SpanLinkTraceID, hex.EncodeToString(s.Links[i].Trace[:]))
		link.PutStr(names.SpanLinkSpanID, hex.EncodeToString(s.Links[i].Span[:]))
		link.PutStr(names.SpanLinkReason, s.Links[i].Reason)
	}
}

// describe returns the body: one line for people.
func describe(s *stitch.Stitched) string {
	text := s.Name
	if text == "" {
		text = strings.ReplaceAll(s.Kind.SpanName(), "_", " ")
	}
	text += " of " + seconds(s.End-s.Start) + " s"
	reason := slices.IndexFunc(s.Fields, func(f stitch.Field) bool { return f.Key == summaryAttribute[s.Kind] && f.Value.Kind == stitch.KindText })
	if reason >= 0 {
		text += ": " + string(logrecord.AppendText(nil, s.Fields[reason].Value.Text))
	}
	if s.Kind == stitch.Dialog && s.ErrorType != "" {
		text += " with " + s.ErrorType
	}
	if s.Outcome != stitch.Complete {
		text += ", outcome " + s.Outcome.String()
	}
	return text
}

// seconds formats nanoseconds as seconds with milliseconds.
func seconds(nanoseconds int64) string {
	return strconv.FormatFloat(math.Round(float64(nanoseconds)/1e6)/1e3, 'f', -1, 64)
}
