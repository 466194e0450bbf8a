// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// tell runs for a while, then to the end.
func tell(cfg Config, during time.Duration) ([]Event, *World) {
	cfg.Start = start
	if cfg.Servers == 0 {
		cfg.Servers = 2
	}
	w := New(cfg)
	var list []Event
	for at, more := w.When(); more; at, more = w.When() {
		if at.Sub(start) > during {
			w.Close()
		}
		list = append(list, w.Step()...)
	}
	return list, w
}

func TestSameConfigSameStory(t *testing.T) {
	one, _ := tell(Config{Seed: 4}, time.Hour)
	two, _ := tell(Config{Seed: 4}, time.Hour)
	other, _ := tell(Config{Seed: 5}, time.Hour)
	assert.Equal(t, one, two)
	assert.NotEqual(t, one, other)
}

// TestEventsAreCopies: later changes of a session do not change its earlier events.
func TestEventsAreCopies(t *testing.T) {
	list, _ := tell(Config{Seed: 4}, time.Hour)
	for _, ev := range list {
		if payload, ok := ev.Payload.(Started); ok {
			assert.Equal(t, Active, payload.Session.State)
			assert.Zero(t, payload.Session.End)
			assert.Empty(t, payload.Session.Tags)
			for _, track := range payload.Session.Tracks {
				assert.Zero(t, track.End)
				assert.Len(t, track.Participants, 1)
				assert.Zero(t, track.Participants[0].End)
			}
		}
	}
}

// TestLives holds every scenario to the order of things and counts what is in it.
func TestLives(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(8) {
		for _, short := range []bool{false, true} {
			during := time.Hour
			if short {
				during = 5 * time.Minute
			}
			list, _ := tell(Config{Seed: seed, Short: short}, during)
			checkLives(t, list, seen)
		}
	}
	for _, kind := range []string{
		"cucm", "cube", "video", "far end", "near end", "other server", "conference", "error", "no length",
		"deleted", "pruned", "unknown pruned", "batch", "tag ADDED", "tag UPDATED", "tag DELETED", "late tag", "track tag",
		"whole tag", "present", "doc id",
	} {
		assert.Positive(t, seen[kind], kind)
	}
}

func checkLives(t *testing.T, list []Event, seen map[string]int) {
	t.Helper()
	open, closed := map[string]Session{}, map[string]Session{}
	gone := map[string]bool{}
	var last time.Time
	for _, ev := range list {
		require.False(t, ev.At.Before(last))
		require.Equal(t, ev.At.Truncate(time.Millisecond), ev.At)
		last = ev.At
		switch payload := ev.Payload.(type) {
		case Started:
			s := payload.Session
			require.NotContains(t, open, s.ID)
			require.NotContains(t, closed, s.ID)
			require.Equal(t, ev.At, s.Start)
			require.Equal(t, ev.Server, s.Server)
			open[s.ID] = s
			countStart(t, s, closed, seen)
		case Updated:
			require.Contains(t, open, payload.Session.ID)
			require.Equal(t, open[payload.Session.ID].Server, ev.Server)
			checkTracks(t, payload.Session)
			count(seen, "present", payload.Present)
			count(seen, "far end", true)
			count(seen, "conference", slices.ContainsFunc(payload.Session.Tracks, func(x Track) bool {
				return x.Participants[len(x.Participants)-1].Conference
			}))
		case Ended:
			s := payload.Session
			require.Contains(t, open, s.ID)
			require.Equal(t, ev.At, s.End)
			require.NotEqual(t, Active, s.State)
			delete(open, s.ID)
			closed[s.ID] = s
			checkTracks(t, s)
			count(seen, "error", s.State == ClosedError)
			count(seen, "no length", s.End.Equal(s.Start))
		case Removed:
			require.NotEmpty(t, payload.IDs)
			count(seen, "batch", len(payload.IDs) > 1)
			for _, id := range payload.IDs {
				require.NotContains(t, open, id)
				require.False(t, gone[id])
				gone[id] = true
				_, known := closed[id]
				count(seen, "unknown pruned", !known)
			}
			count(seen, "pruned", payload.Pruned)
			count(seen, "deleted", !payload.Pruned)
		case Tagged:
			require.False(t, gone[payload.Session])
			_, over := closed[payload.Session]
			require.True(t, over || open[payload.Session].ID != "")
			count(seen, "late tag", over)
			count(seen, "track tag", payload.Track != NoTrack)
			count(seen, "whole tag", payload.Tag.At.IsZero())
			seen["tag "+string(payload.Action)]++
			require.False(t, payload.Tag.Created.IsZero())
		}
	}
	assert.Empty(t, open, "all sessions end")
}

func countStart(t *testing.T, s Session, closed map[string]Session, seen map[string]int) {
	t.Helper()
	count(seen, "cucm", s.Controller.Type == CUCM)
	count(seen, "cube", s.Controller.Type == CUBE)
	count(seen, "doc id", len(s.ID) > 20)
	count(seen, "video", len(s.Tracks) == 4)
	if s.Former == "" {
		return
	}
	former := closed[s.Former]
	require.Equal(t, former.CCID, s.CCID)
	require.False(t, s.Start.Before(former.End))
	count(seen, "near end", true)
	count(seen, "other server", former.Server != s.Server)
}

func count(seen map[string]int, payload string, is bool) {
	if is {
		seen[payload]++
	}
}

func checkTracks(t *testing.T, s Session) {
	t.Helper()
	for _, track := range s.Tracks {
		require.NotEmpty(t, track.Participants)
		for i, p := range track.Participants {
			if i > 0 {
				require.Equal(t, track.Participants[i-1].End, p.Start)
				require.Empty(t, p.DeviceID)
			}
			require.Equal(t, p.End.IsZero(), s.State == Active && i == len(track.Participants)-1)
		}
		inactive := false
		for _, tag := range track.Tags {
			require.Equal(t, inactive, tag.Name == TrackActive, "in pairs")
			inactive = tag.Name == TrackInactive
		}
	}
}

// TestHysteresis follows each disk by the thresholds alone.
func TestHysteresis(t *testing.T) {
	for seed := range uint64(12) {
		list, w := tell(Config{Seed: seed, Short: seed%2 == 0}, time.Hour)
		level := map[Disk]Level{}
		for _, ev := range list {
			payload, ok := ev.Payload.(Crossed)
			if !ok {
				continue
			}
			from, percent := level[payload.Disk], payload.Percent
			if payload.Threshold.Enter {
				require.Equal(t, from+1, payload.Threshold.Level, "one level at a time")
				require.GreaterOrEqual(t, percent, map[Level]int{Low: 75, Critical: 90, Emergency: 99}[payload.Threshold.Level])
				level[payload.Disk]++
			} else {
				require.Equal(t, from, payload.Threshold.Level)
				require.LessOrEqual(t, percent, map[Level]int{Low: 70, Critical: 85, Emergency: 97}[payload.Threshold.Level])
				level[payload.Disk]--
			}
			require.Equal(t, payload.Disk.Node, ev.Server+1)
		}
		for _, d := range w.Disks() {
			assert.Equal(t, level[d.Disk], d.Level)
			assert.GreaterOrEqual(t, d.Ratio, 0.0)
			assert.LessOrEqual(t, d.Ratio, 1.0)
		}
	}
}

// TestAWholeCycle: within four minutes of a demonstration a disk goes through
// low, critical and emergency, and back.
func TestAWholeCycle(t *testing.T) {
	for seed := range uint64(20) {
		list, _ := tell(Config{Seed: seed, Short: true}, 4*time.Minute)
		cycles := map[Disk][]string{}
		for _, ev := range list {
			if payload, ok := ev.Payload.(Crossed); ok {
				cycles[payload.Disk] = append(cycles[payload.Disk], payload.Threshold.Action())
			}
		}
		whole := 0
		for _, actions := range cycles {
			if len(actions) >= 6 && slices.Equal(actions[:6], []string{
				"ENTER_LOW_STORAGE_SPACE", "ENTER_CRITICAL_STORAGE_SPACE", "ENTER_EMERGENCY_STORAGE_SPACE",
				"EXIT_EMERGENCY_STORAGE_SPACE", "EXIT_CRITICAL_STORAGE_SPACE", "EXIT_LOW_STORAGE_SPACE",
			}) {
				whole++
			}
		}
		assert.Positive(t, whole, "seed %d: %v", seed, cycles)
	}
}

// TestARoomyDisk crosses nothing.
func TestARoomyDisk(t *testing.T) {
	list, w := tell(Config{Seed: 1, Disk: 1e13}, time.Hour)
	for _, ev := range list {
		_, crossed := ev.Payload.(Crossed)
		assert.False(t, crossed)
	}
	assert.Zero(t, w.Refused())
}
