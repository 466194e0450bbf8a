// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLegQuality: the last quality of a leg is kept as long as it runs.
func TestLegQuality(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		leg := func(id string, phase Phase, state string, seconds float64) Leg {
			var ended time.Time
			if phase == Ended {
				ended = at(seconds)
			}
			return Leg{Object: Object{
				ID: id, TraceID: "t-" + id, SpanID: "s-" + id, State: state, StartedAt: at(0), EndedAt: ended, LastHeardAt: at(seconds),
				Phase: phase, Revision: Revision{Time: at(seconds)},
			}}
		}
		quality := func(id string, seconds, loss float64) LegQuality {
			return LegQuality{ID: id, At: at(seconds), State: "connected", LossPercent: &loss, VideoBitRate: new(int64(1 << 40))}
		}
		write := func(b *Batch) {
			t.Helper()
			_, err := s.Write(t.Context(), b)
			require.NoError(t, err)
		}
		read := func() map[string]LegQuality {
			t.Helper()
			v, err := s.View(t.Context())
			require.NoError(t, err)
			defer v.Close()
			running, err := Select[Leg](t.Context(), v, "")
			require.NoError(t, err)
			all, err := v.Quality(t.Context(), running)
			require.NoError(t, err)
			for id, q := range all {
				q.At = q.At.UTC()
				all[id] = q
			}
			return all
		}
		write(&Batch{Legs: []Leg{leg("l1", Started, StateRunning, 0), leg("l2", Started, StateRunning, 0)}})
		assert.Empty(t, read())
		write(&Batch{Qualities: []LegQuality{quality("l1", 60, 1), quality("l1", 120, 2), quality("l1", 90, 9), quality("l2", 60, 0), quality("nobody", 60, 5)}})
		assert.Equal(t, map[string]LegQuality{"l1": quality("l1", 120, 2), "l2": quality("l2", 60, 0)}, read(), "the newest, of legs that run")
		write(&Batch{Qualities: []LegQuality{quality("l1", 100, 9)}})
		write(&Batch{Qualities: []LegQuality{quality("l2", 180, 3)}})
		assert.Equal(t, map[string]LegQuality{"l1": quality("l1", 120, 2), "l2": quality("l2", 180, 3)}, read(), "an older one changes nothing")

		write(&Batch{Legs: []Leg{leg("l1", Ended, StateEnded, 200)}})
		write(&Batch{Qualities: []LegQuality{quality("l1", 210, 7)}})
		rows, err := Select[LegQuality](t.Context(), s, "")
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Equal(t, "l2", rows[0].ID, "of a leg that has ended there is none")

		// Another process ended the leg: its row goes when old rows do.
		s.hasQualities = false
		write(&Batch{Legs: []Leg{leg("l2", Ended, StateEnded, 300)}})
		_, err = s.Expire(t.Context(), at(-3600))
		require.NoError(t, err)
		rows, err = Select[LegQuality](t.Context(), s, "")
		require.NoError(t, err)
		assert.Empty(t, rows)
		assert.WithinDuration(t, noon, at(0), time.Second)
	})
}
