// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// absence says since when nobody tells of a call or of a participant that is in
// the picture. The zero value: somebody does.
type absence struct {
	since time.Time
	// quiet is how much quiet its snapshots had had by then.
	quiet time.Duration
	// removed tells that a server removed them, though not why.
	removed bool
}

func (a *absence) is() bool { return !a.since.IsZero() }

// sweep waits for the end of a snapshot, which is not marked: what it does not
// announce is gone after a grace time in which nothing came that was missing.
//
// A snapshot that is cut short counts by as long as it was quiet, once it had
// begun. Else, where connections last shorter than the grace time, what is gone
// would stay for ever. What was missing in the first snapshots and is announced
// in a later one is back, whatever the time.
type sweep struct {
	at     time.Time     // when something is gone; zero: nothing is missing
	latest time.Time     // when all that is missing is gone, though more is coming
	since  time.Time     // since when it is quiet
	wait   time.Duration // how long it must be
	begun  bool          // the server has sent something of the snapshot
}

func (s *sweep) begin(now time.Time, grace time.Duration) {
	*s = sweep{since: now, latest: now.Add(5 * grace)}
}

// await says how long it must be quiet for something to be gone.
func (s *sweep) await(quiet time.Duration) {
	s.wait = quiet
	s.at = s.since.Add(quiet)
	if s.at.After(s.latest) {
		s.at = s.latest
	}
}

// news says that a message came, and whether it told of something missing.
func (s *sweep) news(now time.Time, missing bool) {
	if s.at.IsZero() || s.begun && !missing {
		return
	}
	s.since, s.begun = now, true
	s.await(s.wait)
}

func (s *sweep) due(now time.Time) bool { return !s.at.IsZero() && !now.Before(s.at) }

// quiet is for how long it has been quiet.
func (s *sweep) quiet(now time.Time) time.Duration {
	if s.at.IsZero() {
		return 0
	}
	return now.Sub(s.since)
}

// cut ends the snapshot and returns how much its quiet counts.
func (s *sweep) cut(now time.Time) (quiet time.Duration) {
	if s.begun {
		quiet = s.quiet(now)
	}
	*s = sweep{}
	return quiet
}

// missing sums up absences: since when the first of them is, and the least quiet
// there was before one.
type missing absence

func (m *missing) add(a *absence) {
	if m.since.IsZero() {
		*m = missing(*a)
		return
	}
	if a.since.Before(m.since) {
		m.since = a.since
	}
	m.quiet = min(m.quiet, a.quiet)
}

// missed tells whether the snapshots of something absent, with the present one, have
// been quiet for long enough without it.
func (c *Cluster) missed(now time.Time, a *absence, s *sweep, quietBefore time.Duration) bool {
	return !s.at.IsZero() && (!now.Before(s.latest) || quietBefore+s.quiet(now)-a.quiet >= c.opts.Grace)
}
