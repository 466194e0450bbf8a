// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// A start that is none is not 1970, from which the leg would have lasted ever since.
func TestStartThatIsNone(t *testing.T) {
	for name, put := range map[string]func(pcommon.Map){
		"text":   func(m pcommon.Map) { m.PutStr(names.SpanStart, "1772712000000000000") },
		"double": func(m pcommon.Map) { m.PutDouble(names.SpanStart, 1.772712e18) },
		"zero":   func(m pcommon.Map) { m.PutInt(names.SpanStart, 0) },
		"before": func(m pcommon.Map) { m.PutInt(names.SpanStart, -5) },
	} {
		logs := legs(0, 1)
		lr := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		lr.Attributes().Remove(names.SpanStart)
		put(lr.Attributes())
		batch, _ := convert(logs)
		require.Len(t, batch.Legs, 1, name)
		row := batch.Legs[0]
		assert.Equal(t, row.EndedAt, row.StartedAt, name)
		assert.Zero(t, *row.DurationSeconds, name)
		assert.Contains(t, string(row.Details), names.SpanStart, name)
	}
}

// A duration that no clock can hold is not wrapped into the past.
func TestDurationTooLong(t *testing.T) {
	for _, milliseconds := range []int64{9_223_372_036_854, 9_223_372_036_855, 1e13, 2e14} {
		logs := plog.NewLogs()
		lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(names.EventSessionEnded)
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)))
		lr.Attributes().PutStr(names.MediaSenseSessionID, "s")
		lr.Attributes().PutInt(names.MediaSenseStartDate, 1_772_712_000_000)
		lr.Attributes().PutInt(names.MediaSenseDuration, milliseconds)
		batch, _ := convert(logs)
		require.Len(t, batch.Sessions, 1)
		assert.False(t, batch.Sessions[0].EndedAt.Before(batch.Sessions[0].StartedAt), "%d ms: ended at %s", milliseconds, batch.Sessions[0].EndedAt)
	}
}
