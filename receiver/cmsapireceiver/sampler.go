// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// maxLegID is the longest id that is kept, in bytes. Ids have 36.
	maxLegID = 64
	// forgetAfterRounds is the number of scrapes after which an unlisted leg is removed.
	forgetAfterRounds = 100
	// maxSampledLegs is the largest number of legs with state. A bridge has a few thousand.
	maxSampledLegs = 20_000
)

// sampler selects the legs whose details are read: legs with an alarm, then the least recently
// read ones. Scrapes read the list of legs in parts, so that a scrape of a large bridge costs no
// more than one of a small bridge.
type sampler struct {
	round  int                 // counts scrapes
	offset int                 // of the next part of the list of legs
	alarms int                 // of the next part of the list of legs with an alarm
	legs   map[string]legState // by id
}

// legState is when a leg was looked at and seen last, in rounds; 0 is never.
type legState struct{ sampledRound, seenRound int }

// pick returns the ids of at most n legs, and marks them as read in this round.
func (s *sampler) pick(n int, alarmed, others []string) []string {
	s.round++
	if s.legs == nil {
		s.legs = make(map[string]legState)
	}
	picked := s.oldest(alarmed, n)
	isPicked := make(map[string]bool, len(picked))
	for _, id := range picked {
		isPicked[id] = true
	}
	others = slices.DeleteFunc(slices.Clone(others), func(id string) bool { return isPicked[id] })
	picked = append(picked, s.oldest(others, n-len(picked))...)
	for _, id := range alarmed {
		s.touch(id, false)
	}
	for _, id := range others {
		s.touch(id, false)
	}
	for _, id := range picked {
		s.touch(id, true)
	}
	s.forget()
	return picked
}

// oldest returns the at most n least recently read ids.
func (s *sampler) oldest(ids []string, n int) []string {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" || len(id) > maxLegID })
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(s.legs[a].sampledRound, s.legs[b].sampledRound) })
	return ids[:min(max(n, 0), len(ids))]
}

func (s *sampler) touch(id string, looked bool) {
	known, held := s.legs[id]
	if !held && len(s.legs) >= maxSampledLegs || id == "" || len(id) > maxLegID {
		return
	}
	known.seenRound = s.round
	if looked {
		known.sampledRound = s.round
	}
	if !held {
		id = strings.Clone(id) // it keeps a whole answer alive
	}
	s.legs[id] = known
}

func (s *sampler) forget() {
	for id, l := range s.legs {
		if s.round-l.seenRound > forgetAfterRounds {
			delete(s.legs, id)
		}
	}
}
