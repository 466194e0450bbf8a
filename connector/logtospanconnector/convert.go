// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/names"
)

// convert converts the records that are spans, and counts the result of each record. Resources
// and scopes keep their order; those without a span are left out. It only reads logs, and the
// result shares no memory with them.
func convert(logs plog.Logs) (traces ptrace.Traces, counts resultCounts) {
	traces = ptrace.NewTraces()
	for _, rl := range logs.ResourceLogs().All() {
		rs := traces.ResourceSpans().AppendEmpty()
		for _, sl := range rl.ScopeLogs().All() {
			convertScope(sl, rs.ScopeSpans(), &counts)
		}
		if rs.ScopeSpans().Len() > 0 {
			rl.Resource().CopyTo(rs.Resource())
			rs.SetSchemaUrl(rl.SchemaUrl())
		}
	}
	traces.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool { return rs.ScopeSpans().Len() == 0 })
	return traces, counts
}

// convertScope appends a scope if one of its records is a span. Most scopes have none.
func convertScope(sl plog.ScopeLogs, scopes ptrace.ScopeSpansSlice, counts *resultCounts) {
	var spans ptrace.SpanSlice
	made := false
	for _, lr := range sl.LogRecords().All() {
		v := collectSpanAttributes(lr.Attributes())
		s, found := readSpanFields(lr, &v)
		if found == converted {
			if !made {
				ss := scopes.AppendEmpty()
				sl.Scope().CopyTo(ss.Scope())
				ss.SetSchemaUrl(sl.SchemaUrl())
				spans, made = ss.Spans(), true
			}
			found = s.buildSpan(spans.AppendEmpty(), lr, &v)
		}
		counts[found]++
	}
}

// traceFlags are the bits that W3C trace context defines. The other bits are reserved in a log
// record, and have a meaning in a span.
const traceFlags = 0xff

// buildSpan fills the span. The caller has checked the fields.
func (s *spanFields) buildSpan(span ptrace.Span, lr plog.LogRecord, v *spanAttributes) result {
	span.SetTraceID(lr.TraceID())
	span.SetSpanID(lr.SpanID())
	span.SetParentSpanID(s.parent)
	span.SetFlags(uint32(lr.Flags()) & traceFlags)
	span.SetName(s.name)
	span.SetKind(s.kind)
	span.SetStartTimestamp(s.start)
	span.SetEndTimestamp(s.end)
	copyAttributes(span.Attributes(), lr)
	span.SetDroppedAttributesCount(lr.DroppedAttributesCount())
	span.Status().SetCode(s.status)
	if s.status == ptrace.StatusCodeError {
		if message, found := lr.Attributes().Get(names.ErrorType); found {
			span.Status().SetMessage(message.AsString())
		}
	}
	if v.present[attributeLinks] {
		bad := appendLinks(span.Links(), v.value[attributeLinks])
		span.SetDroppedLinksCount(bad)
		if bad > 0 {
			return linkInvalid
		}
	}
	return converted
}

// copyAttributes copies the attributes that are not span fields. A span has no event name, so
// that becomes the attribute event.name.
func copyAttributes(to pcommon.Map, lr plog.LogRecord) {
	from := lr.Attributes()
	// Copying all and removing some is twice as fast as putting one by one, because Put
	// searches the map.
	from.CopyTo(to)
	to.RemoveIf(func(key string, _ pcommon.Value) bool { return spanAttributeOf(key) != notSpanAttribute })
	if _, found := from.Get(names.RecordEventName); !found && lr.EventName() != "" {
		to.PutStr(names.RecordEventName, lr.EventName())
	}
}
