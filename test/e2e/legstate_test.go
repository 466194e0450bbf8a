// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

// lastStates folds the event records into the elements of each participant who is there
// at the end.
func (c *collector) lastStates() map[string]map[string]string {
	const prefix = "cisco.meeting_server.participant."
	all := c.output()
	slices.SortStableFunc(all, func(a, b written) int { return cmp.Compare(a.time, b.time) })
	states := map[string]map[string]string{}
	for _, w := range all {
		action, found := strings.CutPrefix(w.event, "cisco.meeting_server.event.participant.")
		if !found {
			continue
		}
		id := w.attributes[prefix+"id"]
		switch action {
		case "remove":
			delete(states, id)
			continue
		case "add":
			states[id] = map[string]string{}
		}
		if states[id] == nil {
			states[id] = map[string]string{} // an update that overtook the add
		}
		for key, value := range w.attributes {
			states[id][strings.TrimPrefix(key, prefix)] = value
		}
	}
	return states
}

// liveArchive is what the archive has of running legs.
type liveArchive struct {
	states []store.LegState
	// legs run, shown are how many of them have a state.
	legs, shown int
}

// readLive waits until the archive has the participants who are there at the end of the
// simulation, by state, and returns the rows. callstitch without storage ends all legs when
// it stops, and their states go with them: read first, then stop.
func (is *eventsTruth) readLive(c *collector) (live liveArchive) {
	t := c.t
	t.Helper()
	s, err := store.Open(t.Context(), store.SQLite, filepath.Join(c.directory, "calls.db"))
	require.NoError(t, err)
	defer s.Close()
	expected := map[string]int{}
	for _, p := range is.Events.Participants {
		expected[p.State] += p.Count
	}
	var counts map[string]int
	right := assert.Eventually(t, func() bool {
		live.states, err = store.Select[store.LegState](t.Context(), s, "WHERE state IS NOT NULL ORDER BY id")
		require.NoError(t, err)
		counts = map[string]int{}
		for i := range live.states {
			counts[live.states[i].State]++
		}
		return maps.Equal(expected, counts)
	}, waitFor, 10*tick)
	if !right {
		assert.Equal(t, expected, counts, "participants by state at the end of the simulation")
	}
	v, err := s.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	legs, err := store.Select[store.Leg](t.Context(), v, "WHERE state = 'running'")
	require.NoError(t, err)
	shown, err := v.LegStates(t.Context(), legs)
	require.NoError(t, err)
	live.legs, live.shown = len(legs), len(shown)
	return live
}

// compare compares the states of the archive with the event records.
func (live *liveArchive) compare(c *collector) {
	t := c.t
	t.Helper()
	want := c.lastStates()
	isTrue := func(v *bool) bool { return v != nil && *v }
	muted := 0
	for _, row := range live.states {
		state := want[row.ID]
		assert.NotNil(t, state, "participant %s left", row.ID)
		assert.Equal(t, state["state"], row.State, "state of participant %s", row.ID)
		assert.Equal(t, state["layout"], row.Layout, "layout of participant %s", row.ID)
		for key, value := range map[string]*bool{"audio_muted": row.AudioMuted, "video_muted": row.VideoMuted, "presenter": row.Presenting, "active_speaker": row.ActiveSpeaker} {
			assert.Equal(t, state[key] == "true", isTrue(value), "%s of participant %s", key, row.ID)
		}
		if isTrue(row.AudioMuted) {
			muted++
		}
	}
	assert.Len(t, live.states, len(want), "each participant who is there has a state")
	assert.Positive(t, muted, "nobody is muted at the end, so there is nothing to compare")
	assert.Positive(t, live.shown, "running legs show the state of their participants")
	t.Logf("%d participants, %d muted; %d running legs, %d of them with a state", len(live.states), muted, live.legs, live.shown)
}
