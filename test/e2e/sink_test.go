// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/test/otlpsink"
)

// index holds that no span id comes twice.
func index(t *testing.T, spans []otlpsink.Span) map[pcommon.SpanID]ptrace.Span {
	t.Helper()
	byID := make(map[pcommon.SpanID]ptrace.Span, len(spans))
	for _, s := range spans {
		assert.NotContains(t, byID, s.SpanID(), "%s twice", s.Name())
		byID[s.SpanID()] = s.Span
	}
	return byID
}

// bytesOf is all that a span says.
func bytesOf(t *testing.T, span ptrace.Span) string {
	t.Helper()
	traces := ptrace.NewTraces()
	span.CopyTo(traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	content, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	require.NoError(t, err)
	return string(content)
}

// The published recipe (docs/ids.md), written down once more.
func spanOf(kind, id string) pcommon.SpanID {
	sum := sha256.Sum256([]byte("span\x00cisco.meeting_server." + kind + "\x00" + id))
	return pcommon.SpanID(sum[:8])
}

func traceOf(kind, id string) pcommon.TraceID {
	sum := sha256.Sum256([]byte("trace\x00cisco.meeting_server." + kind + "\x00" + id))
	return pcommon.TraceID(sum[:16])
}
