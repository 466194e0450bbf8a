// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is too old goes, with everything that belongs to it; what is not too old
// stays, with everything that belongs to it, however old that is.
func TestExpire(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		object := func(id, trace string, start, end time.Time) Object {
			o := Object{ID: id, TraceID: trace, SpanID: "s" + id, State: StateEnded, Outcome: "complete", StartedAt: start, EndedAt: end, LastHeardAt: end, Phase: Stitched}
			return o
		}
		b := &Batch{}
		old, young := noon.Add(-48*time.Hour), noon
		// Many old conferences, so that it takes several steps.
		for i := range ExpireStep + 10 {
			trace := fmt.Sprint("old", i)
			b.Calls = append(b.Calls, Call{Object: object(fmt.Sprint("c", i), trace, old, old.Add(time.Hour))})
			b.Legs = append(b.Legs, Leg{Object: object(fmt.Sprint("l", i), trace, old, old.Add(time.Hour))})
		}
		b.Recordings = append(b.Recordings, Recording{Object: object("r", "old0", old, old.Add(time.Hour)), Kind: KindRecording})
		b.Dialogs = append(b.Dialogs, Dialog{Object: object("d", "old0", old, old.Add(time.Hour))})
		// A conference that went on: its first leg is as old as the others.
		b.Calls = append(b.Calls, Call{Object: object("long", "long", old, young)})
		b.Legs = append(b.Legs, Leg{Object: object("first", "long", old, old.Add(time.Minute))})
		// What is in no conference.
		b.Legs = append(b.Legs, Leg{Object: object("scan", "scan", old, old)}, Leg{Object: object("scan2", "scan2", young, young)})
		// Sessions and what they left.
		b.Sessions = append(b.Sessions, Session{Object: object("s1", "s1", old, old)}, Session{Object: object("s2", "s2", old, young)})
		b.Tracks = append(b.Tracks, Track{Object: object("t1", "s1", old, old), SessionID: "s1"}, Track{Object: object("t2", "s2", old, old), SessionID: "s2"}, Track{Object: object("t3", "x", old, old), SessionID: "gone"})
		b.StorageEvents = append(b.StorageEvents, StorageEvent{ID: "e1", At: old, Action: "a", Level: "low"}, StorageEvent{ID: "e2", At: young, Action: "a", Level: "low"})
		// A call that somebody forgot to end.
		lost := object("lost", "lost", old, time.Time{})
		lost.StartedAt = noon.Add(-24*time.Hour - runningGrace - time.Minute)
		lost.Phase, lost.LastHeardAt, lost.Outcome = Started, lost.StartedAt, ""
		b.Calls = append(b.Calls, Call{Object: lost})
		// And a meeting in which nobody came or went for long, but which still runs:
		// what is over in it stays with it.
		quiet := lost
		quiet.ID, quiet.TraceID, quiet.StartedAt, quiet.LastHeardAt = "quiet", "quiet", old, old
		b.Calls = append(b.Calls, Call{Object: quiet})
		b.Legs = append(b.Legs, Leg{Object: object("left", "quiet", old, old)})
		_, err := s.Write(t.Context(), b)
		require.NoError(t, err)

		deleted, err := s.Expire(t.Context(), noon.Add(-24*time.Hour))
		require.NoError(t, err)
		assert.Equal(t, map[string]int64{
			"conferences": ExpireStep + 11, "calls": ExpireStep + 11, "call_legs": ExpireStep + 11, "recordings": 1, "dialogs": 1,
			"sessions": 1, "tracks": 2, "storage_events": 1,
		}, deleted)
		ids := func(table, column string) (all []string) {
			found, err := s.Query(t.Context(), "SELECT "+column+" FROM "+table+" ORDER BY 1")
			require.NoError(t, err)
			defer found.Close()
			for found.Next() {
				var id string
				require.NoError(t, found.Scan(&id))
				all = append(all, id)
			}
			return all
		}
		assert.Equal(t, []string{"long", "quiet"}, ids("conferences", "trace_id"))
		assert.Equal(t, []string{"long", "quiet"}, ids("calls", "id"))
		assert.Equal(t, []string{"first", "left", "scan2"}, ids("call_legs", "id"))
		assert.Equal(t, []string{"s2"}, ids("sessions", "id"))
		assert.Equal(t, []string{"t2"}, ids("tracks", "id"))
		assert.Equal(t, []string{"e2"}, ids("storage_events", "id"))

		deleted, err = s.Expire(t.Context(), noon.Add(-24*time.Hour))
		require.NoError(t, err)
		assert.Empty(t, deleted)
	})
}

// silent is a database that does not answer while it is silent.
type silent struct {
	dialect
	silent bool
}

var errAnswered = errors.New("it answers")

func (d *silent) begin(ctx context.Context) (transaction, error) {
	if d.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, errAnswered
}

func (*silent) classify(error) verdict { return unavailable }

// Whatever writes besides the exports does not keep the turn for longer than exports wait for
// theirs when the database falls silent.
func TestTurnsHaveADeadline(t *testing.T) {
	for name, do := range map[string]func(context.Context, *Store) error{
		"expire": func(ctx context.Context, s *Store) error {
			_, err := s.Expire(ctx, noon)
			return err
		},
		"expire live rows": func(ctx context.Context, s *Store) error {
			_, err := s.ExpireLive(ctx, noon)
			return err
		},
		"add up usage": func(ctx context.Context, s *Store) error {
			_, err := s.AddUpUsage(ctx, noon)
			return err
		},
		"mark days": func(ctx context.Context, s *Store) error { return s.markDays(ctx, []time.Time{noon}) },
		"hold":      func(ctx context.Context, s *Store) error { return s.Hold(ctx, "t", "", noon) },
		"release": func(ctx context.Context, s *Store) error {
			_, err := s.Release(ctx, "t")
			return err
		},
		"erase": func(ctx context.Context, s *Store) error {
			return s.eraseTerms(ctx, &Erasure{Names: []string{"ann"}}, &Erased{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &silent{silent: true}
				s := &Store{d: d, turn: make(chan struct{}, 1)}
				var failed error
				go func() { failed = do(t.Context(), s) }()
				synctest.Wait()
				d.silent = false
				began := time.Now()
				waiting, cancel := context.WithTimeout(t.Context(), 30*time.Second) // the exporter's default
				defer cancel()
				_, err := s.Write(waiting, oneLeg("l", "ann"))
				require.ErrorIs(t, err, errAnswered)
				assert.Equal(t, turnTimeout, time.Since(began))
				synctest.Wait()
				require.ErrorIs(t, failed, context.DeadlineExceeded)
			})
		})
	}
}
