// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"
)

var gaps = table[Gap]{
	name:    "gaps",
	about:   "Records of a Call Bridge that were lost on the way.",
	columns: columnsOf[Gap](),
}

// putOnce puts in rows that are never merged and are not there yet.
func putOnce[T any](ctx context.Context, w *write, t *table[T], rows []T, id func(*T) string) error {
	if len(rows) == 0 {
		return nil
	}
	byID := make(map[string]*T, len(rows))
	for i := range rows {
		byID[id(&rows[i])] = &rows[i]
	}
	known, err := w.keys(ctx, "SELECT id FROM "+t.name+" WHERE "+w.d.in("id", "$1"), w.d.list(slices.Collect(maps.Keys(byID))))
	if err != nil {
		return err
	}
	for _, id := range known {
		delete(byID, id)
		w.result.Unchanged++
	}
	if len(byID) == 0 {
		return nil
	}
	values := make([]tableRow, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		values = append(values, tableRow{values: t.values(byID[id], w.d.instant, 0)})
	}
	w.result.Changed += len(values)
	return w.tx.put(ctx, t.name, t.names(), values)
}

// Doubt says why a running object may have ended: records of its bridge were lost after
// the newest record about it.
type Doubt struct {
	// At is the newest gap since, Missing how many records were lost since.
	At      time.Time
	Missing int64
}

// Doubts counts the running objects that may have ended.
type Doubts struct {
	Conferences, Legs int64
	// Newest is the newest gap after any of them was last heard of.
	Newest Doubt
}

const (
	// doubtfulConferences are running conferences of which nothing was heard since a
	// gap of a bridge on which a call of theirs runs; doubtfulLegs likewise.
	doubtfulConferences = " FROM conferences AS r JOIN calls AS c ON c.trace_id = r.trace_id AND c.state = 'running'" +
		" JOIN gaps AS g ON g.bridge = c.bridge AND g.at > r.last_heard_at WHERE r.state = 'running'"

	doubtfulLegs = " FROM call_legs AS r JOIN gaps AS g ON g.bridge = r.bridge AND g.at > r.last_heard_at WHERE r.state = 'running'"
)

// Doubts counts the running conferences and legs that may have ended.
func (v *View) Doubts(ctx context.Context) (d Doubts, err error) {
	if some, err := v.number(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM gaps LIMIT 1) AS known"); err != nil || some == 0 {
		return d, err
	}
	if d.Conferences, err = v.number(ctx, "SELECT COUNT(DISTINCT r.trace_id)"+doubtfulConferences); err != nil {
		return d, err
	}
	if d.Legs, err = v.number(ctx, "SELECT COUNT(DISTINCT r.id)"+doubtfulLegs); err != nil {
		return d, err
	}
	err = v.each(ctx, func(found *sql.Rows) error { return found.Scan(target(&d.Newest.At), &d.Newest.Missing) },
		"SELECT MAX(at), CAST(COALESCE(SUM(missing), 0) AS BIGINT) FROM (SELECT DISTINCT g.id, g.at, g.missing"+doubtfulConferences+
			" UNION SELECT DISTINCT g.id, g.at, g.missing"+doubtfulLegs+") AS all_gaps")
	return d, err
}

// ConferenceDoubts returns the doubts about those of some conferences that run, by
// trace.
func (v *View) ConferenceDoubts(ctx context.Context, traces []string) (map[string]Doubt, error) {
	return v.doubts(ctx, "SELECT r.trace_id, MAX(g.at), CAST(COALESCE(SUM(g.missing), 0) AS BIGINT)"+doubtfulConferences+
		" AND "+v.d.in("r.trace_id", "$1")+" GROUP BY r.trace_id", traces)
}

// LegDoubts likewise returns those about legs, by id.
func (v *View) LegDoubts(ctx context.Context, ids []string) (map[string]Doubt, error) {
	return v.doubts(ctx, "SELECT r.id, MAX(g.at), CAST(COALESCE(SUM(g.missing), 0) AS BIGINT)"+doubtfulLegs+" AND "+v.d.in("r.id", "$1")+" GROUP BY r.id", ids)
}

func (v *View) doubts(ctx context.Context, query string, keys []string) (map[string]Doubt, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	all := make(map[string]Doubt)
	err := v.each(ctx, func(found *sql.Rows) error {
		var key string
		var d Doubt
		if err := found.Scan(&key, target(&d.At), &d.Missing); err != nil {
			return err
		}
		all[key] = d
		return nil
	}, query, v.d.list(keys))
	return all, err
}
