// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// openLoad is posted by many bridges, each on a connection of its own. Posts are due at times
// that do not depend on the answers: one that is late is late by all the time since it was
// due, and counts as that. A bridge has one post in flight, as real ones do, and sends refused
// bodies again.
type openLoad struct {
	bridges int
	rate    int           // records a second, of all bridges
	warmUp  time.Duration // not measured
	time    time.Duration
	secure  *tls.Config // nil without TLS
	// from makes the posts of a bridge, which have one and two records by turns.
	from func(bridge int) posts
}

// postSizes are the records of a bridge's posts, by turns.
var postSizes = []int{1, 2}

// meanPost is how many records a post has.
func meanPost() float64 {
	sum := 0
	for _, n := range postSizes {
		sum += n
	}
	return float64(sum) / float64(len(postSizes))
}

// loaded is the result of a load.
type loaded struct {
	reached    float64 // records answered with 200 a second, while the load lasted
	due        float64 // records a second that were due meanwhile: about the rate
	p50, p99   time.Duration
	longest    time.Duration
	posts      int
	records    int // all that were accepted, those of the warm-up too
	refused    int // answers other than 200
	unanswered int // posts that were due and not accepted when the load ended
}

// lateness keeps the latencies of a bridge.
type lateness struct {
	all      []time.Duration
	records  int // accepted
	due      int // while it was measured
	measured int // of these, while it was measured
	missed   int
}

// pauseOfRefusal is how long a bridge waits before it sends a refused post again.
const pauseOfRefusal = 10 * time.Millisecond

// run posts until the time is up. When it returns, no post is under way.
func (l *openLoad) run(ctx context.Context, address string) (loaded, error) {
	all := make([]*connection, l.bridges)
	defer func() {
		for _, c := range all {
			if c != nil {
				c.close()
			}
		}
	}()
	for i := range all {
		var err error
		if all[i], err = dialSecure(ctx, address, l.secure, l.from(i)); err != nil {
			return loaded{}, err
		}
	}
	var (
		wg      sync.WaitGroup
		refused atomic.Int64
		begin   = time.Now().Add(100 * time.Millisecond)
		each    = time.Duration(float64(time.Second) * meanPost() * float64(l.bridges) / float64(l.rate))
		late    = make([]lateness, l.bridges)
		errs    = make([]error, l.bridges)
		random  = rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same load each time
	)
	for i, c := range all {
		first := begin.Add(time.Duration(random.Int64N(int64(each))))
		wg.Go(func() { errs[i] = l.bridge(ctx, c, first, each, begin, &refused, &late[i]) })
	}
	wg.Wait()
	return l.sum(late, int(refused.Load())), errors.Join(errs...)
}

// bridge posts on one connection.
func (l *openLoad) bridge(ctx context.Context, c *connection, due time.Time, each time.Duration, begin time.Time, refused *atomic.Int64, to *lateness) error {
	measured, end := begin.Add(l.warmUp), begin.Add(l.warmUp+l.time)
	for n := 0; due.Before(end); n++ {
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		request := c.from.next()
		for {
			again, err := c.send(request)
			if err != nil {
				return fmt.Errorf("post: %w", err)
			}
			if !again {
				break
			}
			refused.Add(1)
			if time.Now().After(end.Add(patience)) {
				return fmt.Errorf("a post was refused for %s after the load had ended", patience)
			}
			time.Sleep(pauseOfRefusal)
		}
		now, records := time.Now(), postSizes[n%len(postSizes)]
		to.records += records
		if !due.Before(measured) {
			to.all = append(to.all, now.Sub(due))
			to.due += records
			if now.Before(end) {
				to.measured += records
			} else {
				to.missed++
			}
		}
		due = due.Add(each)
	}
	return nil
}

func (l *openLoad) sum(late []lateness, refused int) loaded {
	sum := loaded{refused: refused}
	var all []time.Duration
	measured, due := 0, 0
	for i := range late {
		all = append(all, late[i].all...)
		sum.records += late[i].records
		sum.unanswered += late[i].missed
		measured += late[i].measured
		due += late[i].due
	}
	sum.posts = len(all)
	sum.reached, sum.due = float64(measured)/l.time.Seconds(), float64(due)/l.time.Seconds()
	if len(all) > 0 {
		slices.Sort(all)
		sum.p50, sum.p99, sum.longest = all[len(all)/2], all[len(all)-1-len(all)/100], all[len(all)-1]
	}
	return sum
}

// byTurns makes the posts of a bridge out of the records of a stream.
type byTurns struct {
	n    int
	make func(records int) []byte
}

func (b *byTurns) next() []byte {
	b.n++
	return b.make(postSizes[(b.n-1)%len(postSizes)])
}
