// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/stitch"
)

// stamp sets the object's ids on a record that has none, and adds the attributes of its call
// that the record lacks.
func stamp(lr plog.LogRecord, s *stitch.Stamp) {
	if lr.TraceID().IsEmpty() && lr.SpanID().IsEmpty() {
		lr.SetTraceID(pcommon.TraceID(s.Trace))
		lr.SetSpanID(pcommon.SpanID(s.Span))
	}
	attributes := lr.Attributes()
	attributes.EnsureCapacity(attributes.Len() + len(s.Context))
	for i := range s.Context {
		field := &s.Context[i]
		if v, exists := attributes.GetOrPutEmpty(field.Key); !exists {
			setValue(v, field.Value)
		}
	}
}
