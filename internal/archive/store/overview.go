// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/legato-otel/legato/internal/names"
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
	At   time.Time `json:"at"`
	Legs int64     `json:"legs"`
	// Failed ended for a reason that is a failure. Slight and Bad had a packetLoss
	// alarm, for less than BadLoss percent of their time or at least that.
	Failed int64 `json:"failed"`
	Slight int64 `json:"slight_loss"`
	Bad    int64 `json:"bad_loss"`
}

// Lossy had a packetLoss alarm of any length.
func (b Bucket) Lossy() int64 { return b.Slight + b.Bad }

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

// Overview of the legs that started from From on and before To, in steps of an
// hour, a day, or the like; both ends are moved outwards to a full one.
func (v *View) Overview(ctx context.Context, from, to time.Time, step time.Duration) (o Overview, err error) {
	o = Overview{From: from.UTC().Truncate(step), To: to.UTC().Truncate(step), Step: step}
	if o.To.Before(to) {
		o.To = o.To.Add(step)
	}
	if n := o.To.Sub(o.From) / max(step, 1); n < 1 || n > maxBuckets {
		return o, fmt.Errorf("callarchive: an overview of %d steps", n)
	}
	for at := o.From; at.Before(o.To); at = at.Add(step) {
		b, err := v.bucket(ctx, at, at.Add(step))
		if err != nil {
			return o, err
		}
		o.Buckets = append(o.Buckets, b)
		o.Sum.add(b)
	}
	if err := v.countEnds(ctx, &o); err != nil {
		return o, err
	}
	if o.Running, err = v.Running(ctx); err != nil {
		return o, err
	}
	o.Storage, err = v.Storage(ctx)
	return o, err
}

// bucket counts the legs of one step. One query for each step needs no sorting:
// it is a walk through a part of one index, which has all that is counted.
func (v *View) bucket(ctx context.Context, from, to time.Time) (Bucket, error) {
	b := Bucket{At: from}
	return b, v.each(ctx, func(found *sql.Rows) error { return found.Scan(&b.Legs, &b.Failed, &b.Slight, &b.Bad) },
		fmt.Sprintf("SELECT COUNT(*), COUNT(error_type), COUNT(CASE WHEN packet_loss_percent > 0 AND packet_loss_percent < %d THEN 1 END), "+
			"COUNT(CASE WHEN packet_loss_percent >= %d THEN 1 END) FROM call_legs WHERE started_at >= $1 AND started_at < $2", BadLoss, BadLoss), from, to)
}

// reasons of all legs, found by leaps from one to the next in their index.
const reasons = `
WITH RECURSIVE each(reason) AS (
  SELECT MIN(reason) FROM call_legs WHERE reason IS NOT NULL
  UNION ALL
  SELECT (SELECT MIN(reason) FROM call_legs WHERE reason IS NOT NULL AND reason > each.reason) FROM each WHERE each.reason IS NOT NULL)
SELECT reason FROM each WHERE reason IS NOT NULL LIMIT 1000`

// countEnds counts by reason. What has none has not ended, or its end was not seen.
func (v *View) countEnds(ctx context.Context, o *Overview) error {
	var all []string
	if err := v.each(ctx, func(found *sql.Rows) error {
		all = append(all, "")
		return found.Scan(&all[len(all)-1])
	}, reasons); err != nil {
		return err
	}
	unknown := End{Legs: o.Sum.Legs}
	for _, reason := range all {
		n, err := v.number(ctx, "SELECT COUNT(*) FROM call_legs WHERE reason = $1 AND started_at >= $2 AND started_at < $3", reason, o.From, o.To)
		if err != nil {
			return err
		}
		if n > 0 {
			known, _ := names.LegReason(reason)
			o.Ends = append(o.Ends, End{Reason: reason, Failure: known.Failure, Legs: n})
			unknown.Legs -= n
		}
	}
	slices.SortFunc(o.Ends, func(a, b End) int { return cmp.Or(cmp.Compare(b.Legs, a.Legs), cmp.Compare(a.Reason, b.Reason)) })
	if unknown.Legs > 0 {
		o.Ends = append(o.Ends, unknown)
	}
	return nil
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

// Storage returns the newest event of each partition of each node, whichever server
// of the cluster reported it.
func (v *View) Storage(ctx context.Context) ([]StorageEvent, error) {
	return collect(eachFrom[StorageEvent](ctx, v, fmt.Sprintf(`(
  SELECT newest.*, ROW_NUMBER() OVER (PARTITION BY COALESCE(node_address, node_id, server), partition ORDER BY at DESC, id DESC) AS place
  FROM (SELECT * FROM storage_events ORDER BY at DESC LIMIT %d) AS newest) AS ordered`, newestStorage),
		"WHERE place = 1 ORDER BY server, node_address, partition"))
}
