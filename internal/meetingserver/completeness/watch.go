// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"maps"
	"slices"
	"time"
)

const (
	// Patience is how long a record may be on its way.
	Patience = 30 * time.Second
	// Settle is how long a backlog may take to begin after a restart of either side.
	Settle = 2 * time.Minute
	// apart is how far apart the looks are that are kept, and kept how many: those of
	// twice Patience and more.
	apart = 5 * time.Second
	kept  = 32
)

// Look is what was seen of a bridge at one time.
type Look struct {
	At time.Time
	// Start of the bridge: numbers of two runs are not compared.
	Start time.Time
	// Created is the index of the bridge's next record, the number of those it created
	// in this run.
	Created uint64
	// Positions by receiver, and how many Receivers there are: see [Positions].
	Positions map[string]uint64
	Receivers int
}

// Problem is why records are missing at a receiver.
type Problem string

// The problems; see the package comment.
const (
	Behind Problem = "behind"
	Silent Problem = "silent"
)

// Change tells that records of a bridge are missing at a receiver, or no longer.
type Change struct {
	// Receiver is "" if no receiver knows the bridge.
	Receiver string
	// Problem is "" if there is none any more.
	Problem Problem
	// Created as in Look, and Position of the receiver; HasPosition is false if it has
	// none.
	Created, Position uint64
	HasPosition       bool
}

// Watch watches one bridge. The zero value is ready.
type Watch struct {
	began time.Time
	looks []Look // of one run of the bridge, the oldest first
	open  map[string]opened
}

// opened is a problem as it was when it was found.
type opened struct {
	problem  Problem
	start    time.Time // of the bridge
	position uint64
	has      bool
}

// Look takes what is seen now, and returns what changed, in the order of the
// receivers. Time must not go backwards.
func (w *Watch) Look(now Look) (changes []Change) {
	if w.began.IsZero() {
		w.began = now.At
	}
	if len(w.looks) > 0 && !w.looks[0].Start.Equal(now.Start) {
		w.looks = nil
	}
	problems := w.problems(&now)
	if n := len(w.looks); n == 0 || now.At.Sub(w.looks[n-1].At) >= apart {
		w.looks = append(w.looks, now)
		w.looks = w.looks[max(0, len(w.looks)-kept):]
	}
	receivers := make(map[string]bool)
	for r := range problems {
		receivers[r] = true
	}
	for r := range w.open {
		receivers[r] = true
	}
	for _, r := range slices.Sorted(maps.Keys(receivers)) {
		p, is := problems[r]
		position, has := now.Positions[r]
		former, was := w.open[r]
		if is && was && p == former.problem || !is && !former.isMended(r, &now) {
			continue
		}
		changes = append(changes, Change{Receiver: r, Problem: p, Created: now.Created, Position: position, HasPosition: has})
		if w.open == nil {
			w.open = make(map[string]opened)
		}
		if w.open[r] = (opened{p, now.Start, position, has}); !is {
			delete(w.open, r)
		}
	}
	return changes
}

// isMended tells whether a problem is over, rather than that nothing can be said about
// it now: the receiver has all records, or its position has moved.
func (o *opened) isMended(receiver string, now *Look) bool {
	if receiver == "" {
		return len(now.Positions) > 0 || now.Receivers == 0
	}
	position, has := now.Positions[receiver]
	return !has || position != o.position || o.problem == Behind && o.start.Equal(now.Start) && position >= now.Created
}

// problems are those that can be seen now.
func (w *Watch) problems(now *Look) map[string]Problem {
	all := make(map[string]Problem)
	late, ok := w.before(now.At.Add(-Patience))
	if !ok || now.At.Sub(w.began) < Settle || !now.Start.IsZero() && now.At.Sub(now.Start) < Settle {
		return all
	}
	earlier, twice := w.before(late.At.Add(-Patience))
	isCreating := twice && late.Created > earlier.Created
	for r, position := range now.Positions {
		then, had := late.Positions[r]
		if !had || then != position {
			continue // it moves
		}
		first, hadFirst := earlier.Positions[r]
		switch {
		case position < late.Created:
			all[r] = Behind
		case isCreating && hadFirst && first == position && position > now.Created:
			all[r] = Silent // the position of another run
		}
	}
	if isCreating && now.Receivers > 0 && len(now.Positions)+len(late.Positions)+len(earlier.Positions) == 0 {
		all[""] = Silent
	}
	return all
}

// before returns the last look that is not after a time.
func (w *Watch) before(at time.Time) (l Look, ok bool) {
	for _, l := range slices.Backward(w.looks) {
		if !l.At.After(at) {
			return l, true
		}
	}
	return l, false
}
