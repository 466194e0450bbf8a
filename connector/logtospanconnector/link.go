// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/names"
)

// appendLinks appends the valid links to the span, and returns the number of invalid ones. A
// value that is not a list counts as one.
func appendLinks(links ptrace.SpanLinkSlice, value pcommon.Value) (bad uint32) {
	if value.Type() != pcommon.ValueTypeSlice {
		return 1
	}
	described := value.Slice()
	links.EnsureCapacity(described.Len())
	for _, one := range described.All() {
		if !appendLink(links, one) {
			bad++
		}
	}
	return bad
}

func appendLink(links ptrace.SpanLinkSlice, value pcommon.Value) bool {
	if value.Type() != pcommon.ValueTypeMap {
		return false
	}
	described := value.Map()
	var (
		trace pcommon.TraceID
		span  pcommon.SpanID
	)
	if !parseIDOf(trace[:], described, names.SpanLinkTraceID) || !parseIDOf(span[:], described, names.SpanLinkSpanID) {
		return false
	}
	link := links.AppendEmpty()
	link.SetTraceID(trace)
	link.SetSpanID(span)
	described.CopyTo(link.Attributes())
	link.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool {
		return key == names.SpanLinkTraceID || key == names.SpanLinkSpanID
	})
	return true
}

func parseIDOf(id []byte, described pcommon.Map, key string) bool {
	value, found := described.Get(key)
	return found && value.Type() == pcommon.ValueTypeStr && parseID(id, value.Str())
}
