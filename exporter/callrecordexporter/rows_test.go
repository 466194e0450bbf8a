// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// startsOfLegs are the start records of n legs in one request.
func startsOfLegs(n int) plog.Logs {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		record := records.AppendEmpty()
		record.SetEventName(names.EventCallLegStart)
		record.Attributes().PutStr(names.CallLegID, fmt.Sprintf("leg-%d", i))
	}
	return logs
}

// The room for rows is bounded by the records of the request, and by maxReserved if most records
// are of other kinds.
func TestRoomForRows(t *testing.T) {
	for n, most := range map[int]int{1: 1, 40: 40, 64: 64} {
		batch, counts := convert(startsOfLegs(n))
		assert.Equal(t, n, counts.rows)
		assert.Len(t, batch.Legs, n)
		assert.Equal(t, most, cap(batch.Legs), "%d legs", n)
	}
	// An invalid record leaves no row.
	logs := startsOfLegs(3)
	logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr(names.CallLegID, "")
	batch, counts := convert(logs)
	assert.Equal(t, recordCounts{rows: 2, invalid: 1}, counts)
	assert.Equal(t, []string{"leg-0", "leg-2"}, []string{batch.Legs[0].ID, batch.Legs[1].ID})
	assert.Len(t, batch.Legs, 2)

	logs = startsOfLegs(1)
	others := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for range 10 * maxReserved {
		others.AppendEmpty().SetEventName(names.EventSessionStart)
	}
	batch, _ = convert(logs)
	assert.Equal(t, maxReserved, cap(batch.Legs))
}

func BenchmarkConvert(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			logs := startsOfLegs(n)
			b.ReportAllocs()
			for b.Loop() {
				convert(logs)
			}
		})
	}
}
