// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logrecord

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// No byte is lost however the characters lie, and no character is cut.
func TestRaw(t *testing.T) {
	f := func(text string, records int) {
		t.Helper()
		to := plog.NewLogRecordSlice()
		raw := Raw{EventName: "e", Severity: plog.SeverityNumberError, PartKey: "part", PartsKey: "parts", Text: text}
		for piece := range raw.Fragments() {
			assert.Equal(t, records, piece.Count)
			piece.Append(to, 7, func(lr plog.LogRecord) { lr.Attributes().PutStr("key", "value") })
		}
		assert.Equal(t, records, to.Len())
		var whole strings.Builder
		for i, lr := range to.All() {
			piece := lr.Body().Str()
			if lr.Body().Type() == pcommon.ValueTypeBytes {
				piece = string(lr.Body().Bytes().AsRaw())
			}
			assert.LessOrEqual(t, len(piece), MaxRaw)
			if utf8.ValidString(text) {
				assert.True(t, utf8.ValidString(piece))
			}
			whole.WriteString(piece)
			assert.Equal(t, "e", lr.EventName())
			assert.Equal(t, "ERROR", lr.SeverityText())
			assert.EqualValues(t, 7, lr.ObservedTimestamp())
			part, numbered := lr.Attributes().Get("part")
			assert.Equal(t, records > 1, numbered)
			if numbered {
				assert.EqualValues(t, i+1, part.Int())
			}
		}
		assert.Equal(t, text, whole.String())
	}
	f("", 1)
	f("x", 1)
	f(strings.Repeat("x", MaxRaw), 1)
	f(strings.Repeat("x", MaxRaw+1), 2)
	f(strings.Repeat("東", MaxRaw), 4)
	f("x"+strings.Repeat("東", MaxRaw-1)+"yy", 4)
	f(strings.Repeat("\xff", 2*MaxRaw), 2)
}

func TestSeverity(t *testing.T) {
	for number, text := range map[plog.SeverityNumber]string{
		plog.SeverityNumberInfo: "INFO", plog.SeverityNumberWarn: "WARN", plog.SeverityNumberError: "ERROR",
	} {
		lr := plog.NewLogRecord()
		SetSeverity(lr, number)
		assert.Equal(t, text, lr.SeverityText())
		assert.Equal(t, number, lr.SeverityNumber())
	}
}
