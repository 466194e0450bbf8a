// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A row that the database cannot hold is left out; all others are written.
func TestRefusedRows(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		tx, err := s.d.begin(t.Context())
		require.NoError(t, err)
		if driver == PostgreSQL {
			_, err = tx.exec(t.Context(), "ALTER TABLE call_legs ADD CONSTRAINT no_evil CHECK (remote_party <> 'evil')")
		} else {
			_, err = tx.exec(t.Context(), "CREATE TRIGGER no_evil BEFORE INSERT ON call_legs WHEN NEW.remote_party = 'evil' BEGIN SELECT RAISE(ABORT, 'evil'); END")
		}
		require.NoError(t, err)
		require.NoError(t, tx.commit(t.Context()))
		b := &Batch{StorageEvents: []StorageEvent{{ID: "e", At: at(0), Action: "enter_low", Level: "low"}}}
		for i := range 20 {
			l := Leg{Object: Object{ID: fmt.Sprint("leg", i), TraceID: "t", SpanID: fmt.Sprint("span", i), State: StateEnded, StartedAt: at(0), EndedAt: at(1), LastHeardAt: at(1), Phase: Stitched}}
			if i%7 == 3 {
				l.RemoteParty = "evil"
			}
			b.Legs = append(b.Legs, l)
		}
		result, err := s.Write(t.Context(), b)
		require.NoError(t, err)
		assert.Equal(t, 18, result.Changed)
		require.Len(t, result.Rejected, 3)
		for i, r := range result.Rejected {
			assert.Equal(t, "call_legs", r.Table)
			assert.Equal(t, fmt.Sprint("span", i*7+3), r.SpanID)
			assert.Equal(t, map[string]string{SQLite: "SQLite's result code 1811", PostgreSQL: "SQLSTATE 23514"}[driver], r.Code)
		}
		rows, err := Select[Leg](t.Context(), s, "")
		require.NoError(t, err)
		assert.Len(t, rows, 17)
	})
}

// What is no fault of the batch is an error, and the batch is not written in
// part.
func TestWriteFails(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		b := &Batch{Legs: []Leg{{Object: Object{ID: "l", TraceID: "t", SpanID: "s", State: StateEnded, StartedAt: at(0), EndedAt: at(1), LastHeardAt: at(1), Phase: Stitched}}}}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Write(over, b)
		require.Error(t, err)
		tx, err := s.d.begin(t.Context())
		require.NoError(t, err)
		_, err = tx.exec(t.Context(), "ALTER TABLE conferences RENAME TO elsewhere")
		require.NoError(t, err)
		require.NoError(t, tx.commit(t.Context()))
		_, err = s.Write(t.Context(), b)
		require.Error(t, err)
		rows, err := Select[Leg](t.Context(), s, "")
		require.NoError(t, err)
		assert.Empty(t, rows)
	})
}

// Readers who take all the connections they can get keep no writer waiting.
func TestReadersDoNotHoldUpWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		ctx, cancel := context.WithCancel(t.Context())
		var reading sync.WaitGroup
		defer reading.Wait()
		defer cancel()
		const readers = 64
		got := make(chan struct{}, readers)
		for range readers {
			reading.Go(func() {
				v, err := s.View(ctx)
				if err != nil {
					return // there was no connection left
				}
				_, _ = v.number(ctx, "SELECT COUNT(*) FROM call_legs")
				got <- struct{}{}
				<-ctx.Done()
				_ = v.Close()
			})
		}
		for range 4 {
			<-got
		}
		write, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		result, err := s.Write(write, &Batch{Legs: []Leg{{Object: Object{ID: "l", TraceID: "t", SpanID: "s", State: StateEnded, StartedAt: at(0), EndedAt: at(1), LastHeardAt: at(1), Phase: Stitched}}}})
		require.NoError(t, err)
		assert.Equal(t, 1, result.Changed)
	})
}

// A row whose draft somebody spoilt holds up nothing.
func TestSpoiltDraft(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		leg := func(id string, phase Phase) Leg {
			return Leg{Object: Object{ID: id, TraceID: "t", SpanID: id, StartedAt: at(0), LastHeardAt: at(0), Phase: phase}, CallID: "c"}
		}
		_, err := s.Write(t.Context(), &Batch{Legs: []Leg{leg("null", Started), leg("other", Started), leg("good", Started)}})
		require.NoError(t, err)
		tx, err := s.d.begin(t.Context())
		require.NoError(t, err)
		for _, spoil := range []string{"draft = NULL WHERE id = 'null'", "draft = '[1]' WHERE id = 'other'"} {
			_, err = tx.exec(t.Context(), "UPDATE call_legs SET "+spoil)
			require.NoError(t, err)
		}
		require.NoError(t, tx.commit(t.Context()))
		ended := func(id string) Leg {
			l := leg(id, Ended)
			l.EndedAt, l.LastHeardAt, l.Reason = at(5), at(5), "remoteTeardown"
			return l
		}
		result, err := s.Write(t.Context(), &Batch{Legs: []Leg{ended("null"), ended("other"), ended("good")}})
		require.NoError(t, err)
		assert.Empty(t, result.Rejected)
		rows, err := Select[Leg](t.Context(), s, "WHERE state = 'ended' AND reason = 'remoteTeardown'")
		require.NoError(t, err)
		assert.Len(t, rows, 3)
	})
}
