// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// locked returns a session nobody else holds.
func locked(t *testing.T, l *Ledger, id, bridge string) *Session {
	t.Helper()
	s, err := l.Lock(t.Context(), id, bridge)
	require.NoError(t, err)
	return s
}

// numbers turns indices into entries.
func numbers(indices ...uint64) []Entry {
	entries := make([]Entry, 0, len(indices))
	for _, index := range indices {
		entries = append(entries, Entry{Index: index})
	}
	return entries
}

// through returns numbers(first, ..., last).
func through(first, last uint64) (entries []Entry) {
	for index := first; index <= last; index++ {
		entries = append(entries, Entry{Index: index})
	}
	return entries
}

const dup = ^uint64(0)

// shown renders verdicts: how many are missing, or dup.
func shown(verdicts []Verdict) []uint64 {
	all := make([]uint64, 0, len(verdicts))
	for _, v := range verdicts {
		if v.Duplicate {
			all = append(all, dup)
			continue
		}
		all = append(all, v.Missing)
	}
	return all
}

func TestJudge(t *testing.T) {
	f := func(accepted, entries []Entry, want ...uint64) {
		t.Helper()
		s := locked(t, New(DefaultLimits), "s", "")
		s.Accept(accepted)
		got := s.Judge(entries, nil)
		assert.Equal(t, want, shown(got), "%v behind %v", entries, accepted)
		for i, v := range got {
			assert.False(t, v.Duplicate && v.Missing > 0, "%v: a duplicate opens no gap", entries[i])
		}
	}
	// In order, without holes.
	f(nil, numbers(0, 1, 2), 0, 0, 0)
	f(numbers(0, 1), numbers(2, 3), 0, 0)
	// The first index of a session may be anything: the receiver came late.
	f(nil, numbers(9321), 0)
	f(nil, numbers(9321, 9322, 9325), 0, 0, 2)
	f(nil, []Entry{{Index: 9321, Missing: 7}}, 7)
	f(nil, []Entry{{Index: 0, Missing: 7}}, 7)
	// Duplicates: exact resend, shifted boundaries, twice in one batch.
	f(numbers(0, 1, 2), numbers(0, 1, 2), dup, dup, dup)
	f(numbers(0, 1, 2), numbers(1, 2, 3, 4), dup, dup, 0, 0)
	f(nil, numbers(5, 5), 0, dup)
	f(numbers(0), numbers(1, 1, 2, 1), 0, dup, 0, dup)
	// Gaps without the attribute: the jump.
	f(numbers(0), numbers(2), 1)
	f(through(0, 184), numbers(187, 188), 2, 0)
	f(numbers(0), numbers(2, 4, 6), 1, 1, 1)
	// With the attribute: what the sender says, and never the sum of both.
	f(through(0, 66), []Entry{{Index: 180, Missing: 113}}, 113)
	f(through(0, 66), []Entry{{Index: 180, Missing: 50}}, 50)
	f(through(0, 66), []Entry{{Index: 180, Missing: 113}, {Index: 181}, {Index: 183}}, 113, 0, 1)
	// A resend of a record that opened a gap does not open it again.
	f([]Entry{{Index: 0}, {Index: 9, Missing: 8}}, []Entry{{Index: 9, Missing: 8}, {Index: 10}}, dup, 0)
	// What the ledger has is not missing, whatever the sender says.
	f(through(0, 9), []Entry{{Index: 12, Missing: 12}}, 2)
	f(through(0, 9), []Entry{{Index: 10, Missing: 3}}, 0)
	f(through(0, 9), []Entry{{Index: 12, Missing: 100}}, 90) // more than there can be: believed, less what is there
	// Shuffled inside one batch: nothing is missing that comes along.
	f(nil, numbers(2, 0, 1), 0, 0, 0)
	f(numbers(0), numbers(3, 1, 2), 0, 0, 0)
	f(numbers(0), numbers(5, 2), 2, 1)
	f(numbers(0), numbers(3, 0, 2), 0, dup, 1)
	// A record that fills a hole was reported when the hole opened.
	f(numbers(0, 9), numbers(4), 0)
	f(numbers(0, 9), []Entry{{Index: 4, Missing: 3}}, 0)
	f(numbers(0, 9), numbers(4, 10), 0, 0)
	// Before the first index ever seen.
	f(numbers(9), numbers(3), 0)
	assert.Empty(t, locked(t, New(DefaultLimits), "s", "").Judge(nil, nil))
}

// Where one batch ends and the next begins must not change what is found: the
// same entries one by one, and all at once, say the same.
func TestJudgeDoesNotDependOnBoundaries(t *testing.T) {
	f := func(accepted, entries []Entry) {
		t.Helper()
		whole := locked(t, New(DefaultLimits), "s", "")
		whole.Accept(accepted)
		want := []Verdict{}
		single := locked(t, New(DefaultLimits), "s", "")
		single.Accept(accepted)
		for i := range entries {
			want = single.Judge(entries[i:i+1], want)
			single.Accept(entries[i : i+1])
		}
		assert.Equal(t, shown(want), shown(whole.Judge(entries, nil)), "%v behind %v", entries, accepted)
	}
	f(through(0, 179), []Entry{{Index: 180}, {Index: 184, Missing: 10}})
	f(nil, []Entry{{Index: 0}, {Index: 1}, {Index: 2, Missing: 2}})
	f(nil, []Entry{{Index: 5}, {Index: 9, Missing: 8}})
	random := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		var entries []Entry
		next := random.Uint64N(5)
		for range random.IntN(6) {
			e := Entry{Index: next}
			if random.IntN(2) == 0 {
				e.Missing = random.Uint64N(8)
			}
			entries = append(entries, e)
			next += 1 + random.Uint64N(4)
		}
		cut := random.IntN(len(entries) + 1)
		f(entries[:cut], entries[cut:])
	}
}

// naive judges with a set, one entry after the other in the order of the index.
func naive(accepted set, entries []Entry) []Verdict {
	known := set{}
	for index := range accepted {
		known[index] = true
	}
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(entries[a].Index) - int(entries[b].Index) })
	verdicts := make([]Verdict, len(entries))
	for _, i := range order {
		e := entries[i]
		last, any := known.last()
		switch {
		case known[e.Index]:
			verdicts[i].Duplicate = true
		case any && e.Index < last:
		case e.Missing > 0:
			verdicts[i].Missing = e.Missing
			for back := uint64(1); back <= e.Missing && back <= e.Index; back++ {
				if known[e.Index-back] {
					verdicts[i].Missing--
				}
			}
		case any:
			verdicts[i].Missing = e.Index - last - 1
		}
		known[e.Index] = true
	}
	return verdicts
}

func TestJudgeAndAcceptAgainstASet(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 9))
		s := locked(t, New(DefaultLimits), "s", "")
		model := set{}
		for range 8 {
			var entries []Entry
			for range random.IntN(6) {
				e := Entry{Index: random.Uint64N(30)}
				if random.IntN(4) == 0 {
					e.Missing = random.Uint64N(12)
				}
				entries = append(entries, e)
			}
			before := slices.Clone(s.accepted)
			got := s.Judge(entries, nil)
			require.Equal(t, shown(naive(model, entries)), shown(got), "seed %d: %v behind %v", seed, entries, s.accepted)
			require.Equal(t, before, slices.Clone(s.accepted), "Judge changes nothing")
			if random.IntN(3) > 0 { // else the delivery failed
				s.Accept(entries)
				for _, e := range entries {
					model[e.Index] = true
				}
			}
			checkRanges(t, s.accepted)
			require.Equal(t, uint64(len(model)), s.accepted.Count(0, 100))
		}
	}
}

// A bridge numbers its records, loses some, puts the rest into batches as it
// likes, repeats a batch until it is acknowledged, with more records or fewer,
// and shuffles them inside. Whatever it does, every record is taken once and
// every lost one is counted once.
func TestEveryRecordIsTakenOnceAndEveryLossCountedOnce(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 7))
		var (
			sent []Entry
			lost uint64
			next = random.Uint64N(3) * 1000 // registered late or not
		)
		for range 1 + random.IntN(40) {
			e := Entry{Index: next}
			if random.IntN(6) == 0 && len(sent) > 0 {
				gap := 1 + random.Uint64N(20)
				lost += gap
				e.Index += gap
				if random.IntN(2) == 0 {
					e.Missing = gap // an overflow; else the loss is silent
				}
			}
			sent = append(sent, e)
			next = e.Index + 1
		}

		l := New(DefaultLimits)
		taken, missing := set{}, uint64(0)
		for done := 0; done < len(sent); {
			first := max(0, done-random.IntN(4)) // an answer was lost: some come again
			last := min(len(sent), done+1+random.IntN(6))
			batch := slices.Clone(sent[first:last])
			if random.IntN(3) == 0 {
				random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			}
			s := locked(t, l, "s", "")
			verdicts := s.Judge(batch, nil)
			if random.IntN(4) == 0 { // refused: it will come again, with other boundaries
				l.Unlock(s)
				continue
			}
			for i, v := range verdicts {
				require.Equal(t, taken[batch[i].Index], v.Duplicate, "seed %d: %v", seed, batch)
				taken[batch[i].Index] = true
				missing += v.Missing
			}
			s.Accept(batch)
			l.Unlock(s)
			done = last
		}
		require.Equal(t, lost, missing, "seed %d: %v", seed, sent)
		require.Len(t, taken, len(sent))
	}
}

func TestJudgeAppends(t *testing.T) {
	s := locked(t, New(DefaultLimits), "s", "")
	buffer := make([]Verdict, 1, 16)
	buffer[0].Missing = 42
	for i := range buffer[:16] {
		buffer[:16][i].Missing = 42 // left over from another batch
	}
	got := s.Judge(numbers(0, 1, 2), buffer)
	assert.Equal(t, []uint64{42, 0, 0, 0}, shown(got))
	got = s.Judge(numbers(2, 1, 0), buffer)
	assert.Equal(t, []uint64{42, 0, 0, 0}, shown(got))
}

func TestUnsaved(t *testing.T) {
	s := locked(t, New(DefaultLimits), "s", "b")
	assert.True(t, s.Fresh())
	assert.Equal(t, "s", s.ID())
	assert.Equal(t, "b", s.Bridge())
	s.Judge(numbers(1), nil)
	s.Accept(nil)
	assert.False(t, s.Unsaved(), "nothing was accepted")
	assert.True(t, s.Fresh())
	s.Accept(numbers(1))
	assert.True(t, s.Unsaved())
	assert.False(t, s.Fresh())
	s.Saved()
	assert.False(t, s.Unsaved())
}

// The ranges of a session are bounded: the oldest hole is closed, so that the
// newest records are judged rightly for longest.
func TestAcceptBoundsTheRanges(t *testing.T) {
	limits := DefaultLimits
	limits.Ranges = 3
	s := locked(t, New(limits), "s", "")
	s.Accept(numbers(0, 2, 4, 6, 8))
	assert.Equal(t, Ranges{{0, 4}, {6, 6}, {8, 8}}, s.accepted)
	assert.Equal(t, []uint64{dup, 0, 0}, shown(s.Judge(numbers(1, 7, 9), nil)))
	// Runs that close within one batch count as what they are at its end.
	s = locked(t, New(limits), "t", "")
	s.Accept(numbers(0, 10, 12, 14, 16, 11, 13, 15))
	assert.Equal(t, Ranges{{0, 0}, {10, 16}}, s.accepted)
}

// Records that a sender discards before it numbers them leave no hole: what it
// says is the count, however many of the lower indices are known.
func TestUnnumberedMissing(t *testing.T) {
	l := New(DefaultLimits)
	s, err := l.Lock(t.Context(), "s", "")
	require.NoError(t, err)
	defer l.Unlock(s)
	for i := range uint64(67) {
		s.Accept([]Entry{{Index: i + 1, Unnumbered: true}})
	}
	verdicts := s.Judge([]Entry{{Index: 68, Missing: 113, Unnumbered: true}, {Index: 69, Unnumbered: true}, {Index: 70, Missing: 2, Unnumbered: true}}, nil)
	assert.Equal(t, []Verdict{{Missing: 113}, {}, {Missing: 2}}, verdicts)
}
