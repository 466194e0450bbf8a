// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stalls is how long calls took, by the clock on the wall.
type stalls struct {
	Calls int `json:"calls,omitempty"`
	// Median of them, the longest of 10 000 but one, and the longest of all.
	Median  time.Duration `json:"median,omitempty"`
	Rare    time.Duration `json:"rare,omitempty"`
	Longest time.Duration `json:"longest,omitempty"`
	// Above is how many took longer than the goal.
	Above int `json:"above,omitempty"`
	// Others is how much of the processors other processes used meanwhile, 1 for a whole one.
	// They may have used the time for which a call then waited.
	Others float64 `json:"others,omitempty"`
}

// longestStall is the goal.
const longestStall = 2 * time.Millisecond

// stopwatch measures calls.
type stopwatch struct {
	stalls
	all  []time.Duration
	pace time.Duration
	next time.Time // for a call

	begun     time.Time
	busy, own time.Duration // when it began
}

// newStopwatch is for calls that come at a pace; 0 means at once.
func newStopwatch(pace time.Duration) (w *stopwatch, err error) {
	w = &stopwatch{pace: pace, next: time.Now(), begun: time.Now(), busy: machineTime()}
	w.own, err = cpuTime()
	return w, err
}

// measure makes one call, when it is time for it. One that was late is not made
// up for.
func (w *stopwatch) measure(call func() error) error {
	if w.pace > 0 {
		time.Sleep(time.Until(w.next))
		w.next = time.Now().Add(w.pace)
	}
	begun := time.Now()
	err := call()
	took := time.Since(begun)
	w.all = append(w.all, took)
	if took > longestStall {
		w.Above++
	}
	return err
}

// result ends the measurement.
func (w *stopwatch) result() (stalls, error) {
	own, err := cpuTime()
	if err != nil {
		return stalls{}, err
	}
	if w.Calls = len(w.all); w.Calls == 0 {
		return stalls{}, errNothing
	}
	w.Others = max(0, ((machineTime()-w.busy)-(own-w.own)).Seconds()/time.Since(w.begun).Seconds())
	slices.Sort(w.all)
	w.Median = w.all[w.Calls/2]
	w.Rare = w.all[w.Calls-1-w.Calls/10_000]
	w.Longest = w.all[w.Calls-1]
	return w.stalls, nil
}

// spin measures a loop that does nothing but look at the clock, as if each ten microseconds of
// it were a call: it shows the machine's own stalls.
func spin(d time.Duration) (stalls, error) {
	w, err := newStopwatch(0)
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
	if err != nil {
		return stalls{}, err
	}
	return w.result()
}

// machineTime is the CPU time all processes have used since the system started,
// 0 where it is not known.
func machineTime() (used time.Duration) {
	file, err := os.Open("/proc/stat")
	if err != nil {
		return 0
	}
	defer file.Close()
	line, err := bufio.NewReader(file).ReadString('\n')
	if err != nil {
		return 0
	}
	const (
		tick         = time.Second / 100
		idle, iowait = 4, 5
		guest        = 9 // is in user, which is before it
	)
	for i, field := range strings.Fields(line) {
		if i == 0 || i == idle || i == iowait || i >= guest {
			continue
		}
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		used += time.Duration(ticks) * tick
	}
	return used
}
