// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/cmd/callsim/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newQueue makes a queue without planned faults.
func newQueue(limit int, faults Faults) *Queue {
	return NewQueue(Options{Seed: 1, Session: "s1", Limit: limit, Faults: faults, Plan: &Plan{}})
}

func fill(q *Queue, n int) {
	for range n {
		q.Append(wire.Record{Type: "callEnd", Entity: []byte(`<call id="x"><a>1</a></call>`)})
	}
}

var numbers = regexp.MustCompile(`recordIndex="(\d+)" correlatorIndex="(\d+)"(?: numPrecedingRecordsMissing="(\d+)")?`)

// brief writes a body as correlatorIndex/recordIndex, with -n for missing ones.
func brief(body []byte) string {
	var parts []string
	for _, m := range numbers.FindAllStringSubmatch(string(body), -1) {
		text := m[2] + "/" + m[1]
		if m[3] != "" {
			text += "-" + m[3]
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// TestQueue runs steps: "+n" appends, "restart s" restarts, "take n" prepares a batch and
// "ack" releases it. The text after => is the batch taken.
func TestQueue(t *testing.T) {
	for _, tc := range []struct {
		name  string
		limit int
		steps []string
		want  Report // of the first session
	}{
		{
			name: "a resend has the same numbers and may have more", limit: 9,
			steps: []string{"+2", "take 5 => 0/1 1/2", "+1", "take 5 => 0/1 1/2 2/3", "take 1 => 0/1", "ack", "take 5 => 1/2 2/3", "ack"},
			want:  Report{Generated: 3, Acknowledged: Ranges{{0, 2}}},
		},
		{
			name: "the oldest are dropped and the next one tells", limit: 3,
			steps: []string{"+7", "take 9 => 4/1-4 5/2 6/3", "ack"},
			want:  Report{Generated: 7, Acknowledged: Ranges{{4, 6}}, Dropped: Ranges{{0, 3}}, Gaps: []Gap{{4, 4}}},
		},
		{
			name: "tried records are safe", limit: 3,
			steps: []string{"+2", "take 1 => 0/1", "+5", "take 9 => 0/1 5/2-4 6/3", "ack"},
			want:  Report{Generated: 7, Acknowledged: Ranges{{0, 0}, {5, 6}}, Dropped: Ranges{{1, 4}}, Gaps: []Gap{{5, 4}}},
		},
		{
			name: "tried records stay safe after a smaller resend", limit: 3,
			steps: []string{"+3", "take 3 => 0/1 1/2 2/3", "take 1 => 0/1", "+2", "take 9 => 0/1 1/2 2/3", "ack", "+1", "take 9 => 5/4-2", "ack"},
			want:  Report{Generated: 6, Acknowledged: Ranges{{0, 2}, {5, 5}}, Dropped: Ranges{{3, 4}}, Gaps: []Gap{{5, 2}}},
		},
		{
			name: "a batch has one session", limit: 9,
			steps: []string{"+2", "restart s2", "+2", "take 9 => 0/1 1/2", "ack", "take 9 => 0/1 1/2", "ack"},
			want:  Report{Generated: 2, Acknowledged: Ranges{{0, 1}}},
		},
		{
			name: "nothing tells of a loss at the end of a session", limit: 2,
			steps: []string{"+2", "restart s2", "+2", "take 9 => 0/1 1/2", "ack"},
			want:  Report{Generated: 2, Dropped: Ranges{{0, 1}}},
		},
		{
			name: "a stop leaves records in doubt and unsent", limit: 9,
			steps: []string{"+4", "take 2 => 0/1 1/2", "take 1 => 0/1", "ack"},
			want:  Report{Generated: 4, Acknowledged: Ranges{{0, 0}}, InDoubt: Ranges{{1, 1}}, Unsent: Ranges{{2, 3}}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := newQueue(tc.limit, Faults{})
			var b batch
			for _, step := range tc.steps {
				do, want, _ := strings.Cut(step, " => ")
				var n int
				switch {
				case do == "ack":
					q.releaseBatch(b)
				case strings.HasPrefix(do, "restart "):
					q.Restart(strings.TrimPrefix(do, "restart "))
				case strings.HasPrefix(do, "+"):
					_, err := fmt.Sscanf(do, "+%d", &n)
					require.NoError(t, err)
					fill(q, n)
				default:
					_, err := fmt.Sscanf(do, "take %d", &n)
					require.NoError(t, err)
					b = q.takeBatch(n)
					assert.Equal(t, want, brief(b.body), step)
				}
			}
			tc.want.Session = "s1"
			got := q.Reports()[0]
			normalize(&got)
			normalize(&tc.want)
			assert.Equal(t, tc.want, got)
		})
	}
}

// normalize makes nil and empty sets equal.
func normalize(r *Report) {
	for _, set := range []*Ranges{&r.Acknowledged, &r.Dropped, &r.InDoubt, &r.Unsent} {
		if len(*set) == 0 {
			*set = nil
		}
	}
}

func TestDamageBoundsTheBatch(t *testing.T) {
	q := newQueue(0, Faults{})
	fill(q, 6)
	q.items[1].Damage = wire.Mismatched
	q.items[3].Damage = wire.Mismatched
	q.items[4].Damage = wire.Truncated
	for _, want := range []string{"0/1 1/2 2/3", "3/4", "4/5", "5/6"} {
		b := q.takeBatch(9)
		assert.Equal(t, want, brief(b.body))
		q.releaseBatch(b)
	}
	assert.Equal(t, []uint64{1, 3, 4}, q.Reports()[0].Quarantined)
	assert.EqualValues(t, 3, q.Acknowledged()["callEnd"])
}

func TestGarbageGoesAlone(t *testing.T) {
	plan := &Plan{garbage: map[string]map[uint64][][]byte{"s1": {0: {[]byte("x")}, 2: {[]byte("y"), []byte("z")}}}}
	q := NewQueue(Options{Session: "s1", Plan: plan})
	fill(q, 3)
	var got []string
	courier := NewCourier(q, 9, func(_ context.Context, body []byte) error {
		got = append(got, string(body[:1])+brief(body))
		return nil
	})
	for q.Ready() {
		require.NoError(t, courier.Deliver(t.Context()))
	}
	assert.Equal(t, []string{"x", "<0/1 1/2", "y", "z", "<2/3"}, got)
	assert.Equal(t, [][]byte{[]byte("x"), []byte("y"), []byte("z")}, q.Garbage())
}

// TestShiftMovesEveryBoundary: whatever the sizes, a resend takes another number
// of records than the try before whenever there is another number to take.
func TestShiftMovesEveryBoundary(t *testing.T) {
	for waiting := 1; waiting < 12; waiting++ {
		q := newQueue(0, Faults{Shift: true})
		fill(q, waiting)
		var sizes []int
		courier := NewCourier(q, 10, func(_ context.Context, body []byte) error {
			sizes = append(sizes, len(numbers.FindAll(body, -1)))
			return errors.New("no")
		})
		for range 50 {
			require.Error(t, courier.Deliver(t.Context()))
		}
		for i := 1; i < len(sizes); i++ {
			assert.True(t, waiting == 1 || sizes[i] != sizes[i-1], "%d waiting: %v", waiting, sizes)
			assert.LessOrEqual(t, sizes[i], min(10, waiting))
			assert.Positive(t, sizes[i])
		}
	}
}

func TestHoldLastsUntilEnoughWait(t *testing.T) {
	q := NewQueue(Options{Seed: 3, Session: "s1", Hold: 40, Faults: Faults{Reorder: true}, Plan: &Plan{}})
	hold := q.hold
	require.Greater(t, hold, 1)
	fill(q, hold-1)
	assert.False(t, q.Ready())
	fill(q, 1)
	assert.True(t, q.Ready())
	q.releaseBatch(q.takeBatch(hold - 1))
	assert.True(t, q.Ready(), "all of it goes")
	q.releaseBatch(q.takeBatch(1))
	fill(q, 1)
	assert.Equal(t, q.hold == 1, q.Ready())
	q.End()
	assert.True(t, q.Ready(), "the end ends the hold")
}

func TestPlanFits(t *testing.T) {
	for seed := range uint64(300) {
		sessions := []Stretch{{"a", 3}, {"b", 1000}, {"c", 0}, {"d", 40}}
		p, err := NewPlan(seed, sessions, Faults{Overflow: 5, Garbage: 3})
		require.NoError(t, err)
		windows, garbage := 0, 0
		for _, s := range sessions {
			drops := p.drops[s.Session]
			windows += len(drops)
			assert.False(t, drops.Has(0), "nobody could tell what is missing before the first")
			assert.True(t, s.Records == 0 || !drops.Has(s.Records-1), "nobody would tell of the last")
			for _, w := range drops {
				assert.LessOrEqual(t, w[1]-w[0]+1, uint64(maxDrop))
				assert.Less(t, w[1], s.Records)
			}
			for index, list := range p.garbage[s.Session] {
				assert.Less(t, index, s.Records)
				garbage += len(list)
			}
		}
		assert.Equal(t, 5, windows, "seed %d", seed)
		assert.Equal(t, 3, garbage)
	}
}
