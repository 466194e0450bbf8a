// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// absence says since when nobody tells of a call or of a participant that is in
// the picture. The zero value: somebody does.
type absence struct {
	since time.Time
	// quiet is how much quiet its snapshots had had by then.
	priorQuiet time.Duration
	// removed tells that a server removed them, though not why.
	removedByServer bool
}

func (a *absence) isSet() bool { return !a.since.IsZero() }

// sweep waits for the end of a snapshot, which is not marked: what it does not
// announce is gone after a grace time in which nothing came that was missing.
//
// A snapshot that is cut short counts by as long as it was quiet, once it had
// begun. Else, where connections last shorter than the grace time, what is gone
// would stay for ever. What was missing in the first snapshots and is announced
// in a later one is back, whatever the time.
type sweep struct {
	dueAt       time.Time     // when something is gone; zero: nothing is missing
	latestAt    time.Time     // when all that is missing is gone, though more is coming
	quietSince  time.Time     // since when it is quiet
	quietNeeded time.Duration // how long it must be
	begun       bool          // the server has sent something of the snapshot
}

func (s *sweep) begin(now time.Time, grace time.Duration) {
	*s = sweep{quietSince: now, latestAt: now.Add(5 * grace)}
}

// await says how long it must be quiet for something to be gone.
func (s *sweep) requireQuiet(quiet time.Duration) {
	s.quietNeeded = quiet
	s.dueAt = s.quietSince.Add(quiet)
	if s.dueAt.After(s.latestAt) {
		s.dueAt = s.latestAt
	}
}

// news says that a message came, and whether it told of something missing.
func (s *sweep) resetQuiet(now time.Time, missing bool) {
	if s.dueAt.IsZero() || s.begun && !missing {
		return
	}
	s.quietSince, s.begun = now, true
	s.requireQuiet(s.quietNeeded)
}

func (s *sweep) isDue(now time.Time) bool { return !s.dueAt.IsZero() && !now.Before(s.dueAt) }

// quiet is for how long it has been quiet.
func (s *sweep) quietFor(now time.Time) time.Duration {
	if s.dueAt.IsZero() {
		return 0
	}
	return now.Sub(s.quietSince)
}

// cut ends the snapshot and returns how much its quiet counts.
func (s *sweep) cutShort(now time.Time) (quiet time.Duration) {
	if s.begun {
		quiet = s.quietFor(now)
	}
	*s = sweep{}
	return quiet
}

// missing sums up absences: since when the first of them is, and the least quiet
// there was before one.
type absenceSummary absence

func (m *absenceSummary) add(a *absence) {
	if m.since.IsZero() {
		*m = absenceSummary(*a)
		return
	}
	if a.since.Before(m.since) {
		m.since = a.since
	}
	m.priorQuiet = min(m.priorQuiet, a.priorQuiet)
}

// missed tells whether the snapshots of something absent, with the present one, have
// been quiet for long enough without it.
func (c *Cluster) isUnlisted(now time.Time, a *absence, s *sweep, quietBefore time.Duration) bool {
	return !s.dueAt.IsZero() && (!now.Before(s.latestAt) || quietBefore+s.quietFor(now)-a.priorQuiet >= c.opts.SnapshotGrace)
}
