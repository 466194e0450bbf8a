// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// absence says since when no server lists a known call or participant. The zero value means
// that a server lists it.
type absence struct {
	since time.Time
	// interruptedQuiet is the interruptedQuiet of the server or meeting at the time of since.
	interruptedQuietBefore time.Duration
	// removedByServer means that a server removed the participant without a reason.
	removedByServer bool
}

// isSet reports whether the object is absent.
func (a *absence) isSet() bool { return !a.since.IsZero() }

// sweep decides when absent objects are removed after a reconnect. A server sends a
// snapshot of all objects, and does not mark its end. So a sweep waits until no absent
// object was listed for the grace time, then the remaining absent objects are removed.
//
// The quiet time of an interrupted snapshot counts, once the snapshot has begun.
// Otherwise objects would never be removed where connections are shorter than the grace
// time. An object that is absent from the first snapshots and listed in a later one is no
// longer absent.
type sweep struct {
	dueAt       time.Time     // when absent objects are removed; zero: none is absent
	latestAt    time.Time     // when absent objects are removed although the snapshot continues
	quietSince  time.Time     // since when no absent object was listed
	quietNeeded time.Duration // how long it must be quiet
	begun       bool          // the server has sent a part of the snapshot
}

// begin starts the sweep of a new snapshot.
func (s *sweep) begin(now time.Time, grace time.Duration) {
	*s = sweep{quietSince: now, latestAt: now.Add(5 * grace)}
}

// requireQuiet sets how long it must be quiet before absent objects are removed.
func (s *sweep) requireQuiet(quiet time.Duration) {
	s.quietNeeded = quiet
	s.dueAt = s.quietSince.Add(quiet)
	if s.dueAt.After(s.latestAt) {
		s.dueAt = s.latestAt
	}
}

// recordMessage records a message of the snapshot. The first one starts the quiet time
// again.
func (s *sweep) recordMessage(now time.Time) {
	if !s.begun {
		s.recordReturn(now)
	}
}

// recordReturn records that a message listed an absent object, which starts the quiet time
// again.
func (s *sweep) recordReturn(now time.Time) {
	if s.dueAt.IsZero() {
		return
	}
	s.quietSince, s.begun = now, true
	s.requireQuiet(s.quietNeeded)
}

// isDue reports whether absent objects are to be removed.
func (s *sweep) isDue(now time.Time) bool { return !s.dueAt.IsZero() && !now.Before(s.dueAt) }

// quietFor returns for how long it has been quiet.
func (s *sweep) quietFor(now time.Time) time.Duration {
	if s.dueAt.IsZero() {
		return 0
	}
	return now.Sub(s.quietSince)
}

// interrupt ends a snapshot whose subscription ended, and returns the quiet time that
// counts.
func (s *sweep) interrupt(now time.Time) (quiet time.Duration) {
	if s.begun {
		quiet = s.quietFor(now)
	}
	*s = sweep{}
	return quiet
}

// absenceSummary summarizes several absences: the earliest since and the least interruptedQuiet.
type absenceSummary absence

// add includes one absence.
func (m *absenceSummary) add(a *absence) {
	if m.since.IsZero() {
		*m = absenceSummary(*a)
		return
	}
	if a.since.Before(m.since) {
		m.since = a.since
	}
	m.interruptedQuietBefore = min(m.interruptedQuietBefore, a.interruptedQuietBefore)
}

// isAbsentFromSnapshot reports whether an absent object has been missing from its snapshots, the
// present one included, for SnapshotGrace of quiet time.
func (c *Cluster) isAbsentFromSnapshot(now time.Time, a *absence, s *sweep, interruptedQuiet time.Duration) bool {
	return !s.dueAt.IsZero() && (!now.Before(s.latestAt) || interruptedQuiet+s.quietFor(now)-a.interruptedQuietBefore >= c.opts.SnapshotGrace)
}
