// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// ExpireStep is how many objects [Store.Expire] deletes in one transaction, at
// most; a conference is one, with all that is in it.
const ExpireStep = 200

// runningGrace is how much longer running objects are kept. Bridges send nothing about
// a leg in which nothing happens. callstitch ends an object that it has no record of for
// a day (max_open); one that still runs later has lost its end.
const runningGrace = 48 * time.Hour

// Expire deletes the objects whose newest record is older than a time (running ones:
// than runningGrace before it): conferences with their
// calls, legs, recordings and dialogs; sessions with their tracks; and whatever
// belongs to neither. It works in small transactions, and leaves the database to
// others for as long as each took. It returns how many rows it deleted from each
// table, also if it failed on the way.
func (s *Store) Expire(ctx context.Context, before time.Time) (map[string]int64, error) {
	deleted := map[string]int64{}
	for _, step := range []func(*write, context.Context, time.Time, map[string]int64) (int, error){
		(*write).expireConferences, (*write).expireSessions,
		expireLoose(legs.name), expireLoose(calls.name), expireLoose(recordings.name), expireLoose(dialogs.name),
		(*write).expireTracks, expireEvents(storageEvents.name), expireEvents(gaps.name), (*write).expireQualities, (*write).expireTerms, (*write).expireUsage,
	} {
		for {
			began := time.Now()
			n, err := s.expireOnce(ctx, before, deleted, step)
			if err != nil {
				return deleted, err
			}
			if n < ExpireStep {
				break
			}
			if err := pause(ctx, time.Since(began)); err != nil {
				return deleted, err
			}
		}
	}
	return deleted, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (s *Store) expireOnce(ctx context.Context, before time.Time, deleted map[string]int64, step func(*write, context.Context, time.Time, map[string]int64) (int, error)) (n int, err error) {
	now := map[string]int64{}
	if err := s.inTurn(ctx, func(ctx context.Context, tx transaction) (err error) {
		n, err = step(&write{dialect: s.d, tx: tx}, ctx, before, now)
		return err
	}); err != nil {
		return 0, err
	}
	for table, rows := range now {
		deleted[table] += rows
	}
	return n, nil
}

// Nothing starts after it was last heard of: the index by start finds the oldest.
const olderThan = "started_at < $1 AND last_heard_at < $1 AND (state <> 'running' OR last_heard_at < $2) AND " + notHeld

// ages are the parameters of olderThan.
func (w *write) ages(before time.Time) []any {
	return []any{w.dialect.instant(before), w.dialect.instant(before.Add(-runningGrace))}
}

var limit = fmt.Sprintf(" LIMIT %d", ExpireStep)

func (w *write) expireConferences(ctx context.Context, before time.Time, deleted map[string]int64) (int, error) {
	traces, err := w.keys(ctx, "SELECT trace_id FROM conferences WHERE "+olderThan+" ORDER BY started_at, trace_id"+limit, w.ages(before)...)
	if err != nil {
		return 0, err
	}
	for _, table := range []string{recordings.name, legs.name, dialogs.name, calls.name, conferenceTable.name} {
		if err := w.delete(ctx, table, "trace_id", traces, deleted); err != nil {
			return 0, err
		}
	}
	return len(traces), nil
}

func (w *write) expireSessions(ctx context.Context, before time.Time, deleted map[string]int64) (int, error) {
	ids, err := w.keys(ctx, "SELECT id FROM sessions WHERE "+olderThan+" ORDER BY started_at, id"+limit, w.ages(before)...)
	if err != nil {
		return 0, err
	}
	if err := w.delete(ctx, tracks.name, "session_id", ids, deleted); err != nil {
		return 0, err
	}
	return len(ids), w.delete(ctx, sessions.name, "id", ids, deleted)
}

// expireLoose deletes objects in no conference: legs that got no further than
// the menu, dialogs without a leg.
func expireLoose(table string) func(*write, context.Context, time.Time, map[string]int64) (int, error) {
	return func(w *write, ctx context.Context, before time.Time, deleted map[string]int64) (int, error) {
		return w.expireRows(ctx, table, olderThan+" AND NOT EXISTS (SELECT 1 FROM conferences WHERE conferences.trace_id = "+table+".trace_id)", "started_at", deleted, w.ages(before)...)
	}
}

func (w *write) expireTracks(ctx context.Context, before time.Time, deleted map[string]int64) (int, error) {
	return w.expireRows(ctx, tracks.name, olderThan+" AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = tracks.session_id)", "started_at", deleted, w.ages(before)...)
}

// expireEvents deletes expired rows that have one time and belong to no object.
func expireEvents(table string) func(*write, context.Context, time.Time, map[string]int64) (int, error) {
	return func(w *write, ctx context.Context, before time.Time, deleted map[string]int64) (int, error) {
		return w.expireRows(ctx, table, "at < $1", "at", deleted, w.dialect.instant(before))
	}
}

func (w *write) expireRows(ctx context.Context, table, condition, order string, deleted map[string]int64, ages ...any) (int, error) {
	ids, err := w.keys(ctx, "SELECT id FROM "+table+" WHERE "+condition+" ORDER BY "+order+", id"+limit, ages...)
	if err != nil {
		return 0, err
	}
	return len(ids), w.delete(ctx, table, "id", ids, deleted)
}

// keys runs a query for one column of texts.
func (w *write) keys(ctx context.Context, query string, args ...any) (keys []string, err error) {
	found, err := w.tx.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var key string
		if err := found.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return slices.Clip(keys), found.Err()
}

func (w *write) delete(ctx context.Context, table, column string, keys []string, deleted map[string]int64) error {
	if len(keys) == 0 {
		return nil
	}
	n, err := w.tx.exec(ctx, "DELETE FROM "+table+" WHERE "+w.dialect.in(column, "$1"), w.dialect.list(keys))
	if n > 0 {
		deleted[table] += n
	}
	return err
}

// Tables returns the names of all tables.
func Tables() []string {
	return []string{conferenceTable.name, calls.name, legs.name, recordings.name, sessions.name, tracks.name, dialogs.name, storageEvents.name, gaps.name, legQualities.name, legStates.name}
}
