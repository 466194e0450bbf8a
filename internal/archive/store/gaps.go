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
	known, err := w.keys(ctx, "SELECT id FROM "+t.name+" WHERE "+w.dialect.in("id", "$1"), w.dialect.list(slices.Collect(maps.Keys(byID))))
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
		values = append(values, tableRow{values: t.values(byID[id], w.dialect.instant, 0)})
	}
	w.result.Changed += len(values)
	return w.tx.put(ctx, t.name, t.names(), values)
}

// Doubt says why a running object may have ended: records of its bridge were lost after
// the newest record about it.
type Doubt struct {
	// At is the newest gap since, Missing how many records were lost since.
	At      time.Time `json:"at"`
	Missing int64     `json:"missing"`
}

// Doubts counts the running objects that may have ended.
type Doubts struct {
	Conferences, Legs int64
	// Newest is the newest gap after any of them was last heard of.
	Newest Doubt
}

const (
	// doubtfulConferences are running conferences without a record since a gap of a bridge on
	// which one of their calls runs; doubtfulLegs likewise.
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
	err = v.each(ctx, func(found *sql.Rows) error { return found.Scan(v.target(&d.Newest.At), &d.Newest.Missing) },
		"SELECT MAX(at), CAST(COALESCE(SUM(missing), 0) AS BIGINT) FROM (SELECT DISTINCT g.id, g.at, g.missing"+doubtfulConferences+
			" UNION SELECT DISTINCT g.id, g.at, g.missing"+doubtfulLegs+") AS all_gaps")
	return d, err
}

// ConferenceDoubts returns the doubts about those of some conferences that run, by
// trace.
func (v *View) ConferenceDoubts(ctx context.Context, of []Conference) (map[string]Doubt, error) {
	var traces []string
	for i := range of {
		if of[i].State == StateRunning {
			traces = append(traces, of[i].TraceID)
		}
	}
	return v.doubts(ctx, "r.trace_id", doubtfulConferences, traces)
}

// LegDoubts likewise returns those about some legs, by id.
func (v *View) LegDoubts(ctx context.Context, of []Leg) (map[string]Doubt, error) {
	var ids []string
	for i := range of {
		if of[i].State == StateRunning {
			ids = append(ids, of[i].ID)
		}
	}
	return v.doubts(ctx, "r.id", doubtfulLegs, ids)
}

// doubts returns the doubts about some rows by their key. A gap counts once for a
// conference with several calls on its bridge.
func (v *View) doubts(ctx context.Context, key, doubtful string, keys []string) (map[string]Doubt, error) {
	if len(keys) == 0 {
		return nil, nil //nolint:nilnil // an empty map reads the same
	}
	all := make(map[string]Doubt)
	err := v.each(ctx, func(found *sql.Rows) error {
		var id string
		var d Doubt
		if err := found.Scan(&id, v.target(&d.At), &d.Missing); err != nil {
			return err
		}
		all[id] = d
		return nil
	}, "SELECT doubted, MAX(at), CAST(COALESCE(SUM(missing), 0) AS BIGINT) FROM (SELECT DISTINCT "+key+" AS doubted, g.id, g.at, g.missing"+doubtful+
		" AND "+v.d.in(key, "$1")+") AS all_gaps GROUP BY doubted", v.d.list(keys))
	return all, err
}
