// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

// TestLegStateNow: running legs and meetings show what their participants do, in the
// lists, on the page of the meeting, on that of the person, and in the API.
func TestLegStateNow(t *testing.T) {
	w := newDay(t)
	h := w.handler()
	_, err := w.store.Write(t.Context(), &store.Batch{
		LegChanges: []store.LegChange{
			{LegState: store.LegState{ID: "p-ingrid.solheim@example.test", At: now, State: "onHold", AudioMuted: new(true), VideoMuted: new(false), Layout: "speakerOnly"}},
			{LegState: store.LegState{ID: "p-ada.birch@example.test", At: now, State: "connected", Presenting: new(true), ActiveSpeaker: new(true)}},
		},
	})
	require.NoError(t, err)
	running, err := store.Select[store.Leg](t.Context(), w.store, "WHERE state = 'running' ORDER BY display_name")
	require.NoError(t, err)
	require.Len(t, running, 2)
	_, err = w.store.Write(t.Context(), &store.Batch{Qualities: []store.LegQuality{{ID: running[1].ID, At: now, LossPercent: new(6.7), Alarms: "packetLoss"}}})
	require.NoError(t, err)

	text := visibleText(get(t, h, "/").Body.String())
	assert.Contains(t, text, "1 on hold · 1 muted · Ada Birch presents · Ada Birch speaks")
	for _, address := range []string{"/legs", "/conferences/" + traceWeekly} {
		text := visibleText(get(t, h, address).Body.String())
		assert.Contains(t, text, "On hold audio muted", address)
		assert.Contains(t, text, "Waiting in the lobby presenting · speaking", "%s: a connected leg does what its activity says", address)
		assert.Contains(t, text, "alarm: packet loss 6.7 %", address)
	}
	meeting := visibleText(get(t, h, "/conferences/"+traceWeekly).Body.String())
	assert.Contains(t, meeting, "Layout speakerOnly")
	assert.Contains(t, meeting, "leg in alarm now ▲ 1")
	assert.NotContains(t, meeting, "Nothing so far")
	assert.Contains(t, meeting[strings.Index(meeting, "What went wrong"):strings.Index(meeting, "Timeline")], "Ingrid Solheim On hold audio muted ▲ Bad: alarm: packet loss 6.7 %")
	assert.Contains(t, visibleText(get(t, h, "/people?address=ingrid.solheim@example.test").Body.String()), "Now On hold audio muted Connection quality ▲ Bad: alarm: packet loss 6.7 %")

	const state = `"leg_states":[{"id":"p-ingrid.solheim@example.test","at":"2026-03-05T14:30:00.000Z","state":"onHold","audio_muted":true,"video_muted":false,"layout":"speakerOnly"},` +
		`{"id":"p-ada.birch@example.test","at":"2026-03-05T14:30:00.000Z","state":"connected","presenting":true,"active_speaker":true}]`
	assert.Contains(t, get(t, h, "/api/v1/meetings/"+traceWeekly).Body.String(), state)
	body := get(t, h, "/api/v1/legs?state=running").Body.String()
	assert.Contains(t, body, `"id":"p-ada.birch@example.test","at":"2026-03-05T14:30:00.000Z","state":"connected"`)
	assert.Contains(t, body, `"loss_percent":6.7,"alarms":"packetLoss"`)
	assert.NotContains(t, get(t, h, "/api/v1/legs?state=ended").Body.String(), "leg_states")
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// visibleText is a page without its tags, each with a space instead.
func visibleText(page string) string {
	return spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(page, " ")), " ")
}

func TestDoingOf(t *testing.T) {
	for _, test := range []struct{ activity, state, want string }{
		{store.ActivityConnecting, "", "Connecting"},
		{store.ActivityConnecting, "ringing", "Ringing"},
		{store.ActivityConnecting, "connected", "Connected"},
		{store.ActivityLobby, "connected", "Waiting in the lobby"},
		{store.ActivityConnected, "onHold", "On hold"},
		{store.ActivityConnected, "another", "Connected"},
		{"", "", "In the call"},
	} {
		l := store.Leg{Activity: test.activity}
		l.ID = "l"
		assert.Equal(t, test.want, doingOf(&l, map[string]store.LegState{"l": {State: test.state}}), test)
	}
}
