// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
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

// startsIn returns the starts of a time, by step: those of counted days from
// usage_starts, the others from the legs.
func (v *View) startsIn(ctx context.Context, from, to time.Time, step time.Duration) ([]starts, error) {
	counted := map[time.Time]bool{}
	if step%time.Hour != 0 || day%step != 0 {
		// The hours of usage_starts do not add up to such steps.
		return v.uncountedStarts(ctx, from, to, step, counted)
	}
	err := v.each(ctx, func(found *sql.Rows) error {
		var at time.Time
		if err := found.Scan(target(&at)); err != nil {
			return err
		}
		counted[at.UTC()] = true
		return nil
	}, "SELECT day FROM usage_counted WHERE day >= $1 AND day < $2", startOfDay(from), to)
	if err != nil {
		return nil, err
	}
	all, err := v.countedStarts(ctx, from, to, step)
	if err != nil {
		return nil, err
	}
	more, err := v.uncountedStarts(ctx, from, to, step, counted)
	return append(all, more...), err
}

// uncountedStarts counts the legs of the days that are not counted, by step.
func (v *View) uncountedStarts(ctx context.Context, from, to time.Time, step time.Duration, counted map[time.Time]bool) (all []starts, err error) {
	for at := from; at.Before(to); at = at.Add(step) {
		if counted[startOfDay(at)] {
			continue
		}
		more, err := countStarts(ctx, v, at, at.Add(step))
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// countedStarts returns the starts of the counted days: by hour, or by day if a step is
// one.
func (v *View) countedStarts(ctx context.Context, from, to time.Time, step time.Duration) (all []starts, err error) {
	at := "s.at"
	if step >= day {
		at = "s.day"
	}
	err = v.each(ctx, func(found *sql.Rows) error {
		var c starts
		if err := found.Scan(target(&c.at), &c.reason, &c.Legs, &c.Failed, &c.Slight, &c.Bad); err != nil {
			return err
		}
		all = append(all, c)
		return nil
	}, "SELECT "+at+", s.reason, SUM(s.legs), SUM(s.failed), SUM(s.slight_loss), SUM(s.bad_loss) FROM usage_starts AS s JOIN usage_counted AS c ON c.day = s.day "+
		"WHERE s.day >= $1 AND s.at >= $2 AND s.at < $3 GROUP BY "+at+", s.reason", startOfDay(from), from, to)
	return all, err
}
