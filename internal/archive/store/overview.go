// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/legato-otel/legato/internal/names"
)

// Overview counts the legs that started in a time, and the running objects.
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

// Running is how many objects of each kind run.
type Running struct{ Conferences, Legs, Recordings, Sessions int64 }

// maxBuckets of an overview.
const maxBuckets = 400

// Overview of the legs that started from From on and before To, in steps of an hour, a
// day, or the like in the view's zone; both ends are moved outwards to a full one.
func (v *View) Overview(ctx context.Context, from, to time.Time, step time.Duration) (o Overview, err error) {
	bounds, err := stepsIn(v.zone, from, to, step)
	if err != nil {
		return o, err
	}
	o = Overview{From: bounds[0], To: bounds[len(bounds)-1], Step: step}
	for _, at := range bounds[:len(bounds)-1] {
		o.Buckets = append(o.Buckets, Bucket{At: at})
	}
	all, err := v.startsIn(ctx, bounds)
	if err != nil {
		return o, err
	}
	o.addStarts(all)
	if o.Running, err = v.Running(ctx); err != nil {
		return o, err
	}
	o.Storage, err = v.Storage(ctx)
	return o, err
}

// stepsIn are the times where steps begin in a zone that cover a time, and where the last
// one ends. Steps of some hours begin at the same hours of each day, also where a clock is
// set forward or back.
func stepsIn(zone *time.Location, from, to time.Time, step time.Duration) (bounds []time.Time, err error) {
	hours := int(step / time.Hour)
	next := func(at time.Time) time.Time { return at.Add(step) }
	at := from.In(zone)
	if hours > 1 {
		next = func(at time.Time) time.Time {
			return time.Date(at.Year(), at.Month(), at.Day(), at.Hour()+hours, 0, 0, 0, zone)
		}
		at = time.Date(at.Year(), at.Month(), at.Day(), at.Hour()/hours*hours, 0, 0, 0, zone)
	} else {
		_, offset := at.Zone()
		shift := time.Duration(offset) * time.Second
		at = at.Add(shift).Truncate(step).Add(-shift)
	}
	for bounds = append(bounds, at); at.Before(to); bounds = append(bounds, at) {
		if step <= 0 || len(bounds) > maxBuckets {
			return nil, fmt.Errorf("callarchive: an overview of more than %d steps", maxBuckets)
		}
		after := next(at)
		if !after.After(at) {
			after = at.Add(step) // a clock that is set back
		}
		at = after
	}
	if len(bounds) < 2 {
		return nil, fmt.Errorf("callarchive: an overview from %s to %s", from, to)
	}
	return bounds, nil
}

// addStarts adds counts to the buckets, the sum and the ends. A leg without a reason runs,
// or its end was not seen: these come last.
func (o *Overview) addStarts(all []starts) {
	ends := map[string]int64{}
	for i := range all {
		c := &all[i]
		at, _ := slices.BinarySearchFunc(o.Buckets, c.at, func(b Bucket, at time.Time) int { return b.At.Compare(at) })
		o.Buckets[at].add(c.Bucket)
		o.Sum.add(c.Bucket)
		ends[c.reason] += c.Legs
	}
	for reason, legs := range ends {
		if reason != "" {
			known, _ := names.LegReason(reason)
			o.Ends = append(o.Ends, End{Reason: reason, Failure: known.Failure, Legs: legs})
		}
	}
	slices.SortFunc(o.Ends, func(a, b End) int { return cmp.Or(cmp.Compare(b.Legs, a.Legs), cmp.Compare(a.Reason, b.Reason)) })
	if unknown := ends[""]; unknown > 0 {
		o.Ends = append(o.Ends, End{Legs: unknown})
	}
}

// Running counts the running objects.
func (v *View) Running(ctx context.Context) (r Running, err error) {
	for _, count := range []struct {
		table string
		to    *int64
	}{
		{conferenceTable.name, &r.Conferences},
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

// newestStorage is how many storage events are examined for the current state of the disks.
const newestStorage = 10_000

// Storage returns the newest event of each partition of each node, whichever server
// of the cluster reported it.
func (v *View) Storage(ctx context.Context) ([]StorageEvent, error) {
	return collect(eachFrom[StorageEvent](ctx, v, fmt.Sprintf(`(
  SELECT newest.*, ROW_NUMBER() OVER (PARTITION BY COALESCE(node_address, node_id, server), partition ORDER BY at DESC, id DESC) AS place
  FROM (SELECT * FROM storage_events ORDER BY at DESC LIMIT %d) AS newest) AS ordered`, newestStorage),
		"WHERE place = 1 ORDER BY server, node_address, partition"))
}
