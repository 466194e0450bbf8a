// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// results holds the CPU time per record in microseconds, by kind and batch size,
// one figure for each round.
type results map[runKey][]float64

type runKey struct {
	kind  string
	batch int
}

// benchReceiver measures the cost of a record in the receivers.
func benchReceiver(ctx context.Context, o options) (string, error) {
	all, err := prepare(ctx, batches)
	if err != nil {
		return "", err
	}
	measured := make(results)
	for round := range o.rounds {
		progress("receivers, round %d of %d", round+1, o.rounds)
		for _, t := range all {
			// Another one begins each time, so that none profits from its place.
			for i := range kinds {
				k := kinds[(round+i)%len(kinds)]
				cost, err := runOnce(ctx, k, t, o, nil)
				if err != nil {
					return "", fmt.Errorf("%s with batches of %d: %w", k.name, t.batch, err)
				}
				key := runKey{k.name, t.batch}
				measured[key] = append(measured[key], cost)
			}
		}
	}
	return report(measured, all, o), nil
}

// profile makes one run with a profile.
func profile(ctx context.Context, o options) error {
	k, err := kindOf(o.profileKind)
	if err != nil {
		return err
	}
	all, err := prepare(ctx, []int{o.profileBatch})
	if err != nil {
		return err
	}
	cost, err := runOnce(ctx, k, all[0], o, func(c *child) error { return c.send(commandProfile) })
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s, batches of %d: %.2f us/record, profile in %s\n", k.name, o.profileBatch, cost, o.profile)
	return err
}

func prepare(ctx context.Context, sizes []int) ([]*traffic, error) {
	progress("making the posts")
	records, err := simulatedRecords(ctx)
	if err != nil {
		return nil, err
	}
	var all []*traffic
	for _, batch := range sizes {
		t, err := newTraffic(ctx, records, batch)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// runOnce measures one kind in a process of its own and returns the CPU time
// per record in microseconds. warm, if any, is called after the warm-up.
func runOnce(ctx context.Context, k kind, t *traffic, o options, warm func(*child) error) (cost float64, err error) {
	served, err := newChild(ctx, k, o.profile)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, served.stop()) }()
	from, err := newClient(ctx, served.address, t.by[k.encoding])
	if err != nil {
		return 0, err
	}
	defer from.close()
	if _, _, err := served.load(ctx, from, t.batch, o.warmUp); err != nil {
		return 0, err
	}
	if warm != nil {
		if err := warm(served); err != nil {
			return 0, err
		}
	}
	used, records, err := served.load(ctx, from, t.batch, o.time)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err // interrupted: the run was too short
	}
	return float64(used) / float64(time.Microsecond) / float64(records), nil
}
