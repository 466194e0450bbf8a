// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"slices"
	"strings"
	"time"
)

// conferences groups calls with one correlator whose lives overlap.
func conferences(calls []*Call) []*Conference {
	var (
		list   []*Conference
		latest = map[string]*meeting{} // by correlator
	)
	// Calls come in the order in which they began, so only the latest
	// meeting of a correlator can still grow.
	for _, c := range calls {
		m := latest[c.Correlator]
		if m == nil || !m.isOpenAt(c.began) {
			m = &meeting{conference: &Conference{Correlator: c.Correlator}}
			latest[c.Correlator] = m
			list = append(list, m.conference)
		}
		m.add(c)
	}
	for _, conf := range list {
		slices.Sort(conf.Calls)
	}
	return list
}

// meeting is a conference that may still grow.
type meeting struct {
	conference *Conference
	calls      []*Call
	endedAt    time.Time // true end of the last call so far
	open       bool      // a call of it never ended
}

func (m *meeting) isOpenAt(at time.Time) bool { return m.open || !m.endedAt.Before(at) }

func (m *meeting) add(c *Call) {
	m.calls = append(m.calls, c)
	m.open = m.open || c.endedAt.IsZero()
	if c.endedAt.After(m.endedAt) {
		m.endedAt = c.endedAt
	}
	conf := m.conference
	conf.Calls = append(conf.Calls, c.ID)
	first := slices.MinFunc(m.calls, func(a, b *Call) int {
		return firstDifference(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
	})
	conf.FoundingCall, conf.Start = first.ID, first.Start
	conf.End = lastEnd(m.calls)
}

// firstDifference is the first comparison that decides.
func firstDifference(results ...int) int {
	for _, r := range results {
		if r != 0 {
			return r
		}
	}
	return 0
}

// lastEnd is the latest end, nil when a call has none.
func lastEnd(calls []*Call) *time.Time {
	var last *time.Time
	for _, c := range calls {
		if c.End == nil {
			return nil
		}
		if last == nil || c.End.After(*last) {
			last = c.End
		}
	}
	return last
}
