// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/stitch"
)

// stamp puts the ids of its object on a record that has none, and what its
// object's call says where the record does not say it itself.
func stamp(lr plog.LogRecord, known *stitch.Stamp) {
	if lr.TraceID().IsEmpty() && lr.SpanID().IsEmpty() {
		lr.SetTraceID(pcommon.TraceID(known.Trace))
		lr.SetSpanID(pcommon.SpanID(known.Span))
	}
	attributes := lr.Attributes()
	attributes.EnsureCapacity(attributes.Len() + len(known.Context))
	for i := range known.Context {
		field := &known.Context[i]
		if v, exists := attributes.GetOrPutEmpty(field.Key); !exists {
			writeTo(v, field.Value)
		}
	}
}
