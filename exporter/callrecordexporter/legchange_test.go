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

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// TestLegChange: events about participants become changes of their states, with the
// elements that they have.
func TestLegChange(t *testing.T) {
	const participant = "cisco.meeting_server.participant."
	logs := plog.NewLogs()
	add := func(event string, attributes map[string]any) plog.LogRecord {
		lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(event)
		lr.SetTimestamp(1_000_000_001)
		require.NoError(t, lr.Attributes().FromRaw(attributes))
		return lr
	}
	id := map[string]any{names.ParticipantID: "0B0C6F7E-0000-4000-8000-000000000001"}
	with := func(attributes map[string]any) map[string]any {
		attributes[names.ParticipantID] = id[names.ParticipantID]
		return attributes
	}
	stamped := add(names.EventEventParticipantAdd, with(map[string]any{
		participant + "name": "Nora", participant + "state": "ringing", participant + "audio_muted": true, participant + "video_muted": false, participant + "presenter": false,
		participant + "active_speaker": true, participant + "endpoint_recording": "active", participant + "layout": "allEqual", participant + "importance": int64(3),
	}))
	stamped.SetSpanID(pcommon.SpanID{1, 2, 3, 4, 5, 6, 7, 8})
	add(names.EventEventParticipantUpdate, with(map[string]any{participant + "layout": nil, participant + "endpoint_recording": "inactive", participant + "audio_muted": "false", participant + "presenter": "sometimes"}))
	add(names.EventEventParticipantUpdate, with(map[string]any{participant + "importance": nil}))
	add(names.EventEventParticipantRemove, with(map[string]any{participant + "reason": "callEnded", participant + "state": "connected"}))
	add(names.EventEventParticipantAdd, map[string]any{})
	add(names.EventEventParticipantAdd, map[string]any{names.ParticipantID: string(make([]byte, maxID+1))})
	add(names.EventEventCallAdd, map[string]any{names.CallID: "c"})
	batch, counts := convert(logs)
	assert.Equal(t, 3, counts.rows)
	assert.Equal(t, 2, counts.skipped, "a call, and an update of elements without a column")
	assert.Equal(t, 2, counts.invalid)
	require.Len(t, batch.LegChanges, 3)
	state := func(s store.LegState) store.LegState {
		s.ID, s.At = "0b0c6f7e-0000-4000-8000-000000000001", time.Unix(1, 1).UTC()
		return s
	}
	first := batch.LegChanges[0]
	assert.ElementsMatch(t, []string{"state", "audio_muted", "video_muted", "presenting", "active_speaker", "endpoint_recording", "layout"}, first.Elements)
	first.Elements = nil
	assert.Equal(t, store.LegChange{Kind: store.LegAdded, LegSpanID: "0102030405060708", LegState: state(store.LegState{
		State: "ringing", AudioMuted: new(true), VideoMuted: new(false), Presenting: new(false), ActiveSpeaker: new(true), EndpointRecording: new(true), Layout: "allEqual",
	})}, first)
	second := batch.LegChanges[1]
	assert.ElementsMatch(t, []string{"layout", "endpoint_recording", "audio_muted"}, second.Elements, "what a column cannot hold is left out")
	second.Elements = nil
	assert.Equal(t, store.LegChange{Kind: store.LegUpdated, LegState: state(store.LegState{EndpointRecording: new(false), AudioMuted: new(false)})}, second)
	assert.Equal(t, store.LegChange{Kind: store.LegRemoved, LegState: state(store.LegState{})}, batch.LegChanges[2])
}
