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
		o.Buckets = append(o.Buckets, Bucket{At: at})
	}
	all, err := v.startsIn(ctx, o.From, o.To, step)
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

// addStarts adds counts to the buckets, the sum and the ends. A leg without a reason runs,
// or its end was not seen: these come last.
func (o *Overview) addStarts(all []starts) {
	ends := map[string]int64{}
	for i := range all {
		c := &all[i]
		o.Buckets[c.at.Sub(o.From)/o.Step].add(c.Bucket)
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
