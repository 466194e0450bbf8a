// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A running leg has a row of its own for its quality: a new one replaces it every few minutes,
// and it is not needed once the leg has ended. Then the leg's own row has the quality of the
// whole call.

var legQualities = table[LegQuality]{
	name:    "leg_quality",
	about:   "How the media of a leg that runs are now, if `cmsapi` looks at it. A leg has a row as long as it runs.",
	columns: columnsOf[LegQuality](),
}

// newestQualities returns the newest of each leg, in the order of the ids.
func newestQualities(list []LegQuality) []LegQuality {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b LegQuality) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return b.At.Compare(a.At)
	})
	return slices.CompactFunc(sorted, func(a, b LegQuality) bool { return a.ID == b.ID })
}

// putQualities stores the qualities of running legs that are newer than the stored ones.
func (w *write) putQualities(ctx context.Context, list []LegQuality) error {
	if len(list) == 0 {
		return nil
	}
	list = newestQualities(list)
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	known, err := w.runningQualities(ctx, ids)
	if err != nil {
		return err
	}
	rows := make([]tableRow, 0, len(list))
	for i := range list {
		q := &list[i]
		at, runs := known[q.ID]
		if !runs || !q.At.After(at) {
			w.result.Unchanged++
			continue
		}
		rows = append(rows, tableRow{values: legQualities.values(q, w.dialect.instant, 0), mayExist: !at.IsZero()})
	}
	if len(rows) == 0 {
		return nil
	}
	w.result.Changed += len(rows)
	return w.tx.put(ctx, legQualities.name, legQualities.names(), rows)
}

// runningQualities returns which of the legs run, each with the time of its row, zero
// if it has none.
func (w *write) runningQualities(ctx context.Context, ids []string) (map[string]time.Time, error) {
	found, err := w.tx.query(ctx, "SELECT call_legs.id, leg_quality.at FROM call_legs LEFT JOIN leg_quality ON leg_quality.id = call_legs.id WHERE call_legs.state = 'running' AND "+
		w.dialect.in("call_legs.id", "$1"), w.dialect.list(ids))
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	known := make(map[string]time.Time)
	for found.Next() {
		var id string
		var at time.Time
		if err := found.Scan(&id, scanTarget(&at)); err != nil {
			return nil, err
		}
		known[id] = at
	}
	return known, found.Err()
}

// writeQualities stores the qualities of a batch, and deletes those of legs that ended.
// It runs no query as long as the table has no rows.
func (s *Store) writeQualities(ctx context.Context, w *write, b *Batch) error {
	if err := w.putQualities(ctx, b.Qualities); err != nil {
		return err
	}
	s.hasQualities = s.hasQualities || len(b.Qualities) > 0
	if !s.hasQualities || len(w.endedLegs) == 0 {
		return nil
	}
	_, err := w.tx.exec(ctx, "DELETE FROM leg_quality WHERE "+w.dialect.in("id", "$1"), w.dialect.list(w.endedLegs))
	return err
}

// expireQualities deletes the rows of legs that do not run, or are not there.
func (w *write) expireQualities(ctx context.Context, _ time.Time, deleted map[string]int64) (int, error) {
	return w.expireRows(ctx, legQualities.name, "NOT EXISTS (SELECT 1 FROM call_legs WHERE call_legs.id = leg_quality.id AND call_legs.state = 'running')", "at", deleted)
}

// maxQualities bounds the legs whose quality is read at once.
const maxQualities = 1000

// Quality returns how the media of legs are now, by the leg's id: of the running legs for
// which it is known.
func (v *View) Quality(ctx context.Context, of []Leg) (map[string]LegQuality, error) {
	var ids []string
	for i := range of {
		if of[i].State == StateRunning && len(ids) < maxQualities {
			ids = append(ids, of[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // an empty map reads the same
	}
	rows, err := Select[LegQuality](ctx, v, fmt.Sprintf("WHERE %s LIMIT %d", v.d.in("id", "$1"), maxQualities), v.d.list(ids))
	if err != nil {
		return nil, err
	}
	all := make(map[string]LegQuality, len(rows))
	for i := range rows {
		all[rows[i].ID] = rows[i]
	}
	return all, nil
}

// hasRows reports whether a table has any.
func hasRows(ctx context.Context, d dialect, table string) (has bool, err error) {
	found, err := d.reader().QueryContext(ctx, "SELECT 1 FROM "+table+" LIMIT 1")
	if err != nil {
		return false, err
	}
	defer func() { _ = found.Close() }()
	return found.Next(), found.Err()
}
