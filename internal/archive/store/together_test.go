// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counted counts the transactions that were begun, and may fail them.
type counted struct {
	dialect
	begun int
	fail  error
	as    verdict // of fail
}

func (c *counted) begin(ctx context.Context) (transaction, error) {
	c.begun++
	if c.fail != nil {
		return nil, c.fail
	}
	return c.dialect.begin(ctx)
}

func (c *counted) classify(err error) verdict {
	if errors.Is(err, c.fail) && c.fail != nil {
		return c.as
	}
	return c.dialect.classify(err)
}

// oneLeg is a request about one leg.
func oneLeg(id, party string) *Batch {
	return &Batch{Legs: []Leg{{
		Object:      Object{ID: id, TraceID: "t", SpanID: id, State: StateEnded, StartedAt: at(0), EndedAt: at(1), LastHeardAt: at(1), Phase: Stitched},
		CallID:      "c",
		RemoteParty: party,
	}}}
}

// The batches of many requests are one transaction, and the rows are those of as
// many transactions.
func TestWriteTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		count := &counted{dialect: s.d}
		s.d = count
		var batches []*Batch
		for i := range 20 {
			batches = append(batches, oneLeg(fmt.Sprint("leg ", i%15), "ann")) // some say the same again
		}
		result, errs := s.WriteTogether(t.Context(), batches)
		assert.Equal(t, make([]error, 20), errs)
		assert.Equal(t, Result{Transactions: 1, Changed: 15, Unchanged: 5}, result)
		assert.Equal(t, 1, count.begun)
		together, err := Select[Conference](t.Context(), s, "")
		require.NoError(t, err)
		for _, b := range batches {
			result, err := s.Write(t.Context(), b)
			require.NoError(t, err)
			assert.Equal(t, Result{Unchanged: 1}, result)
		}
		alone, err := Select[Conference](t.Context(), s, "")
		require.NoError(t, err)
		assert.Equal(t, alone, together)
		assert.EqualValues(t, 15, together[0].Legs)
	})
}

// stuck makes the database refuse a leg in a way that may pass: it does not say
// that it can never hold the row.
func stuck(t *testing.T, s *Store) {
	t.Helper()
	tx, err := s.d.begin(t.Context())
	require.NoError(t, err)
	statements := []string{"CREATE TRIGGER stuck BEFORE INSERT ON call_legs WHEN NEW.remote_party = 'stuck' BEGIN SELECT json('{'); END"}
	if s.Driver() == PostgreSQL {
		statements = []string{
			"CREATE FUNCTION stuck() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$ LANGUAGE plpgsql",
			"CREATE TRIGGER stuck BEFORE INSERT ON call_legs FOR EACH ROW WHEN (NEW.remote_party = 'stuck') EXECUTE PROCEDURE stuck()",
		}
	}
	for _, statement := range statements {
		_, err = tx.exec(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, tx.commit(t.Context()))
}

// A batch that fails each time does not keep those out that share its transaction.
func TestOneOfManyIsStuck(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		stuck(t, s)
		count := &counted{dialect: s.d}
		s.d = count
		batches := []*Batch{oneLeg("a", "ann"), oneLeg("b", "stuck"), oneLeg("c", "cid")}
		result, errs := s.WriteTogether(t.Context(), batches)
		require.NoError(t, errs[0])
		require.Error(t, errs[1])
		require.NoError(t, errs[2])
		assert.Equal(t, Result{Transactions: 2, Failed: 2, Changed: 2}, result)
		assert.Equal(t, 4, count.begun)
		rows, err := Select[Leg](t.Context(), s, "ORDER BY id")
		require.NoError(t, err)
		require.Len(t, rows, 2)
		assert.Equal(t, []string{"a", "c"}, []string{rows[0].ID, rows[1].ID})
	})
}

// A database that takes nothing is asked once for all of a transaction.
func TestUnavailableIsAskedOnce(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	for as, want := range map[verdict]int{unavailable: 1, tryAgain: 4} {
		count := &counted{dialect: s.d, fail: errors.New("no"), as: as}
		with := &Store{d: count, turn: make(chan struct{}, 1)}
		_, errs := with.WriteTogether(t.Context(), []*Batch{oneLeg("a", ""), oneLeg("b", ""), oneLeg("c", "")})
		for _, err := range errs {
			require.ErrorIs(t, err, count.fail)
		}
		assert.Equal(t, want, count.begun)
	}
}

// Who waits for another one's write waits no longer than for its context.
func TestWaitForTheWriteBefore(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	require.NoError(t, s.takeTurn(t.Context()))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Write(over, oneLeg("a", ""))
	require.ErrorIs(t, err, context.Canceled)
	_, errs := s.WriteTogether(over, []*Batch{oneLeg("a", "")})
	require.ErrorIs(t, errs[0], context.Canceled)
	_, err = s.Expire(over, noon)
	require.ErrorIs(t, err, context.Canceled)
	s.endTurn()
}

func TestClassify(t *testing.T) {
	for _, row := range []struct {
		err  error
		want verdict
	}{
		{&pgconn.PgError{Code: "22021"}, refused},
		{&pgconn.PgError{Code: "23514"}, refused},
		{&pgconn.PgError{Code: "54000"}, refused},
		{&pgconn.PgError{Code: "23505"}, tryAgain},
		{&pgconn.PgError{Code: "P0001"}, tryAgain},
		{&pgconn.PgError{Code: "42501"}, tryAgain},
		{&pgconn.PgError{Code: "57P01"}, unavailable},
		{&pgconn.PgError{Code: "53300"}, unavailable},
		{&pgconn.PgError{Code: "08006"}, unavailable},
		{fmt.Errorf("write: %w", io.ErrUnexpectedEOF), unavailable},
		{errors.New("cannot encode"), tryAgain},
	} {
		assert.Equal(t, row.want, (&postgresDialect{}).classify(row.err), "%v", row.err)
	}
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	for statement, want := range map[string]verdict{
		"INSERT INTO storage_events (id) VALUES (NULL)": unavailable, // readers cannot write
		"SELECT json('{')":       tryAgain,
		"SELECT zeroblob(1<<31)": refused,
	} {
		_, err := s.Reader().ExecContext(t.Context(), statement)
		require.Error(t, err, statement)
		assert.Equal(t, want, s.d.classify(err), "%s: %v", statement, err)
	}
}

// SQLite reads the text of a transaction's queries once, not in each transaction.
func TestQueriesArePreparedOnce(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	d := s.d.(*sqliteDialect)
	wanted := make([]int, 3)
	for i := range wanted {
		_, err := s.Write(t.Context(), oneLeg(fmt.Sprint("leg ", i), "ann"))
		require.NoError(t, err)
		wanted[i] = len(d.wanted)
	}
	assert.Positive(t, wanted[0])
	assert.Equal(t, []int{0, 0}, wanted[1:])
	assert.GreaterOrEqual(t, len(d.queries), wanted[0])
}
