// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// stopped is a processor with storage that is stopped and killed time and again,
// and emits what it can between that.
type stopped struct {
	*world
	tb  testing.TB
	e   *Engine
	now time.Time
	out []string
}

func (s *stopped) emit() {
	advance(s.e, s.now)
	s.out = append(s.out, emit(s.e, s.now)...)
}

// stop stops or kills the process. Its records wait at their senders until it is
// back.
func (s *stopped) stop() {
	if s.chance(50) {
		for s.e.Flush(s.now) {
		}
		s.out = append(s.out, emit(s.e, s.now)...)
	}
	s.e = restart(s.tb, s.e, s.now)
	s.now = s.now.Add(time.Duration(300+s.IntN(3600)) * time.Second)
	s.e = restart(s.tb, s.e, s.now) // the grace begins now
}

var dueAndLinks = regexp.MustCompile(` (due|moved|replaces)=\S+`)

// endings sorts descriptions, and leaves out when each was due, because a stop
// does not wait for that, and links to objects that are not known yet or are
// forgotten. Of an expired object, which has no end, its id alone stays: the leg
// that it belongs to may be forgotten too.
func endings(lines []string) string {
	all := slices.Clone(lines)
	for i := range all {
		all[i] = dueAndLinks.ReplaceAllString(all[i], "")
		if id, _, expired := strings.Cut(all[i], " expired "); expired {
			all[i], _, _ = strings.Cut(id, " trace=")
			all[i] += " expired"
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestStops: an object ends as it would without a stop or a crash, even if its
// call or its session ended before that and its own end comes after it.
func TestStops(t *testing.T) {
	seeds := 2000
	if testing.Short() || raceEnabled {
		seeds = 300
	}
	for seed := range uint64(seeds) {
		w := newWorld(seed, 1)
		for n := range 1 + w.IntN(3) {
			w.call(0, n, n, 30*n, 1+w.IntN(4))
		}
		w.session(0, 0, 20)
		w.lose(w.IntN(20))
		ends := slices.DeleteFunc(slices.Clone(w.all), func(h happening) bool { return h.session == "" && h.record.Phase != End })
		lives := slices.DeleteFunc(w.all, func(h happening) bool { return h.session != "" || h.record.Phase == End })
		w.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
		want := play(t, slices.Concat(lives, ends))

		s := &stopped{world: w, tb: t, e: New(options), now: noon}
		for i := range lives {
			lives[i].happen(t, s.e, s.now)
		}
		begin := w.IntN(len(ends) + 1)
		for i := range ends {
			if i == begin || i > begin && s.chance(20) {
				s.stop()
			}
			if i >= begin {
				s.now = s.now.Add(time.Duration(s.IntN(20)) * time.Second)
				s.emit()
			}
			ends[i].happen(t, s.e, s.now)
		}
		late := s.e.Stats().Late
		s.out = append(s.out, finish(t, s.e, s.now)...)
		if got := endings(s.out); got != endings(want) {
			require.Equal(t, endings(want), got, "seed %d", seed)
		}
		require.Zero(t, late, "seed %d", seed)
	}
}

// TestStopBeforeOwnEnd: a stop emits what a record of its own ended, and leaves
// what only its call ended: that may have an end of its own on the way.
func TestStopBeforeOwnEnd(t *testing.T) {
	s := newStory(t, options)
	in := textField(names.CallID, "c")
	s.tell("a", Call, "c", Start, 0)
	for _, id := range []string{"own", "late", "lost"} {
		s.tell("a", CallLeg, id, Start, 1, in)
	}
	s.tell("a", CallLeg, "own", End, 50)
	s.tell("a", Call, "c", End, 60)
	for s.e.Flush(s.now) {
	}
	flushed := s.out()
	assert.Equal(t, Complete, flushed["c"].Outcome)
	assert.Equal(t, Complete, flushed["own"].Outcome)
	require.Len(t, flushed, 2)

	s.e = restart(t, s.e, s.now)
	s.wait(graceFirst - time.Second)
	assert.Empty(t, s.out())
	s.tell("a", CallLeg, "late", End, 59)
	s.wait(0)
	s.wait(time.Second)
	all := s.out()
	assert.Equal(t, Complete, all["late"].Outcome)
	assert.Equal(t, clock(at(59)), clock(all["late"].End))
	assert.Equal(t, flushed["c"].Trace, all["late"].Trace)
	assert.Equal(t, clock(noon.Add(options.Linger).UnixNano()), clock(all["late"].PendingSince), "as without the restart")
	assert.Equal(t, CallEnded, all["lost"].Outcome)
	assert.Equal(t, clock(at(60)), clock(all["lost"].End))
	assert.Equal(t, clock(noon.Add(options.Linger).UnixNano()), clock(all["lost"].PendingSince))
	assert.Zero(t, s.e.Stats().Late)
}
