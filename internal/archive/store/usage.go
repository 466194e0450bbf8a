// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// Usage is added up from legs, a day (UTC) at a time, by [Store.AddUpUsage]: what ran
// at once cannot be found by an index when somebody asks. A day is added up again
// when a leg of it changes, so that its numbers are a function of its legs.

// Scopes of usage.
const (
	UsageAll    = "all"
	UsageBridge = "bridge"
	UsageTenant = "tenant"
)

// UsageHour is the usage of one hour, or of several.
type UsageHour struct {
	At time.Time `json:"at"`
	// PeakLegs and PeakMeetings are how many ran at once.
	PeakLegs     int64 `json:"peak_legs"`
	PeakMeetings int64 `json:"peak_meetings"`
	// ParticipantSeconds is the time of participants in meetings, without ringing, menu and
	// lobby.
	ParticipantSeconds float64 `json:"participant_seconds"`
}

// TagUsage is the usage of one tenant under one tag, to bill from.
type TagUsage struct {
	TenantID string `json:"tenant_id,omitempty"`
	Tag      string `json:"tag,omitempty"`
	// Legs and Meetings are counted on each day that they ran on.
	Legs               int64   `json:"legs"`
	Meetings           int64   `json:"meetings"`
	ParticipantSeconds float64 `json:"participant_seconds"`
}

const day = 24 * time.Hour

// daysInARun bounds how many days [Store.AddUpUsage] adds up.
const daysInARun = 31

// AddUpUsage adds up the usage of today, of yesterday, and of the newest days of which
// legs have changed, at most daysInARun of them. It reports whether there are more.
func (s *Store) AddUpUsage(ctx context.Context, now time.Time) (more bool, err error) {
	due, err := s.takeDueDays(ctx, now)
	if err != nil {
		return false, err
	}
	for i, start := range due {
		if i == daysInARun {
			return true, s.markDays(ctx, due[i:])
		}
		if err := s.addUpDay(ctx, start, now); err != nil {
			// A day that was not added up is due again.
			return false, errors.Join(err, s.markDays(ctx, due[i:]))
		}
	}
	return false, nil
}

// takeDueDays returns the days that are due, the newest first, and marks none of them
// any more: a leg that changes from now on marks its days again.
func (s *Store) takeDueDays(ctx context.Context, now time.Time) (due []time.Time, err error) {
	err = s.inTurn(ctx, func(ctx context.Context, tx transaction) error {
		days := map[time.Time]struct{}{startOfDay(now): {}, startOfDay(now).Add(-day): {}}
		for at := range s.changedDays {
			days[at] = struct{}{}
		}
		found, err := tx.query(ctx, "SELECT day FROM usage_due")
		if err != nil {
			return err
		}
		for found.Next() {
			var at time.Time
			if err := found.Scan(scanTarget(&at)); err != nil {
				return errors.Join(err, found.Close())
			}
			days[at] = struct{}{}
		}
		if err := errors.Join(found.Err(), found.Close()); err != nil {
			return err
		}
		for at := range days {
			due = append(due, at)
		}
		_, err = tx.exec(ctx, "DELETE FROM usage_due")
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(due, func(a, b time.Time) int { return b.Compare(a) })
	return due, nil
}

// turnTimeout is how long a transaction that is not an export may take. It is shorter than
// exports wait for their turn: a database that falls silent must not keep it.
const turnTimeout = 10 * time.Second

// inTurn runs a transaction of a writer, which ends within turnTimeout after its turn came.
func (s *Store) inTurn(ctx context.Context, do func(context.Context, transaction) error) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	tx, err := s.d.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.rollback()
	if err := do(ctx, tx); err != nil {
		return err
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	// The days in it are in usage_due. Writers from now on mark theirs again, since this
	// transaction may have taken them from there.
	clear(s.changedDays)
	return nil
}

// markDays marks days as due, also if the context of the run has ended.
func (s *Store) markDays(ctx context.Context, days []time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), turnTimeout)
	defer cancel()
	return s.inTurn(ctx, func(ctx context.Context, tx transaction) error { return markDays(ctx, s.d, tx, days) })
}

func markDays(ctx context.Context, d dialect, tx transaction, days []time.Time) error {
	rows := make([][]any, len(days))
	for i, at := range days {
		rows[i] = []any{instantText(at)}
	}
	if err := insertJSON(ctx, d, tx, "usage_due (day)", []jsonType{jsonInstant}, rows, "ON CONFLICT (day) DO NOTHING"); err != nil {
		return err
	}
	return uncount(ctx, d, tx, days)
}

// mostMarkedDays bounds the days that one leg marks.
const mostMarkedDays = 62

// newDays returns the days of a batch's legs, and of the starts of the rows that they
// changed, that are not marked yet.
func newDays(marked map[time.Time]struct{}, b *Batch, starts []time.Time) []time.Time {
	fresh := map[time.Time]struct{}{}
	add := func(at time.Time) {
		if at.IsZero() {
			return
		}
		at = startOfDay(at)
		if _, ok := marked[at]; !ok {
			fresh[at] = struct{}{}
		}
	}
	for _, at := range starts {
		add(at)
	}
	for i := range b.Legs {
		l := &b.Legs[i]
		add(l.StartedAt)
		add(l.EndedAt)
		add(l.LastHeardAt)
		if l.StartedAt.IsZero() {
			continue
		}
		for at, n := startOfDay(l.StartedAt).Add(day), 0; at.Before(l.EndedAt) && n < mostMarkedDays; at, n = at.Add(day), n+1 {
			add(at)
		}
	}
	days := make([]time.Time, 0, len(fresh))
	for at := range fresh {
		days = append(days, at)
	}
	return days
}

// readDayTimeout is how long reading the legs of a day may take.
const readDayTimeout = 2 * time.Minute

// addUpDay reads the legs that ran on a day and writes its usage.
func (s *Store) addUpDay(ctx context.Context, start, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, readDayTimeout)
	defer cancel()
	legs, err := s.usageLegs(ctx, start, now)
	if err != nil {
		return err
	}
	u := addUpDay(start, legs)
	startRows, err := s.startRows(ctx, start)
	if err != nil {
		return err
	}
	var hours, tags [][]any
	for group, of := range u.hours {
		for _, h := range of {
			if h.PeakLegs > 0 {
				hours = append(hours, []any{instantText(h.At), group.scope, group.value, h.PeakLegs, h.PeakMeetings, h.ParticipantSeconds})
			}
		}
	}
	for _, t := range u.tags {
		tags = append(tags, []any{instantText(start), t.TenantID, t.Tag, t.Legs, t.Meetings, t.ParticipantSeconds})
	}
	return s.inTurn(ctx, func(ctx context.Context, tx transaction) error {
		for _, step := range []func() error{
			func() error {
				_, err := tx.exec(ctx, "DELETE FROM usage_hours WHERE at >= $1 AND at < $2", s.d.instant(start), s.d.instant(start.Add(day)))
				return err
			},
			func() error {
				_, err := tx.exec(ctx, "DELETE FROM usage_tags WHERE day = $1", s.d.instant(start))
				return err
			},
			func() error {
				return insertJSON(ctx, s.d, tx, "usage_hours (at, scope, value, peak_legs, peak_meetings, participant_seconds)",
					[]jsonType{jsonInstant, jsonText, jsonText, jsonInteger, jsonInteger, jsonNumber}, hours, "")
			},
			func() error {
				return insertJSON(ctx, s.d, tx, "usage_tags (day, tenant_id, tag, legs, meetings, participant_seconds)",
					[]jsonType{jsonInstant, jsonText, jsonText, jsonInteger, jsonInteger, jsonNumber}, tags, "")
			},
			func() error { return putStarts(ctx, s.d, tx, start, startRows) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Legs that ran on a day: those that started on it or the day before, those that were
// longer than a day, and those that run still. Each is found by its index.
const usageColumns = "trace_id, bridge, tenant_id, COALESCE(cdr_tag, call_cdr_tag), started_at, ended_at, last_heard_at, state, role, call_id, reason, error_type IS NOT NULL, " +
	"setup_seconds, ivr_seconds, lobby_seconds, activated_seconds, connected_seconds FROM call_legs"

var usageQueries = []string{
	"SELECT " + usageColumns + " WHERE started_at >= $1 AND started_at < $2",
	"SELECT " + usageColumns + " WHERE duration_seconds > 86400 AND ended_at > $2 AND started_at < $1",
	"SELECT " + usageColumns + " WHERE state = 'running' AND started_at < $1 AND started_at < $2",
}

func (s *Store) usageLegs(ctx context.Context, start, now time.Time) (legs []usageLeg, err error) {
	end := start.Add(day)
	for i, query := range usageQueries {
		args := []any{start.Add(-day), end}
		if i > 0 {
			args[1] = start
		}
		found, err := s.Query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		legs, err = scanUsageLegs(found, legs, start, end, now)
		if err = errors.Join(err, found.Close()); err != nil {
			return nil, err
		}
	}
	return legs, nil
}

func scanUsageLegs(found *sql.Rows, legs []usageLeg, start, end, now time.Time) ([]usageLeg, error) {
	for found.Next() {
		var g Leg
		var failed bool
		var tag string
		if err := found.Scan(&g.TraceID, scanTarget(&g.Bridge), scanTarget(&g.TenantID), scanTarget(&tag), scanTarget(&g.StartedAt), scanTarget(&g.EndedAt), scanTarget(&g.LastHeardAt), &g.State,
			scanTarget(&g.Role), scanTarget(&g.CallID), scanTarget(&g.Reason), &failed, &g.SetupSeconds, &g.IVRSeconds, &g.LobbySeconds, &g.ActivatedSeconds, &g.ConnectedSeconds); err != nil {
			return nil, err
		}
		l := usageLeg{trace: g.TraceID, bridge: g.Bridge, tenant: g.TenantID, tag: tag, from: g.StartedAt, to: g.EndedAt, inMeeting: g.CallID != ""}
		if l.to.IsZero() {
			if l.to = g.LastHeardAt; g.State == StateRunning {
				l.to = now
			}
		}
		l.billed = billedFrom(&g, l.to, failed)
		if !l.to.After(l.from) {
			l.to = l.from.Add(time.Millisecond)
			l.billed = l.to
		}
		if l.to.After(start) && l.from.Before(end) {
			l.clip(start, end)
			legs = append(legs, l)
		}
	}
	return legs, found.Err()
}

// billedFrom is when a participant came into the meeting: what the bridge says it was
// activated for is the last part of its leg; else what it says of ringing, menu and lobby is
// the first. An unanswered leg is not billed, nor is one that is no participant's, or whose
// role is not known because its start was not seen.
func billedFrom(g *Leg, end time.Time, failed bool) time.Time {
	seconds := func(v *float64) time.Duration {
		if v == nil {
			return 0
		}
		return time.Duration(*v * float64(time.Second))
	}
	switch {
	case g.Role != "participant", g.CallID == "":
		return end
	case g.ConnectedSeconds != nil:
		return latest(g.StartedAt, end.Add(-seconds(g.ConnectedSeconds)))
	case g.ActivatedSeconds != nil:
		return latest(g.StartedAt, end.Add(-seconds(g.ActivatedSeconds)))
	case failed && g.SetupSeconds == nil && slices.Contains(neverAnswered, g.Reason):
		return end
	default:
		return earlier(end, g.StartedAt.Add(seconds(g.SetupSeconds)+seconds(g.IVRSeconds)+seconds(g.LobbySeconds)))
	}
}

// neverAnswered are reasons of legs that never were in a meeting.
var neverAnswered = []string{"ringingTimeout", "remoteBusy", "remoteRejected", "dnsFailure", "unknownDestination", "participantLimitReached", "tenantParticipantLimitReached", "ivrUnknownCall", "incorrectPasscode", "encryptionRequired"}

// mostOldDays bounds the days that an archive of an older release has to add up.
const mostOldDays = 3660

// allDaysDue marks the days of an archive that an older release wrote.
func allDaysDue(ctx context.Context, d dialect, tx transaction) error {
	found, err := tx.query(ctx, "SELECT MIN(started_at), MAX(last_heard_at) FROM call_legs")
	if err != nil {
		return err
	}
	var first, last time.Time
	for found.Next() {
		if err := found.Scan(scanTarget(&first), scanTarget(&last)); err != nil {
			return errors.Join(err, found.Close())
		}
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil || first.IsZero() {
		return err
	}
	var days []time.Time
	for at := startOfDay(last); !at.Before(startOfDay(first)) && len(days) < mostOldDays; at = at.Add(-day) {
		days = append(days, at)
	}
	return markDays(ctx, d, tx, days)
}

// expireUsage deletes the usage of days whose legs are deleted.
func (w *write) expireUsage(ctx context.Context, before time.Time, _ map[string]int64) (int, error) {
	deleted := 0
	for _, statement := range []string{"DELETE FROM usage_hours WHERE at < $1", "DELETE FROM usage_tags WHERE day < $1", "DELETE FROM usage_counted WHERE day < $1", "DELETE FROM usage_starts WHERE day < $1"} {
		n, err := w.tx.exec(ctx, statement, w.dialect.instant(startOfDay(before)))
		if err != nil {
			return 0, err
		}
		if n > 0 {
			deleted = 1 // a step that did something
		}
	}
	return deleted, nil
}
