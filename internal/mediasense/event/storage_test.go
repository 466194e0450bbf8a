// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const window = 10 * time.Second

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// The table of the guide: from every level, every event leads where it says,
// if it comes alone.
func TestEachEventAlone(t *testing.T) {
	want := map[Type]Level{
		EnterLow: Low, ExitLow: Normal, EnterCritical: Critical, ExitCritical: Low, EnterEmergency: Emergency, ExitEmergency: Critical,
	}
	for from := range LevelCount {
		for event, to := range want {
			u := Restore(from, 50, noon)
			u.Apply(event, 77, noon.Add(window), window)
			assert.Equal(t, to, u.Level, "%s, then %s", from, event.Action())
			assert.EqualValues(t, 77, u.Percentage)
		}
	}
	var u Usage
	u.Apply(SessionEnded, 1, noon, window)
	assert.Zero(t, u, "no threshold event")
}

// walk is a disk that fills and is emptied: the events in their order, and the
// level at the end.
func walk(from Level, steps int, dice *rand.Rand) (events []Type, level Level) {
	up := [...]Type{EnterLow, EnterCritical, EnterEmergency}
	down := [...]Type{ExitLow, ExitCritical, ExitEmergency}
	level = from
	for range steps {
		if level == Normal || level < Emergency && dice.IntN(2) == 0 {
			events = append(events, up[level])
			level++
		} else {
			level--
			events = append(events, down[level])
		}
	}
	return events, level
}

// Events that come close together may come in any order: every permutation of
// every short walk, and shuffles of long ones.
func TestAnyOrder(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		from := Level(dice.IntN(int(LevelCount)))
		events, want := walk(from, 1+dice.IntN(6), dice)
		permutations(events, func(order []Type) {
			assert.Equal(t, want, play(from, order), "from %s: %v, happened as %v", from, order, events)
		})
	}
	for range 2000 {
		from := Level(dice.IntN(int(LevelCount)))
		events, want := walk(from, 1+dice.IntN(maxRecentEvents), dice)
		dice.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		require.Equal(t, want, play(from, events), "from %s: %v", from, events)
	}
}

func play(from Level, events []Type) Level {
	u := Restore(from, NoPercentage, noon.Add(-time.Hour))
	for i, event := range events {
		u.Apply(event, NoPercentage, noon.Add(time.Duration(i)*time.Millisecond), window)
	}
	return u.Level
}

func permutations(events []Type, visit func([]Type)) {
	var step func(k int)
	order := slices.Clone(events)
	step = func(k int) {
		if k == len(order) {
			visit(order)
			return
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			step(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	step(0)
}

// Where events are lost, the last one counts, close together or not.
func TestLostEvents(t *testing.T) {
	f := func(apart time.Duration, want Level, events ...Type) {
		t.Helper()
		var u Usage
		for i, event := range events {
			u.Apply(event, NoPercentage, noon.Add(time.Duration(i)*apart), window)
		}
		assert.Equal(t, want, u.Level, "%v", events)
	}
	for _, apart := range []time.Duration{time.Millisecond, window} {
		f(apart, Critical, EnterCritical)
		f(apart, Low, EnterCritical, ExitCritical)
		f(apart, Normal, EnterCritical, ExitCritical, ExitLow)
		f(apart, Normal, EnterLow, EnterCritical, ExitLow)
		f(apart, Critical, ExitEmergency)
		f(apart, Low, EnterLow, ExitCritical)
		f(apart, Emergency, EnterLow, EnterEmergency)
	}
	f(window, Low, EnterCritical, EnterLow) // not close together: all that lies between was lost
}

// TestUnknownBase: a partition without events before, or whose events before were
// lost, is at the right level whatever the order of its first events.
func TestUnknownBase(t *testing.T) {
	f := func(want Level, happened ...Type) {
		t.Helper()
		permutations(happened, func(order []Type) {
			var u Usage
			for i, event := range order {
				u.Apply(event, NoPercentage, noon.Add(time.Duration(i)*time.Millisecond), window)
			}
			assert.Equal(t, want, u.Level, "%v", order)
		})
	}
	f(Normal, ExitLow)
	f(Low, ExitCritical)
	f(Critical, ExitEmergency)
	f(Critical, EnterCritical)
	f(Normal, EnterLow, ExitLow)
	f(Low, EnterCritical, ExitCritical)
	f(Critical, EnterEmergency, ExitEmergency)
	f(Normal, ExitCritical, ExitLow)
	f(Normal, ExitEmergency, ExitCritical, ExitLow)
	f(Low, ExitEmergency, ExitCritical)
	f(Critical, EnterLow, EnterCritical)
	f(Emergency, EnterLow, EnterCritical, EnterEmergency)
	f(Low, ExitEmergency, ExitCritical, ExitLow, EnterLow)
	f(Low, EnterCritical, ExitCritical, EnterCritical, ExitCritical)
	f(Normal, EnterCritical, ExitCritical, ExitLow)

	// A level that the events contradict is no better than none.
	permutations([]Type{ExitEmergency, ExitCritical, ExitLow}, func(order []Type) {
		for base := range LevelCount {
			assert.Equal(t, Normal, play(base, order), "from %s: %v", base, order)
		}
	})
}

// The percentage is that of the event that brought the level about.
func TestPercentage(t *testing.T) {
	var u Usage
	u.Apply(EnterCritical, 91, noon, window)
	u.Apply(EnterLow, 76, noon.Add(time.Second), window)
	assert.Equal(t, Critical, u.Level)
	assert.EqualValues(t, 91, u.Percentage)
	u.Apply(ExitCritical, 84, noon.Add(time.Hour), window)
	assert.EqualValues(t, 84, u.Percentage)
	// A clock that is set back makes what was before the past.
	u.Apply(EnterCritical, 92, noon, window)
	assert.Equal(t, Critical, u.Level)
}

// Requests that come together are not applied in the order of their times; that
// makes none of them the past.
func TestLaterEventAppliedFirst(t *testing.T) {
	var u Usage
	u.Apply(EnterCritical, 91, noon.Add(time.Millisecond), window)
	u.Apply(EnterLow, 76, noon, window)
	assert.Equal(t, Critical, u.Level)
	assert.EqualValues(t, 91, u.Percentage)
	assert.Equal(t, noon.Add(time.Millisecond), u.Changed)
	u.Apply(ExitCritical, 84, noon.Add(window), window)
	assert.Equal(t, Low, u.Level, "still within the window of the later one")
}
