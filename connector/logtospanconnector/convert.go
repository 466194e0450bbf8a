// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/names"
)

// convert makes the spans of all records that are some, and tells what became
// of each. One resource and one scope stay one; those without a span are left
// out. logs is only read, and nothing of it is shared with the result.
func convert(logs plog.Logs) (traces ptrace.Traces, counts tally) {
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

// convertScope appends a scope if it has a span. Most scopes that come by have
// none, so it is made at the first one.
func convertScope(sl plog.ScopeLogs, scopes ptrace.ScopeSpansSlice, counts *tally) {
	var spans ptrace.SpanSlice
	made := false
	for _, lr := range sl.LogRecords().All() {
		v := collect(lr.Attributes())
		s, found := shapeOf(lr, &v)
		if found == converted {
			if !made {
				ss := scopes.AppendEmpty()
				sl.Scope().CopyTo(ss.Scope())
				ss.SetSchemaUrl(sl.SchemaUrl())
				spans, made = ss.Spans(), true
			}
			found = s.build(spans.AppendEmpty(), lr, &v)
		}
		counts[found]++
	}
}

// traceFlags are the bits that W3C trace context knows. The others of a log
// record's flags are reserved, those of a span's have a meaning.
const traceFlags = 0xff

// build fills the span. All that could speak against it has been checked.
func (s *shape) build(span ptrace.Span, lr plog.LogRecord, v *values) verdict {
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
	if v.given[fieldLinks] {
		bad := appendLinks(span.Links(), v.value[fieldLinks])
		span.SetDroppedLinksCount(bad)
		if bad > 0 {
			return linkInvalid
		}
	}
	return converted
}

// copyAttributes copies what does not move into the span. The event name says
// whose record the span was, which a span's name alone does not; a span has no
// such field, so it becomes the attribute it once was in a log record.
func copyAttributes(to pcommon.Map, lr plog.LogRecord) {
	from := lr.Attributes()
	// Twice as fast as putting one by one, for which a map looks for the key.
	from.CopyTo(to)
	to.RemoveIf(func(key string, _ pcommon.Value) bool { return fieldOf(key) != notField })
	if _, found := from.Get(names.RecordEventName); !found && lr.EventName() != "" {
		to.PutStr(names.RecordEventName, lr.EventName())
	}
}
