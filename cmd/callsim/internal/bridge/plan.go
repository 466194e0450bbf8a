// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"fmt"
	"math/rand/v2"
)

// maxDrop is how many records one planned overflow drops at most.
const maxDrop = 200

// Stretch is how many records one session of one bridge has.
type Stretch struct {
	Session string
	Records uint64
}

// Plan places the planned overflows and the garbage at record numbers.
type Plan struct {
	drops   map[string]Ranges
	garbage map[string]map[uint64][][]byte
}

// NewPlan spreads the faults over the sessions. It fails when the sessions are too short
// for the overflows wanted: each needs a record before it and one after it that reports the
// loss.
func NewPlan(seed uint64, sessions []Stretch, f Faults) (*Plan, error) {
	p := &Plan{drops: map[string]Ranges{}, garbage: map[string]map[uint64][][]byte{}}
	dice := chances(seed, streamPlan, 0)
	if err := p.placeDrops(dice, sessions, f.Overflow); err != nil {
		return nil, err
	}
	for n := range f.Garbage {
		p.placeGarbage(dice, sessions, n)
	}
	return p, nil
}

// placeDrops cuts each chosen session into as many slices as it gets overflows
// and drops a part inside each slice.
func (p *Plan) placeDrops(dice *rand.Rand, sessions []Stretch, overflows int) error {
	const least = 3
	wanted := make([]uint64, len(sessions))
	for n := range overflows {
		at := draw(dice, sessions, func(i int) bool { return sessions[i].Records >= (wanted[i]+1)*least })
		if at < 0 {
			return fmt.Errorf("too few records for overflow %d of %d", n+1, overflows)
		}
		wanted[at]++
	}
	for i, s := range sessions {
		for k := range wanted[i] {
			slice := s.Records / wanted[i]
			count := 1 + dice.Uint64N(min(maxDrop, max(1, slice/2)))
			first := k*slice + 1 + dice.Uint64N(slice-count-1)
			ranges := p.drops[s.Session]
			for index := first; index < first+count; index++ {
				ranges.Add(index)
			}
			p.drops[s.Session] = ranges
		}
	}
	return nil
}

// draw picks a session that fits, by the number of its records; -1 for none.
func draw(dice *rand.Rand, sessions []Stretch, fits func(int) bool) int {
	var total uint64
	for i, s := range sessions {
		if fits(i) {
			total += s.Records
		}
	}
	if total == 0 {
		return -1
	}
	left := dice.Uint64N(total)
	for i, s := range sessions {
		if !fits(i) {
			continue
		}
		if left < s.Records {
			return i
		}
		left -= s.Records
	}
	return -1
}

// bodies that are no XML; the number makes each of them unique.
var bodies = []string{
	"cdr=%d&data=hello",
	`{"session": %d, "records": []}`,
	"GET /api/v1/calls?offset=%d HTTP/1.1\r\nHost: meet.example.test\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00%d\xfe\xff\x00",
	"CDR %d: no such file or directory\n",
}

func (p *Plan) placeGarbage(dice *rand.Rand, sessions []Stretch, n int) {
	at := draw(dice, sessions, func(i int) bool { return sessions[i].Records > 0 })
	if at < 0 {
		return
	}
	s := sessions[at]
	if p.garbage[s.Session] == nil {
		p.garbage[s.Session] = map[uint64][][]byte{}
	}
	index := dice.Uint64N(s.Records)
	body := fmt.Appendf(nil, bodies[n%len(bodies)], n)
	p.garbage[s.Session][index] = append(p.garbage[s.Session][index], body)
}
