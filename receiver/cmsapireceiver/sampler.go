// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// maxLegID bounds what is remembered of an id, in bytes. Ids have 36.
	maxLegID = 64
	// forgetAfter is after how many scrapes a leg is forgotten that no list has shown.
	forgetAfter = 100
	// maxRemembered bounds the legs that are remembered. A bridge has a few thousand.
	maxRemembered = 20_000
)

// sampler chooses the legs that are looked at: those with an alarm, and then those
// that were not looked at for longest. Its list is read in parts, one after the
// other, so that a scrape of a large bridge costs no more than that of a small
// one.
type sampler struct {
	round  int            // counts scrapes
	offset int            // of the next part of the list of legs
	alarms int            // likewise of those with an alarm
	looked map[string]leg // by id
}

// leg is when a leg was looked at and seen last, in rounds; 0 is never.
type leg struct{ looked, seen int }

// pick returns the ids of at most n legs, and notes that they are looked at.
func (s *sampler) pick(n int, alarmed, others []string) []string {
	s.round++
	if s.looked == nil {
		s.looked = make(map[string]leg)
	}
	picked := s.oldest(alarmed, n)
	isPicked := make(map[string]bool, len(picked))
	for _, id := range picked {
		isPicked[id] = true
	}
	others = slices.DeleteFunc(slices.Clone(others), func(id string) bool { return isPicked[id] })
	picked = append(picked, s.oldest(others, n-len(picked))...)
	for _, id := range alarmed {
		s.see(id, false)
	}
	for _, id := range others {
		s.see(id, false)
	}
	for _, id := range picked {
		s.see(id, true)
	}
	s.forget()
	return picked
}

// oldest returns at most n of the ids that were not looked at for longest.
func (s *sampler) oldest(ids []string, n int) []string {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" || len(id) > maxLegID })
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(s.looked[a].looked, s.looked[b].looked) })
	return ids[:min(max(n, 0), len(ids))]
}

func (s *sampler) see(id string, looked bool) {
	known, held := s.looked[id]
	if !held && len(s.looked) >= maxRemembered || id == "" || len(id) > maxLegID {
		return
	}
	known.seen = s.round
	if looked {
		known.looked = s.round
	}
	if !held {
		id = strings.Clone(id) // it keeps a whole answer alive
	}
	s.looked[id] = known
}

func (s *sampler) forget() {
	for id, l := range s.looked {
		if s.round-l.seen > forgetAfter {
			delete(s.looked, id)
		}
	}
}
