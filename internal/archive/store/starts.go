// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The overview of 90 days counts some hundred thousand legs. [Store.AddUpUsage] counts
// those of each day once, by hour and reason; an overview counts only the days of which
// a leg has changed since. Marking a day as due and no longer counted is part of the
// transaction that changes the leg, so that an overview shows the committed legs. (A
// second process that writes to the same database does not mark a day again that it has
// marked and the first one has counted since: until it adds up usage itself, an overview
// may be usageInterval of the exporter old.)

// starts counts legs that started in a time, for one reason.
type starts struct {
	at     time.Time
	reason string // empty for those that run, and those whose end was not seen
	Bucket
}

const startCounts = "COALESCE(reason, ''), COUNT(*), COUNT(error_type), COUNT(CASE WHEN packet_loss_percent > 0 AND packet_loss_percent < %[1]d THEN 1 END), " +
	"COUNT(CASE WHEN packet_loss_percent >= %[1]d THEN 1 END)"

// countStarts counts the legs that started from one time on and before another. It reads
// a part of one index, which has all that is counted.
func countStarts(ctx context.Context, q Querier, from, to time.Time) (all []starts, err error) {
	found, err := q.Query(ctx, fmt.Sprintf("SELECT "+startCounts+" FROM call_legs WHERE started_at >= $1 AND started_at < $2 GROUP BY COALESCE(reason, '')", BadLoss), from, to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		s := starts{at: from}
		if err := found.Scan(&s.reason, &s.Legs, &s.Failed, &s.Slight, &s.Bad); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, found.Err()
}

// startRows are the rows of usage_starts of a day.
func (s *Store) startRows(ctx context.Context, start time.Time) (rows [][]any, err error) {
	for at := start; at.Before(start.Add(day)); at = at.Add(time.Hour) {
		hour, err := countStarts(ctx, s, at, at.Add(time.Hour))
		if err != nil {
			return nil, err
		}
		for _, c := range hour {
			rows = append(rows, []any{instantText(start), instantText(at), c.reason, c.Legs, c.Failed, c.Slight, c.Bad})
		}
	}
	return rows, nil
}

// putStarts replaces the starts of a day. The day is counted unless a leg of it changed
// after the legs were read: then it is due again.
func putStarts(ctx context.Context, d dialect, tx transaction, start time.Time, rows [][]any) error {
	if _, err := tx.exec(ctx, "DELETE FROM usage_starts WHERE day = $1", d.instant(start)); err != nil {
		return err
	}
	if err := insertJSON(ctx, d, tx, "usage_starts (day, at, reason, legs, failed, slight_loss, bad_loss)",
		[]jsonType{jsonInstant, jsonInstant, jsonText, jsonInteger, jsonInteger, jsonInteger, jsonInteger}, rows, ""); err != nil {
		return err
	}
	due, err := number(ctx, tx, "SELECT COUNT(*) FROM usage_due WHERE day = $1", d.instant(start))
	if err != nil || due > 0 {
		return err
	}
	return insertJSON(ctx, d, tx, "usage_counted (day)", []jsonType{jsonInstant}, [][]any{{instantText(start)}}, "ON CONFLICT (day) DO NOTHING")
}

// uncount marks days as not counted.
func uncount(ctx context.Context, d dialect, tx transaction, days []time.Time) error {
	for _, at := range days {
		if _, err := tx.exec(ctx, "DELETE FROM usage_counted WHERE day = $1", d.instant(at)); err != nil {
			return err
		}
	}
	return nil
}

// startsIn returns the starts between each two neighbours of some times. Full hours (UTC)
// of counted days come from usage_starts, the rest from the legs.
func (v *View) startsIn(ctx context.Context, bounds []time.Time) ([]starts, error) {
	from, to := bounds[0], bounds[len(bounds)-1]
	counted := map[time.Time]bool{}
	err := v.each(ctx, func(found *sql.Rows) error {
		var at time.Time
		if err := found.Scan(scanTarget(&at)); err != nil {
			return err
		}
		counted[at.UTC()] = true
		return nil
	}, "SELECT day FROM usage_counted WHERE day >= $1 AND day < $2", startOfDay(from), to)
	if err != nil {
		return nil, err
	}
	var steps [][]any
	var all []starts
	for i, at := range bounds[:len(bounds)-1] {
		of := splitStep(at, bounds[i+1], counted)
		for _, p := range of.counted {
			steps = append(steps, []any{instantText(at), instantText(startOfDay(p.from)), instantText(p.from), instantText(startOfDay(p.to)), instantText(p.to)})
		}
		for _, p := range of.uncounted {
			more, err := countStarts(ctx, v, p.from, p.to)
			if err != nil {
				return nil, err
			}
			for i := range more {
				more[i].at = at
			}
			all = append(all, more...)
		}
	}
	more, err := v.countedStarts(ctx, steps)
	return append(all, more...), err
}

// fullHours are the first and the last full hour (UTC) in a time: first is not before last
// if there is no hour between them.
func fullHours(from, to time.Time) (first, last time.Time) {
	first, last = from.UTC().Truncate(time.Hour), to.UTC().Truncate(time.Hour)
	if first.Before(from) {
		first = first.Add(time.Hour)
	}
	return first, last
}

// period is from one time on and before another.
type period struct{ from, to time.Time }

// stepParts are the parts of a step that usage_starts has, and the others: days that are
// not counted, and hours that are not in the step as a whole.
type stepParts struct{ counted, uncounted []period }

func splitStep(from, to time.Time, counted map[time.Time]bool) (of stepParts) {
	for start := startOfDay(from); start.Before(to); start = start.Add(day) {
		at, end := latest(start, from), earlier(start.Add(day), to)
		first, last := fullHours(at, end)
		if !counted[start] || !first.Before(last) {
			of.uncounted = appendPeriod(of.uncounted, at, end)
			continue
		}
		of.uncounted = appendPeriod(of.uncounted, at, first)
		of.counted = appendPeriod(of.counted, first, last)
		of.uncounted = appendPeriod(of.uncounted, last, end)
	}
	return of
}

// appendPeriod makes the last period longer if the new one follows it.
func appendPeriod(all []period, from, to time.Time) []period {
	if !from.Before(to) {
		return all
	}
	if n := len(all); n > 0 && all[n-1].to.Equal(from) {
		all[n-1].to = to
		return all
	}
	return append(all, period{from, to})
}

// countedStarts returns the starts of counted hours: steps has the time of a step, and the
// day and the time of the first and of the last of the hours. A range of the primary key
// has the hours of each.
func (v *View) countedStarts(ctx context.Context, steps [][]any) (all []starts, err error) {
	if len(steps) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(steps)
	if err != nil {
		return nil, err
	}
	err = v.each(ctx, func(found *sql.Rows) error {
		var c starts
		if err := found.Scan(scanTarget(&c.at), &c.reason, &c.Legs, &c.Failed, &c.Slight, &c.Bad); err != nil {
			return err
		}
		all = append(all, c)
		return nil
	}, "WITH steps (step_at, from_day, from_at, to_day, to_at) AS MATERIALIZED (SELECT "+v.d.fromJSON([]jsonType{jsonInstant, jsonInstant, jsonInstant, jsonInstant, jsonInstant})+") "+
		"SELECT step_at, reason, SUM(legs), SUM(failed), SUM(slight_loss), SUM(bad_loss) FROM steps CROSS JOIN usage_starts "+
		"WHERE (day, at) >= (from_day, from_at) AND (day, at) < (to_day, to_at) GROUP BY step_at, reason", string(text))
	return all, err
}
