// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Overview is what happened in a time, and what is going on.
type Overview struct {
	From, To time.Time
	// Step is how long a bucket is; there is one for each step, also an empty one.
	Step    time.Duration
	Buckets []Bucket
	// Sum of the buckets.
	Sum Bucket
	// Ends are the legs that started in that time, by how they ended.
	Ends []End
	// Storage is the newest that is known of each partition of each node.
	Storage []StorageEvent
	Running Running
}

// Bucket counts legs by when they started.
type Bucket struct {
	At   time.Time
	Legs int64
	// Failed ended for a reason that is a failure. Slight and Bad had a packetLoss
	// alarm, for less than BadLoss percent of their time or at least that.
	Failed, Slight, Bad int64
}

func (b *Bucket) add(c Bucket) {
	b.Legs += c.Legs
	b.Failed += c.Failed
	b.Slight += c.Slight
	b.Bad += c.Bad
}

// BadLoss is from which share of its time with a packetLoss alarm on, in percent,
// a leg's line is called bad. It is a choice of ours: Cisco names no limit.
const BadLoss = 10

// Running is how much of each runs now.
type Running struct{ Conferences, Legs, Recordings, Sessions int64 }

// maxBuckets of an overview.
const maxBuckets = 400

// Overview of the legs that started from From on and before To. step is an hour
// or a day; both ends are moved outwards to a full one.
func (v *View) Overview(ctx context.Context, from, to time.Time, step time.Duration) (o Overview, err error) {
	digits := len("2006-01-02 15")
	switch step {
	case time.Hour:
	case 24 * time.Hour:
		digits = len("2006-01-02")
	default:
		return o, fmt.Errorf("callarchive: an overview by %s", step)
	}
	from = from.UTC().Truncate(step)
	if end := to.UTC().Truncate(step); end.Equal(to) {
		to = end
	} else {
		to = end.Add(step)
	}
	if n := to.Sub(from) / step; n < 1 || n > maxBuckets {
		return o, fmt.Errorf("callarchive: an overview of %d steps", n)
	}
	o = Overview{From: from, To: to, Step: step}
	for at := from; at.Before(to); at = at.Add(step) {
		o.Buckets = append(o.Buckets, Bucket{At: at})
	}
	if err := v.count(ctx, &o, digits); err != nil {
		return o, err
	}
	if o.Running, err = v.Running(ctx); err != nil {
		return o, err
	}
	o.Storage, err = v.Storage(ctx)
	return o, err
}

// count fills in the buckets and the ends: one walk through one index.
func (v *View) count(ctx context.Context, o *Overview, digits int) error {
	bucket := fmt.Sprintf("substr(started_at, 1, %d)", digits)
	if v.d.name() == PostgreSQL {
		bucket = fmt.Sprintf("left(to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24'), %d)", digits)
	}
	ends := map[[2]any]*End{}
	err := v.each(ctx, func(found *sql.Rows) error {
		var at, reason string
		var failed, loss, n int64
		if err := found.Scan(&at, target(&reason), &failed, &loss, &n); err != nil {
			return err
		}
		t, err := time.Parse("2006-01-02 15"[:digits], at)
		if err != nil {
			return err
		}
		b := Bucket{Legs: n, Failed: n * failed}
		switch loss {
		case 1:
			b.Slight = n
		case 2:
			b.Bad = n
		}
		o.Sum.add(b)
		if i := int(t.Sub(o.From) / o.Step); i >= 0 && i < len(o.Buckets) {
			o.Buckets[i].add(b)
		}
		key := [2]any{reason, failed}
		if ends[key] == nil {
			ends[key] = &End{Reason: reason, Failure: failed > 0}
		}
		ends[key].Legs += n
		return nil
	}, "SELECT "+bucket+" AS bucket, reason, CASE WHEN error_type IS NULL THEN 0 ELSE 1 END AS failed, "+
		fmt.Sprintf("CASE WHEN packet_loss_percent >= %d THEN 2 WHEN packet_loss_percent > 0 THEN 1 ELSE 0 END AS loss, ", BadLoss)+
		"COUNT(*) FROM call_legs WHERE started_at >= $1 AND started_at < $2 GROUP BY bucket, reason, failed, loss", o.From, o.To)
	for _, end := range ends {
		o.Ends = append(o.Ends, *end)
	}
	slices.SortFunc(o.Ends, func(a, b End) int {
		return cmp.Or(cmp.Compare(b.Legs, a.Legs), cmp.Compare(a.Reason, b.Reason))
	})
	return err
}

// Running counts what runs now.
func (v *View) Running(ctx context.Context) (r Running, err error) {
	for _, count := range []struct {
		table string
		to    *int64
	}{
		{conferences.name, &r.Conferences},
		{legs.name, &r.Legs},
		{recordings.name, &r.Recordings},
		{sessions.name, &r.Sessions},
	} {
		if *count.to, err = v.number(ctx, "SELECT COUNT(*) FROM "+count.table+" WHERE state = 'running'"); err != nil {
			return r, err
		}
	}
	return r, nil
}

// newestStorage is how many storage events are looked at for what holds now.
const newestStorage = 10_000

// Storage returns the newest event of each partition of each node.
func (v *View) Storage(ctx context.Context) ([]StorageEvent, error) {
	return collect(eachFrom[StorageEvent](ctx, v, fmt.Sprintf(`(
  SELECT newest.*, ROW_NUMBER() OVER (PARTITION BY server, node_address, partition ORDER BY at DESC, id DESC) AS place
  FROM (SELECT * FROM storage_events ORDER BY at DESC LIMIT %d) AS newest) AS ordered`, newestStorage),
		"WHERE place = 1 ORDER BY server, node_address, partition"))
}
