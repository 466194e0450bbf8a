// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"
)

// stalls is how long calls took, by the clock on the wall.
type stalls struct {
	Calls int `json:"calls,omitempty"`
	// Median of them, and the longest of 10 000 but one.
	Median time.Duration `json:"median,omitempty"`
	Rare   time.Duration `json:"rare,omitempty"`
	// Longest of all.
	Longest time.Duration `json:"longest,omitempty"`
	// Undisturbed is the longest one in which the system did not take a
	// processor away from this process and give it to another one, without the
	// time in which the call could have gone on and found none free.
	Undisturbed time.Duration `json:"undisturbed,omitempty"`
	// Used is the most CPU time of the calling thread in one call.
	Used time.Duration `json:"used,omitempty"`
	// Above is how many took longer than the goal.
	Above int `json:"above,omitempty"`
	// Disturbed is how many of them were.
	Disturbed int `json:"disturbed,omitempty"`
}

// longestStall is the goal.
const longestStall = 2 * time.Millisecond

// usage is what became of a thread's time.
type usage struct {
	used, waited time.Duration
	displaced    int64 // of all threads
}

// stopwatch measures calls.
type stopwatch struct {
	stalls
	all   []time.Duration
	clock *threadClock
}

// newStopwatch is for the calls of this goroutine, which must be bound to its
// thread.
func newStopwatch() (*stopwatch, error) {
	clock, err := openThreadClock()
	return &stopwatch{clock: clock}, err
}

// measure makes one call.
func (w *stopwatch) measure(call func() error) error {
	before, err := w.clock.usage()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := call(); err != nil {
		return err
	}
	took := time.Since(begun)
	after, err := w.clock.usage()
	if err != nil {
		return err
	}
	w.all = append(w.all, took)
	w.Longest = max(w.Longest, took)
	w.Used = max(w.Used, after.used-before.used)
	own := took - (after.waited - before.waited)
	disturbed := after.displaced != before.displaced || own < took/2
	if !disturbed {
		w.Undisturbed = max(w.Undisturbed, own)
	}
	if took > longestStall {
		w.Above++
		if disturbed {
			w.Disturbed++
		}
	}
	return nil
}

// result ends the measurement.
func (w *stopwatch) result() stalls {
	w.clock.close()
	if w.Calls = len(w.all); w.Calls == 0 {
		return w.stalls
	}
	slices.Sort(w.all)
	w.Median = w.all[w.Calls/2]
	w.Rare = w.all[w.Calls-1-w.Calls/10_000]
	return w.stalls
}

// spin measures a loop that does nothing but look at the clock, as if each ten
// microseconds of it were a call: what it shows is the machine's own stalls.
func spin(d time.Duration) (stalls, error) {
	w, err := newStopwatch()
	if err != nil {
		return stalls{}, err
	}
	const call = 10 * time.Microsecond
	for begun := time.Now(); time.Since(begun) < d && err == nil; {
		err = w.measure(func() error {
			for start := time.Now(); time.Since(start) < call; {
			}
			return nil
		})
	}
	return w.result(), err
}
