// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// TestQuality: an event about a live leg becomes a row with the worst of its streams.
func TestQuality(t *testing.T) {
	const status = "cisco.meeting_server.call_leg.status."
	logs := plog.NewLogs()
	add := func(attributes map[string]any) {
		lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(names.EventAPICallLegQuality)
		lr.SetTimestamp(1_000_000_000)
		require.NoError(t, lr.Attributes().FromRaw(attributes))
	}
	add(map[string]any{
		names.CallLegID: "FC9C85CA-8c41-4a1a-9252-b16977d1e4e1", status + "state": "connected",
		status + "rx_audio.packet_loss_percentage": 1.5, status + "rx_video.packet_loss_percentage": 4.5, status + "tx_audio.packet_loss_percentage": 0.0,
		status + "rx_audio.jitter": 12.0, status + "rx_video.jitter": int64(30), status + "tx_video.round_trip_time": 250.0,
		"cisco.meeting_server.call_leg.alarms.packet_loss": true, "cisco.meeting_server.call_leg.alarms.high_round_trip_time": true, "cisco.meeting_server.call_leg.alarms.excessive_jitter": false,
		status + "rx_video.bit_rate": int64(812448), status + "rx_presentation.packet_loss_percentage": "much",
	})
	add(map[string]any{names.CallLegID: "l2"})
	add(map[string]any{})
	batch, counts := convert(logs)
	assert.Equal(t, 2, counts.rows)
	assert.Equal(t, 1, counts.invalid)
	require.Len(t, batch.Qualities, 2)
	q := batch.Qualities[0]
	assert.Equal(t, "fc9c85ca-8c41-4a1a-9252-b16977d1e4e1", q.ID)
	assert.Equal(t, "connected", q.State)
	assert.Equal(t, "packetLoss, highRoundTripTime", q.Alarms)
	assert.InDelta(t, 4.5, *q.LossPercent, 0)
	assert.InDelta(t, 30, *q.JitterMs, 0)
	assert.InDelta(t, 250, *q.RoundTripMs, 0)
	assert.InDelta(t, 0, *q.SentLossPercent, 0)
	assert.EqualValues(t, 812448, *q.VideoBitRate)
	assert.Nil(t, batch.Qualities[1].LossPercent, "not known is not 0")
}
