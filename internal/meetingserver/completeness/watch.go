// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"maps"
	"slices"
	"time"
)

const (
	// MaxDelay is how long a record may take from the bridge to a receiver.
	MaxDelay = 30 * time.Second
	// StartupGrace is how long after a restart of either side a backlog may begin.
	StartupGrace = 2 * time.Minute
	// observationInterval is the shortest time between two stored observations,
	// maxObservations their number. Together they cover more than twice MaxDelay.
	observationInterval = 5 * time.Second
	maxObservations     = 32
)

// Observation is the state of a bridge and of its receivers at one time.
type Observation struct {
	At time.Time
	// Start is the start of the bridge: numbers of two runs are not compared.
	Start time.Time
	// Created is the index of the next record of the bridge, which is the number of records
	// that it created in this run.
	Created uint64
	// Positions by receiver, and the number of Receivers: see [Positions].
	Positions map[string]uint64
	Receivers int
}

// Problem is the kind of a problem of a receiver.
type Problem string

// The problems; see the package comment.
const (
	Behind Problem = "behind"
	Silent Problem = "silent"
)

// Change reports that records of a bridge are missing at a receiver, or no longer missing.
type Change struct {
	// Receiver is "" if no receiver knows the bridge.
	Receiver string
	// Problem is "" if the problem is solved.
	Problem Problem
	// Created is from the Observation, Position from the receiver. HasPosition is false
	// without a position.
	Created, Position uint64
	HasPosition       bool
}

// Watch watches one bridge. The zero value is ready.
type Watch struct {
	startedAt    time.Time
	observations []Observation // of one run of the bridge, the oldest first
	openProblems map[string]openProblem
}

// openProblem is a problem with the state at its detection.
type openProblem struct {
	problem     Problem
	start       time.Time // of the bridge
	position    uint64
	hasPosition bool
}

// Observe adds an observation, and returns the changes in the order of the receivers. Time
// must not go backwards.
func (w *Watch) Observe(now Observation) (changes []Change) {
	if w.startedAt.IsZero() {
		w.startedAt = now.At
	}
	if len(w.observations) > 0 && !w.observations[0].Start.Equal(now.Start) {
		w.observations = nil
	}
	problems := w.findProblems(&now)
	if n := len(w.observations); n == 0 || now.At.Sub(w.observations[n-1].At) >= observationInterval {
		w.observations = append(w.observations, now)
		w.observations = w.observations[max(0, len(w.observations)-maxObservations):]
	}
	receivers := make(map[string]bool)
	for receiver := range problems {
		receivers[receiver] = true
	}
	for receiver := range w.openProblems {
		receivers[receiver] = true
	}
	for _, receiver := range slices.Sorted(maps.Keys(receivers)) {
		p, hasProblem := problems[receiver]
		position, hasPosition := now.Positions[receiver]
		former, wasOpen := w.openProblems[receiver]
		if hasProblem && wasOpen && p == former.problem || !hasProblem && !former.isSolved(receiver, &now) {
			continue
		}
		changes = append(changes, Change{Receiver: receiver, Problem: p, Created: now.Created, Position: position, HasPosition: hasPosition})
		if w.openProblems == nil {
			w.openProblems = make(map[string]openProblem)
		}
		if w.openProblems[receiver] = (openProblem{p, now.Start, position, hasPosition}); !hasProblem {
			delete(w.openProblems, receiver)
		}
	}
	return changes
}

// isSolved reports whether a problem is solved: the receiver has all records, or its position
// has moved. A problem that findProblems does not find may only be undecidable for now, and
// stays open.
func (o *openProblem) isSolved(receiver string, now *Observation) bool {
	if receiver == "" {
		return len(now.Positions) > 0 || now.Receivers == 0
	}
	position, hasPosition := now.Positions[receiver]
	return !hasPosition || position != o.position || o.problem == Behind && o.start.Equal(now.Start) && position >= now.Created
}

// findProblems returns the current problem of each receiver.
func (w *Watch) findProblems(now *Observation) map[string]Problem {
	all := make(map[string]Problem)
	late, ok := w.observationBefore(now.At.Add(-MaxDelay))
	if !ok || now.At.Sub(w.startedAt) < StartupGrace || !now.Start.IsZero() && now.At.Sub(now.Start) < StartupGrace {
		return all
	}
	earlier, hasTwo := w.observationBefore(late.At.Add(-MaxDelay))
	isCreating := hasTwo && late.Created > earlier.Created
	for r, position := range now.Positions {
		latePosition, hadPosition := late.Positions[r]
		if !hadPosition || latePosition != position {
			continue // the position moves
		}
		earlierPosition, hadEarlier := earlier.Positions[r]
		switch {
		case position < late.Created:
			all[r] = Behind
		case isCreating && hadEarlier && earlierPosition == position && position > now.Created:
			all[r] = Silent // the position belongs to a former run
		}
	}
	if isCreating && now.Receivers > 0 && len(now.Positions)+len(late.Positions)+len(earlier.Positions) == 0 {
		all[""] = Silent
	}
	return all
}

// observationBefore returns the last stored observation that is not after a time.
func (w *Watch) observationBefore(at time.Time) (observation Observation, ok bool) {
	for _, observation := range slices.Backward(w.observations) {
		if !observation.At.After(at) {
			return observation, true
		}
	}
	return observation, false
}
