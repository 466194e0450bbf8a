// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// UsageFilter selects usage: of all, or of one bridge or tenant.
type UsageFilter struct {
	From, To time.Time
	// Scope is UsageAll, or UsageBridge or UsageTenant with a Value.
	Scope, Value string
	// Step is an hour, or whole days in the view's zone.
	Step time.Duration
}

// Usage returns the usage of each step, also of those without any; of a step of
// several hours the peak is the highest of them.
func (v *View) Usage(ctx context.Context, f UsageFilter) ([]UsageHour, error) {
	var steps []UsageHour
	for at := f.From.In(v.zone); at.Before(f.To); {
		if len(steps) == maxBuckets {
			return nil, fmt.Errorf("callarchive: usage in more than %d steps", maxBuckets)
		}
		steps = append(steps, UsageHour{At: at})
		if at = at.Add(max(f.Step, time.Hour)); f.Step >= day {
			last := steps[len(steps)-1].At
			at = time.Date(last.Year(), last.Month(), last.Day()+int(f.Step/day), 0, 0, 0, 0, v.zone)
		}
	}
	place := 0
	err := v.each(ctx, func(found *sql.Rows) error {
		var h UsageHour
		if err := found.Scan(v.target(&h.At), &h.PeakLegs, &h.PeakMeetings, &h.ParticipantSeconds); err != nil {
			return err
		}
		for place+1 < len(steps) && !h.At.Before(steps[place+1].At) {
			place++
		}
		to := &steps[place]
		to.PeakLegs, to.PeakMeetings = max(to.PeakLegs, h.PeakLegs), max(to.PeakMeetings, h.PeakMeetings)
		to.ParticipantSeconds += h.ParticipantSeconds
		return nil
	}, "SELECT at, peak_legs, peak_meetings, participant_seconds FROM usage_hours WHERE scope = $1 AND value = $2 AND at >= $3 AND at < $4 ORDER BY at",
		f.Scope, f.Value, f.From, f.To)
	return steps, err
}

// mostUsageValues of a scope.
const mostUsageValues = 200

// UsageValues returns the bridges or tenants that have usage, found by leaps from one
// to the next in their index.
func (v *View) UsageValues(ctx context.Context, scope string) (values []string, err error) {
	err = v.each(ctx, func(found *sql.Rows) error {
		values = append(values, "")
		return found.Scan(&values[len(values)-1])
	}, fmt.Sprintf(`WITH RECURSIVE one(value) AS (
  SELECT MIN(value) FROM usage_hours WHERE scope = $1
  UNION ALL
  SELECT (SELECT MIN(value) FROM usage_hours WHERE scope = $1 AND value > one.value) FROM one WHERE one.value IS NOT NULL)
SELECT value FROM one WHERE value IS NOT NULL LIMIT %d`, mostUsageValues), scope)
	return values, err
}

// TagUsage returns the usage of each tenant and tag on the days (UTC) from one on and before
// another, the largest first, at most limit; more says that there are others.
func (v *View) TagUsage(ctx context.Context, from, to time.Time, limit int) (tags []TagUsage, more bool, err error) {
	err = v.each(ctx, func(found *sql.Rows) error {
		var t TagUsage
		if err := found.Scan(&t.TenantID, &t.Tag, &t.Legs, &t.Meetings, &t.ParticipantSeconds); err != nil {
			return err
		}
		if len(tags) == limit {
			more = true
			return nil
		}
		tags = append(tags, t)
		return nil
	}, fmt.Sprintf("SELECT tenant_id, tag, SUM(legs), SUM(meetings), SUM(participant_seconds) AS seconds FROM usage_tags WHERE day >= $1 AND day < $2 "+
		"GROUP BY tenant_id, tag ORDER BY seconds DESC, tenant_id, tag LIMIT %d", limit+1), startOfDay(from), startOfDay(to))
	return tags, more, err
}

// namedLegs is how many legs are looked at for the names of bridges: the newest.
const namedLegs = 2000

// BridgeNames returns the operator's names of the bridges that the newest legs were
// on, by their ids.
func (v *View) BridgeNames(ctx context.Context) (names map[string]string, err error) {
	names = map[string]string{}
	w := walk[Leg]{index: "call_legs_by_start"}
	return names, v.each(ctx, func(found *sql.Rows) error {
		var bridge, name string
		if err := found.Scan(&bridge, &name); err != nil {
			return err
		}
		names[bridge] = name
		return nil
	}, fmt.Sprintf("SELECT DISTINCT bridge, system FROM (SELECT bridge, system FROM "+w.from(v)+" WHERE started_at < $1 ORDER BY started_at DESC LIMIT %d) AS newest "+
		"WHERE bridge IS NOT NULL AND system IS NOT NULL ORDER BY bridge, system", namedLegs), endOfTime)
}
