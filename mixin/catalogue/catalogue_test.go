// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The names are those of the live page of the demo.
func TestSeries(t *testing.T) {
	all, err := Load("../..")
	require.NoError(t, err)
	require.Greater(t, len(all), 100)
	index, err := Index(all)
	require.NoError(t, err)
	for _, name := range []string{
		"cisco_meeting_server_record_missing_total", "cisco_meeting_server_record_position", "cisco_meeting_server_call_duration_seconds_bucket",
		"cisco_meeting_server_call_leg_live_packet_loss_ratio_count", "cisco_meeting_server_media_processing_utilization_ratio",
		"cisco_meeting_server_license_remaining_days", "cisco_meeting_server_database_node_sync_behind_bytes", "cisco_meeting_server_participant_active",
		"cisco_mediasense_storage_state", "oracle_ocms_invite_failed_total", "otelcol_receiver_cmscdr_records", "otelcol_receiver_cmscdr_records_total",
		"otelcol_processor_callstitch_owed_age", "otelcol_processor_callstitch_owed_age_seconds",
	} {
		assert.Contains(t, index, name)
	}
	assert.NotContains(t, index, "cisco_meeting_server_record_position_total")
	labels := index["cisco_meeting_server_alarm_active"].Labels
	require.Len(t, labels, 1)
	assert.Equal(t, "alarm_type", labels[0].Name)
	records := index["otelcol_receiver_cmscdr_records"].Labels
	require.Len(t, records, 1)
	assert.Contains(t, records[0].Values, "malformed")
	// Both sources name the component as a configuration does.
	assert.Equal(t, "cmscdr", index["otelcol_receiver_cmscdr_records"].Component)
	assert.Equal(t, "cmscdr", index["cisco_meeting_server_record_missing_total"].Component)
}
