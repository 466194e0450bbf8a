// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestWatch: each column is a scrape a minute later, "created/position" with "-" for
// no position; the bridge restarts where created falls.
func TestWatch(t *testing.T) {
	for _, test := range []struct {
		name   string
		looks  string
		want   []string // "scrape problem"
		nobody bool     // there is no receiver
	}{
		{name: "all arrive", looks: "10/10 12/12 15/14 15/15 20/19 20/20"},
		{name: "idle", looks: "10/10 10/10 10/10 10/10 10/10 10/10"},
		{name: "in flight at each scrape", looks: "10/9 12/11 15/14 18/17 20/19 22/21"},
		{name: "registered elsewhere", looks: "10/10 10/10 12/12 14/12 15/12 15/12 16/12", want: []string{"4 behind"}},
		{name: "the last before a pause are lost, the next record shows it", looks: "1/1 2/2 9/9 12/9 12/9 12/9 13/13 13/13", want: []string{"4 behind", "6 "}},
		{name: "taken late", looks: "1/1 2/2 9/9 12/9 12/9 12/12", want: []string{"4 behind", "5 "}},
		{name: "a backlog comes in slowly", looks: "1000/1 1000/200 1000/400 1100/500 1100/900 1100/1100"},
		{name: "nothing ever came", looks: "1/- 2/- 3/- 5/- 5/- 5/-", want: []string{"2 silent"}},
		{name: "nothing ever came, and then it does", looks: "1/- 2/- 3/- 5/- 5/- 5/6", want: []string{"2 silent", "5 "}},
		{name: "nothing to come", looks: "5/- 5/- 5/- 5/- 5/- 5/-"},
		{name: "nobody to come to", looks: "1/- 2/- 3/- 5/- 5/- 5/-", nobody: true},
		{name: "a late start", looks: "100/- 101/- 103/104 110/110 112/111"},
		{name: "the bridge restarts", looks: "100/100 110/110 120/119 3/120 5/5 8/8 10/9"},
		{name: "the bridge restarts and is idle", looks: "100/100 110/110 120/120 0/120 0/120 0/120 0/120"},
		{name: "registration lost by a restart", looks: "100/100 110/110 120/120 3/120 5/120 8/120 12/120 12/120", want: []string{"5 silent"}},
		{name: "mended after a restart", looks: "100/100 110/110 120/120 3/120 5/120 8/120 12/120 12/12", want: []string{"5 silent", "7 "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := new(Watch)
			var got []string
			start, last := noon.Add(-time.Hour), uint64(0)
			at := noon
			for i, text := range strings.Fields(test.looks) {
				var created uint64
				l := Observation{At: at, Positions: map[string]uint64{}, Receivers: 1}
				var position uint64
				if n, _ := fmt.Sscanf(text, "%d/%d", &created, &position); n == 2 {
					l.Positions["cmscdr"] = position
				}
				if test.nobody {
					l.Receivers = 0
				}
				if created < last {
					start = at.Add(-10 * time.Second)
				}
				last, l.Created, l.Start = created, created, start
				for _, c := range w.Observe(l) {
					assert.Equal(t, created, c.Created)
					if c.Receiver != "" {
						assert.Equal(t, l.Positions["cmscdr"], c.Position)
					}
					assert.Equal(t, c.Receiver != "", c.HasPosition)
					got = append(got, fmt.Sprint(i, " ", c.Problem))
				}
				at = at.Add(time.Minute)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// TestSeveralReceivers: the one that misses records is named.
func TestSeveralReceivers(t *testing.T) {
	w := new(Watch)
	var got []Change
	for i := range uint64(6) {
		got = append(got, w.Observe(Observation{
			At: noon.Add(time.Duration(i) * time.Minute), Start: noon.Add(-time.Hour), Created: 10 * i,
			Positions: map[string]uint64{"a": 10 * i, "b": min(10*i, 25)}, Receivers: 3,
		})...)
	}
	assert.Equal(t, []Change{{Receiver: "b", Problem: Behind, Created: 40, Position: 25, HasPosition: true}}, got)
}

// TestShortIntervals: however often somebody looks, a record may be on its way for as
// long as Patience, and no more is kept.
func TestShortIntervals(t *testing.T) {
	w := new(Watch)
	rings := time.Time{}
	for i := range 3000 {
		at := noon.Add(time.Duration(i) * 100 * time.Millisecond)
		created := uint64(i)
		for range w.Observe(Observation{At: at, Start: noon.Add(-time.Hour), Created: created, Positions: map[string]uint64{"a": min(created, 2000)}, Receivers: 1}) {
			rings = at
		}
		assert.LessOrEqual(t, len(w.observations), maxObservations)
	}
	lost := noon.Add(200 * time.Second)
	assert.WithinRange(t, rings, lost.Add(MaxDelay), lost.Add(MaxDelay+2*observationInterval))
}

func TestRegistry(t *testing.T) {
	first := Register("cmscdr", func() []Position { return []Position{{CallBridge: "b", Next: 7}, {System: "cms1", Next: 9}} })
	second := Register("cmscdr/2", func() []Position { return []Position{{CallBridge: "b", System: "cms1", Next: 5}} })
	of, n := Positions("b", "")
	assert.Equal(t, map[string]uint64{"cmscdr": 7, "cmscdr/2": 5}, of)
	assert.Equal(t, 2, n)
	of, _ = Positions("", "cms1")
	assert.Equal(t, map[string]uint64{"cmscdr": 9}, of, "in no cluster")
	of, _ = Positions("", "")
	assert.Empty(t, of)
	first()
	of, n = Positions("b", "")
	assert.Equal(t, map[string]uint64{"cmscdr/2": 5}, of)
	assert.Equal(t, 1, n)
	second()
}
