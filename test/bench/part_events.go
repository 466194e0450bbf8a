// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The events part: the cost of a frame of a Call Bridge's event socket in cmsevents, from the
// socket to the log record; the memory of a participant; and how soon a bridge that was away
// is followed again.

// The goals of the project.
const (
	mostOfBare         = 1.2
	mostPerParticipant = 1 << 10
	mostUntilFollowed  = 10 * time.Second
)

// windows are how many frames are on their way at once: one, as of a server that
// waits for each acknowledgement, and many.
var windows = []int{1, 64}

type eventsPlan struct {
	rounds, frames int
	// calls of so many people, for the heap.
	calls, people int
}

func newEventsPlan(o options) eventsPlan {
	return eventsPlan{rounds: o.rounds, frames: 40_000, calls: 200, people: 25}
}

type frameKey struct {
	kind, frames string
	window       int
}

// eventCosts are the measured figures: CPU time per frame in microseconds, one figure for each
// round; heap bytes of a participant; seconds until followed again.
type eventCosts struct {
	frames   map[frameKey][]float64
	heap     int64
	followed []float64
}

func (p eventsPlan) bench(ctx context.Context) (costs eventCosts, err error) {
	costs.frames = make(map[frameKey][]float64)
	if err := p.benchFrames(ctx, costs.frames); err != nil {
		return costs, err
	}
	if costs.heap, err = p.weigh(ctx); err != nil {
		return costs, err
	}
	costs.followed, err = p.outages(ctx)
	return costs, err
}

// follower is a client with a bridge of its own.
type follower struct {
	*worker
	bridge *eventBridge
	frames map[string]*eventFrames
	took   int // records or frames
}

func (p eventsPlan) benchFrames(ctx context.Context, costs map[frameKey][]float64) (err error) {
	var crew crew
	defer func() { err = crew.stop(err) }()
	var all []*follower
	for _, kind := range []string{eventsReceiver, eventsGorilla} {
		const people = 20
		bridge, err := newEventBridge(1, people)
		if err != nil {
			return err
		}
		defer bridge.stop()
		w, err := crew.start(ctx, setup{Job: "events", Kind: kind, Address: bridge.address, Sockets: 1})
		if err != nil {
			return err
		}
		f := &follower{worker: w, bridge: bridge, frames: map[string]*eventFrames{}}
		for _, name := range []string{frameUpdates, frameComings} {
			f.frames[name] = &eventFrames{kind: name, people: people}
		}
		if err := f.begin(people); err != nil {
			return err
		}
		all = append(all, f)
	}
	for round := range p.rounds + 1 {
		progress("frames, round %d of %d", round, p.rounds)
		for _, window := range windows {
			for _, name := range []string{frameUpdates, frameComings} {
				for i := range all {
					f := all[(round+i)%len(all)]
					cost, err := f.run(name, window, p.frames)
					if err != nil {
						return err
					}
					if round > 0 { // the first is to warm up
						key := frameKey{f.setup.Kind, name, window}
						costs[key] = append(costs[key], cost)
					}
				}
			}
		}
	}
	return nil
}

// begin waits until the call and its people are known.
func (f *follower) begin(people int) error {
	if err := f.bridge.await(); err != nil {
		return err
	}
	if f.setup.Kind == eventsGorilla {
		f.took = 4 // two states, two snapshots
	} else {
		f.took = 1 + 1 + people // the call, its info
	}
	_, err := f.request(order{Do: "delivered", Count: f.took})
	return err
}

// run feeds frames and returns the cost of one. Each is a record.
func (f *follower) run(name string, window, n int) (cost float64, err error) {
	before, err := f.request(order{Do: "report"})
	if err != nil {
		return 0, err
	}
	if err := f.bridge.feed(f.frames[name], n, window); err != nil {
		return 0, err
	}
	f.took += n
	if _, err := f.request(order{Do: "delivered", Count: f.took}); err != nil {
		return 0, err
	}
	after, err := f.request(order{Do: "report"})
	return microseconds(after.Used-before.Used, n), err
}

// weigh returns the heap of a participant, with its share of the calls: that of
// many less that of one.
func (p eventsPlan) weigh(ctx context.Context) (int64, error) {
	var heap [2]int64
	for i, calls := range []int{1, p.calls} {
		progress("heap of %d participants", calls*p.people)
		m, err := weighFollower(ctx, calls, p.people)
		if err != nil {
			return 0, err
		}
		heap[i] = m.Heap
	}
	return (heap[1] - heap[0]) / int64((p.calls-1)*p.people), nil
}

func weighFollower(ctx context.Context, calls, people int) (m memory, err error) {
	bridge, err := newEventBridge(calls, people)
	if err != nil {
		return m, err
	}
	defer bridge.stop()
	w, err := startWorker(ctx, setup{Job: "events", Kind: eventsReceiver, Address: bridge.address, Sockets: 5})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	if err := bridge.await(); err != nil {
		return m, err
	}
	if _, err := w.request(order{Do: "delivered", Count: calls * (2 + people)}); err != nil {
		return m, err
	}
	a, err := w.request(order{Do: "memory"})
	return a.Memory, err
}

// untilUseful is how long a bridge works between two outages, more than
// cmsevents asks of a connection before its waits begin anew.
const untilUseful = 6 * time.Second

// outages takes a bridge away and measures, from its return on, the time until
// all is subscribed to and acknowledged again.
func (p eventsPlan) outages(ctx context.Context) (seconds []float64, err error) {
	const calls, people = 40, 20
	bridge, err := newEventBridge(calls, people)
	if err != nil {
		return nil, err
	}
	defer bridge.stop()
	w, err := startWorker(ctx, setup{Job: "events", Kind: eventsReceiver, Address: bridge.address, Sockets: 1})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	if err := bridge.await(); err != nil {
		return nil, err
	}
	for outage := range min(p.rounds, 5) {
		progress("outage %d", outage+1)
		// A bridge that ends each connection after a moment is another fault:
		// it is asked ever less often.
		time.Sleep(untilUseful)
		bridge.stop()
		time.Sleep(time.Duration(1+outage*2) * time.Second)
		if err := bridge.start(); err != nil {
			return nil, err
		}
		begun := time.Now()
		if err := bridge.await(); err != nil {
			return nil, err
		}
		seconds = append(seconds, time.Since(begun).Seconds())
	}
	// No participant is added by that.
	_, err = w.request(order{Do: "delivered", Count: calls * (2 + people)})
	return seconds, err
}

func (p eventsPlan) report(costs eventCosts) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Method: median of %d rounds of %d frames, CPU time of the client's process, GOGC=%s\n\n", p.rounds, p.frames, collection())
	b.WriteString("| CPU per frame | frames | on their way | goal | measured | spread | |\n|---|---|---|---|---|---|---|\n")
	kinds := []string{eventsReceiver, eventsGorilla}
	for _, name := range []string{frameUpdates, frameComings} {
		for _, window := range windows {
			s := summarize(ratios(costs.frames[frameKey{kinds[0], name, window}], costs.frames[frameKey{kinds[1], name, window}]))
			fmt.Fprintf(&b, "| %s / %s | %s | %d | <= %.1f | %.2f | %.2f..%.2f | %s |\n",
				kinds[0], kinds[1], name, window, mostOfBare, s.median, s.least, s.most, verdict(s.median <= mostOfBare))
		}
	}
	b.WriteString("\n| us per frame (spread) | frames | on their way | |\n|---|---|---|---|\n")
	for _, kind := range kinds {
		for _, name := range []string{frameUpdates, frameComings} {
			for _, window := range windows {
				s := summarize(costs.frames[frameKey{kind, name, window}])
				fmt.Fprintf(&b, "| %s | %s | %d | %.2f (%.2f..%.2f) |\n", kind, name, window, s.median, s.least, s.most)
			}
		}
	}
	fmt.Fprintf(&b, "\nHeap of a participant, of %d in %d calls: %d bytes, its share of the call included (<= %d: %s)\n",
		p.calls*p.people, p.calls, costs.heap, mostPerParticipant, verdict(costs.heap <= mostPerParticipant))
	s := summarize(costs.followed)
	fmt.Fprintf(&b, "\nFollowed again after a bridge's return: %.1f s (%.1f..%.1f; <= %.0f s: %s)\n",
		s.median, s.least, s.most, mostUntilFollowed.Seconds(), verdict(s.most <= mostUntilFollowed.Seconds()))
	return b.String()
}
