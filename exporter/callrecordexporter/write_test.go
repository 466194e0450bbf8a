// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"database/sql"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// locked is an archive whose write lock somebody else has.
type locked struct {
	*harness
	*store.Store
	unlock func()
}

// onLocked runs a test on both databases, locked.
func onLocked(t *testing.T, values map[string]any, prepare map[string]string, test func(*testing.T, locked)) {
	t.Helper()
	with := func(more map[string]any) map[string]any {
		all := map[string]any{}
		maps.Copy(all, values)
		maps.Copy(all, more)
		return all
	}
	t.Run("sqlite", func(t *testing.T) {
		r := newHarness(t, with(nil))
		db, err := sql.Open("sqlite", r.source+"?_pragma=busy_timeout(10000)") // the archive writes by itself too
		require.NoError(t, err)
		defer db.Close()
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		execute := func(statement string) {
			_, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement)
			require.NoError(t, err)
		}
		execute(prepare["sqlite"])
		s := r.archive()
		execute("BEGIN IMMEDIATE")
		test(t, locked{r, s, func() { execute("COMMIT") }})
	})
	t.Run("postgres", func(t *testing.T) {
		source := postgres.Shared(t).Database(t)
		r := newHarness(t, with(map[string]any{"driver": "postgres", "datasource": source}))
		s, err := store.Open(t.Context(), store.PostgreSQL, source)
		require.NoError(t, err)
		defer s.Close()
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.Connect(ctx, source)
		require.NoError(t, err)
		defer conn.Close(ctx)
		execute := func(statement string) {
			_, err := conn.Exec(ctx, statement)
			require.NoError(t, err)
		}
		execute(prepare["postgres"])
		execute("BEGIN; LOCK TABLE call_legs")
		test(t, locked{r, s, func() { execute("COMMIT") }})
	})
}

func (l locked) legs() []store.Leg {
	l.t.Helper()
	rows, err := store.Select[store.Leg](l.t.Context(), l.Store, "ORDER BY id")
	require.NoError(l.t, err)
	return rows
}

// consume posts requests at once and returns their answers when all are there. It
// returns as soon as one is in a transaction and the others wait.
func (l locked) consume(ctx context.Context, requests ...plog.Logs) (wait func() []error) {
	l.t.Helper()
	errs := make([]error, len(requests))
	var wg sync.WaitGroup
	for i, logs := range requests {
		wg.Go(func() { errs[i] = l.ConsumeLogs(ctx, logs) })
	}
	writes := l.Logs.(*boundedExporter).exporter.writes
	require.Eventually(l.t, func() bool { return writes.WaitingCount() == len(requests)-1 }, time.Minute, time.Millisecond)
	return func() []error {
		wg.Wait()
		return errs
	}
}

const transactions = "otelcol_exporter_callrecord_transactions"

// Requests that wait for a transaction share the next one, and are stored when
// they are accepted.
func TestRequestsShareATransaction(t *testing.T) {
	onLocked(t, nil, nil, func(t *testing.T, l locked) {
		t.Helper()
		var requests []plog.Logs
		for i := range 50 {
			requests = append(requests, legs(i, i+1))
		}
		wait := l.consume(t.Context(), requests...)
		l.unlock()
		for _, err := range wait() {
			require.NoError(t, err)
		}
		assert.Len(t, l.legs(), 50)
		counts := l.counts()
		assert.EqualValues(t, 2, counts[transactions])
		assert.EqualValues(t, 50, counts["otelcol_exporter_callrecord_records stored"])
	})
}

// A request that the database does not take, and may take later, is refused alone.
func TestStuckRequestIsRefusedAlone(t *testing.T) {
	prepare := map[string]string{
		"sqlite": "CREATE TRIGGER stuck BEFORE INSERT ON call_legs WHEN NEW.remote_party = 'stuck' BEGIN SELECT json('{'); END",
		"postgres": "CREATE FUNCTION stuck() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$ LANGUAGE plpgsql;" +
			"CREATE TRIGGER stuck BEFORE INSERT ON call_legs FOR EACH ROW WHEN (NEW.remote_party = 'stuck') EXECUTE PROCEDURE stuck()",
	}
	onLocked(t, nil, prepare, func(t *testing.T, l locked) {
		t.Helper()
		var requests []plog.Logs
		for i := range 10 {
			logs := legs(i, i+1)
			if i == 5 {
				logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr(legKey("remoteParty"), "stuck")
			}
			requests = append(requests, logs)
		}
		wait := l.consume(t.Context(), requests...)
		l.unlock()
		for i, err := range wait() {
			if i == 5 {
				require.Error(t, err)
				assert.False(t, consumererror.IsPermanent(err))
				continue
			}
			require.NoError(t, err)
		}
		assert.Len(t, l.legs(), 9)
		counts := l.counts()
		assert.EqualValues(t, 9, counts["otelcol_exporter_callrecord_records stored"])
		assert.Zero(t, counts["otelcol_exporter_callrecord_records refused"])
		assert.Positive(t, counts["otelcol_exporter_callrecord_write_failures"])
	})
}

// Who gives up gets the error of its context, and the others go on.
func TestRequesterGivesUp(t *testing.T) {
	onLocked(t, nil, nil, func(t *testing.T, l locked) {
		t.Helper()
		first := l.consume(t.Context(), legs(0, 1), legs(1, 2))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() { gone <- l.ConsumeLogs(ctx, legs(2, 3)) }()
		writes := l.Logs.(*boundedExporter).exporter.writes
		require.Eventually(t, func() bool { return writes.WaitingCount() == 2 }, time.Minute, time.Millisecond)
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		assert.Equal(t, 1, writes.WaitingCount())
		l.unlock()
		for _, err := range first() {
			require.NoError(t, err)
		}
		assert.Len(t, l.legs(), 2)
	})
}

// Nobody waits longer than timeout for a database that does not answer.
func TestTimeout(t *testing.T) {
	onLocked(t, map[string]any{"timeout": "100ms"}, nil, func(t *testing.T, l locked) {
		t.Helper()
		wait := l.consume(t.Context(), legs(0, 1), legs(1, 2), legs(2, 3))
		for _, err := range wait() {
			require.Error(t, err)
			assert.False(t, consumererror.IsPermanent(err))
		}
		l.unlock()
		require.Eventually(t, func() bool { return l.ConsumeLogs(t.Context(), legs(0, 3)) == nil }, time.Minute, time.Millisecond)
		assert.Len(t, l.legs(), 3)
	})
}

// What is large is divided: a transaction has a bound.
func TestTransactionsAreBounded(t *testing.T) {
	onLocked(t, nil, nil, func(t *testing.T, l locked) {
		t.Helper()
		var requests []plog.Logs
		for i := range 9 {
			logs := legs(i, i+1)
			logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("text", strings.Repeat("x", maxTransaction/3))
			requests = append(requests, logs)
		}
		wait := l.consume(t.Context(), requests...)
		l.unlock()
		for _, err := range wait() {
			require.NoError(t, err)
		}
		assert.Len(t, l.legs(), 9)
		assert.EqualValues(t, 5, l.counts()[transactions])
	})
}

// The queue holds what many bridges post while the database does not answer: its
// size is in bytes, and a post is small.
func TestQueueHoldsManyPosts(t *testing.T) {
	onLocked(t, map[string]any{"sending_queue": map[string]any{}}, nil, func(t *testing.T, l locked) {
		t.Helper()
		const posts = 2500
		for i := range posts {
			require.NoError(t, l.ConsumeLogs(t.Context(), legs(i, i+1)))
		}
		l.unlock()
		require.Eventually(t, func() bool { return l.counts()["otelcol_exporter_callrecord_records stored"] == posts }, time.Minute, 10*time.Millisecond)
		assert.Len(t, l.legs(), posts)
		assert.Less(t, l.counts()[transactions], int64(20), "batches of a thousand records")
	})
}
