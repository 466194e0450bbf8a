// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// locked returns a session nobody else holds.
func locked(t *testing.T, l *Ledger, id string) *Session {
	t.Helper()
	s, err := l.Lock(t.Context(), id)
	require.NoError(t, err)
	return s
}

// clock is one that stands still.
func clock() time.Time { return time.Unix(1_700_000_000, 0) }

// newSession returns a session of a ledger of its own.
func newSession(t *testing.T, limits Limits) *Session {
	t.Helper()
	return locked(t, New(limits, clock), "s")
}

// take checks entries and marks them as accepted.
func (s *Session) take(entries ...Entry) []CheckResult {
	verdicts := s.Check(entries, nil)
	s.markEntries(entries, verdicts)
	return verdicts
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
func shown(verdicts []CheckResult) []uint64 {
	all := make([]uint64, 0, len(verdicts))
	for _, v := range verdicts {
		if v.IsDuplicate {
			all = append(all, dup)
			continue
		}
		all = append(all, v.Missing)
	}
	return all
}

func TestCheck(t *testing.T) {
	f := func(accepted, entries []Entry, want ...uint64) {
		t.Helper()
		s := newSession(t, DefaultLimits)
		s.take(accepted...)
		got := s.Check(entries, nil)
		assert.Equal(t, want, shown(got), "%v behind %v", entries, accepted)
		for i, v := range got {
			assert.False(t, v.IsDuplicate && v.Missing > 0, "%v: a duplicate opens no gap", entries[i])
		}
	}
	// In order, without holes.
	f(nil, numbers(0, 1, 2), 0, 0, 0)
	f(numbers(0, 1), numbers(2, 3), 0, 0)
	// The first index of a session may be anything: the receiver came late.
	f(nil, numbers(9321), 0)
	f(nil, numbers(9321, 9322, 9325), 0, 0, 2)
	f(nil, []Entry{{Index: 9321, Discarded: 7}}, 7)
	f(nil, []Entry{{Index: 0, Discarded: 7}}, 7)
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
	f(through(0, 66), []Entry{{Index: 180, Discarded: 113}}, 113)
	f(through(0, 66), []Entry{{Index: 180, Discarded: 50}}, 50)
	f(through(0, 66), []Entry{{Index: 180, Discarded: 113}, {Index: 181}, {Index: 183}}, 113, 0, 1)
	// A resend of a record that opened a gap does not open it again.
	f([]Entry{{Index: 0}, {Index: 9, Discarded: 8}}, []Entry{{Index: 9, Discarded: 8}, {Index: 10}}, dup, 0)
	// What the ledger has is not missing, whatever the sender says.
	f(through(0, 9), []Entry{{Index: 12, Discarded: 12}}, 2)
	f(through(0, 9), []Entry{{Index: 10, Discarded: 3}}, 0)
	f(through(0, 9), []Entry{{Index: 12, Discarded: 100}}, 90) // more than there can be: believed, less what is there
	// Shuffled inside one batch: nothing is missing that comes along.
	f(nil, numbers(2, 0, 1), 0, 0, 0)
	f(numbers(0), numbers(3, 1, 2), 0, 0, 0)
	f(numbers(0), numbers(5, 2), 2, 1)
	f(numbers(0), numbers(3, 0, 2), 0, dup, 1)
	// A record that fills a hole was reported when the hole opened.
	f(numbers(0, 9), numbers(4), 0)
	f(numbers(0, 9), []Entry{{Index: 4, Discarded: 3}}, 0)
	f(numbers(0, 9), numbers(4, 10), 0, 0)
	// Before the first index ever seen.
	f(numbers(9), numbers(3), 0)
	assert.Empty(t, newSession(t, DefaultLimits).Check(nil, nil))
}

// Where one batch ends and the next begins must not change what is found: the
// same entries one by one, and all at once, say the same.
func TestCheckDoesNotDependOnBoundaries(t *testing.T) {
	f := func(accepted, entries []Entry) {
		t.Helper()
		whole := newSession(t, DefaultLimits)
		whole.take(accepted...)
		want := []CheckResult{}
		single := newSession(t, DefaultLimits)
		single.take(accepted...)
		for i := range entries {
			want = append(want, single.take(entries[i])...)
		}
		assert.Equal(t, shown(want), shown(whole.Check(entries, nil)), "%v behind %v", entries, accepted)
	}
	f(through(0, 179), []Entry{{Index: 180}, {Index: 184, Discarded: 10}})
	f(nil, []Entry{{Index: 0}, {Index: 1}, {Index: 2, Discarded: 2}})
	f(nil, []Entry{{Index: 5}, {Index: 9, Discarded: 8}})
	random := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		var entries []Entry
		next := random.Uint64N(5)
		for range random.IntN(6) {
			e := Entry{Index: next}
			if random.IntN(2) == 0 {
				e.Discarded = random.Uint64N(8)
			}
			entries = append(entries, e)
			next += 1 + random.Uint64N(4)
		}
		cut := random.IntN(len(entries) + 1)
		f(entries[:cut], entries[cut:])
	}
}

// model is the two sets of a session without any cleverness.
type model struct{ accepted, accounted set }

// take checks entries one after the other in the order of the index, and marks them.
func (m *model) take(entries []Entry) []CheckResult {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(entries[a].Index) - int(entries[b].Index) })
	verdicts := make([]CheckResult, len(entries))
	for _, i := range order {
		e := entries[i]
		if m.accepted[e.Index] && !e.IsUnreadable {
			verdicts[i].IsDuplicate = true
			continue
		}
		var hole []uint64 // before the entry, up to the next index that is accounted for
		if !m.accounted[e.Index] {
			at := e.Index
			for at > 0 && !m.accounted[at-1] {
				at--
				hole = append(hole, at)
			}
			if at == 0 {
				hole = nil // nothing was seen before it
			}
		}
		verdicts[i].Missing = uint64(len(hole))
		low, any := m.accounted.first()
		if e.Discarded > 0 && (!any || low < e.Index) {
			verdicts[i].Missing = e.Discarded
			for back := uint64(1); back <= e.Discarded && back <= e.Index; back++ {
				if m.accounted[e.Index-back] {
					verdicts[i].Missing--
				}
				hole = append(hole, e.Index-back)
			}
		}
		for _, index := range hole {
			m.accounted[index] = true
		}
		m.accounted[e.Index] = true
		if !e.IsUnreadable {
			m.accepted[e.Index] = true
		}
	}
	return verdicts
}

func (m *model) clone() *model { return &model{maps.Clone(m.accepted), maps.Clone(m.accounted)} }

func TestCheckAndAcceptAgainstASet(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 9))
		s := newSession(t, DefaultLimits)
		m := &model{set{}, set{}}
		for range 8 {
			var entries []Entry
			for range random.IntN(6) {
				e := Entry{Index: random.Uint64N(30), IsUnreadable: random.IntN(6) == 0}
				if random.IntN(4) == 0 {
					e.Discarded = random.Uint64N(12)
				}
				entries = append(entries, e)
			}
			before, beforeToo := slices.Clone(s.accepted), slices.Clone(s.accounted)
			got := s.Check(entries, nil)
			next := m.clone()
			require.Equal(t, shown(next.take(entries)), shown(got), "seed %d: %v behind %v", seed, entries, s.accounted)
			require.Equal(t, before, slices.Clone(s.accepted), "Check changes nothing")
			require.Equal(t, beforeToo, slices.Clone(s.accounted), "Check changes nothing")
			if random.IntN(3) > 0 { // else the delivery failed
				acceptInPieces(random, s, entries, got)
				m = next
			}
			checkRanges(t, s.accepted)
			checkRanges(t, s.accounted)
			for index := range uint64(50) {
				require.Equal(t, m.accepted[index], s.accepted.Contains(index), "seed %d: %d", seed, index)
				require.Equal(t, m.accounted[index], s.accounted.Contains(index), "seed %d: %d", seed, index)
			}
		}
	}
}

// acceptInPieces marks parts of a batch in any order: in the end it is as if all
// were marked at once.
func acceptInPieces(random *rand.Rand, s *Session, entries []Entry, verdicts []CheckResult) {
	var pieces [][2]int
	for first := 0; first < len(entries); {
		last := first + 1 + random.IntN(len(entries)-first)
		pieces = append(pieces, [2]int{first, last})
		first = last
	}
	random.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	for _, p := range pieces {
		s.markEntries(entries[p[0]:p[1]], verdicts[p[0]:p[1]])
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
					e.Discarded = gap // an overflow; else the loss is silent
				}
			}
			sent = append(sent, e)
			next = e.Index + 1
		}

		l := New(DefaultLimits, clock)
		taken, missing := set{}, uint64(0)
		for done := 0; done < len(sent); {
			first := max(0, done-random.IntN(4)) // an answer was lost: some come again
			last := min(len(sent), done+1+random.IntN(6))
			batch := slices.Clone(sent[first:last])
			if random.IntN(3) == 0 {
				random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			}
			s := locked(t, l, "s")
			verdicts := s.Check(batch, nil)
			if random.IntN(4) == 0 { // refused: it will come again, with other boundaries
				l.Unlock(s)
				continue
			}
			for i, v := range verdicts {
				require.Equal(t, taken[batch[i].Index], v.IsDuplicate, "seed %d: %v", seed, batch)
				taken[batch[i].Index] = true
				missing += v.Missing
			}
			s.markEntries(batch, verdicts)
			l.Unlock(s)
			done = last
		}
		require.Equal(t, lost, missing, "seed %d: %v", seed, sent)
		require.Len(t, taken, len(sent))
	}
}

func TestCheckAppends(t *testing.T) {
	s := newSession(t, DefaultLimits)
	buffer := make([]CheckResult, 1, 16)
	buffer[0].Missing = 42
	for i := range buffer[:16] {
		buffer[:16][i].Missing = 42 // left over from another batch
	}
	got := s.Check(numbers(0, 1, 2), buffer)
	assert.Equal(t, []uint64{42, 0, 0, 0}, shown(got))
	got = s.Check(numbers(2, 1, 0), buffer)
	assert.Equal(t, []uint64{42, 0, 0, 0}, shown(got))
}

func TestUnsaved(t *testing.T) {
	l := New(DefaultLimits, clock)
	s := locked(t, l, "s")
	assert.True(t, s.IsNew())
	assert.Equal(t, "s", s.ID())
	s.Check(numbers(1), nil)
	l.MarkAccepted(s, RequestInfo{}, nil, nil)
	assert.False(t, s.HasChanges(), "nothing was accepted")
	assert.True(t, s.IsNew())
	accept(l, s, Identity{}, 1)
	assert.True(t, s.HasChanges())
	assert.False(t, s.IsNew())
	s.MarkStored()
	assert.False(t, s.HasChanges())
}

// The ranges of a session are bounded: the oldest hole is closed, so that the
// newest records are classified correctly for longest.
func TestAcceptBoundsTheRanges(t *testing.T) {
	limits := DefaultLimits
	limits.Ranges = 3
	s := newSession(t, limits)
	s.take(numbers(0, 2, 4, 6, 8)...)
	assert.Equal(t, Ranges{{0, 4}, {6, 6}, {8, 8}}, s.accepted)
	assert.Equal(t, []uint64{dup, 0, 0}, shown(s.Check(numbers(1, 7, 9), nil)))
	// Runs that close within one batch count as what they are at its end.
	s = newSession(t, limits)
	s.take(numbers(0, 10, 12, 14, 16, 11, 13, 15)...)
	assert.Equal(t, Ranges{{0, 0}, {10, 16}}, s.accepted)
}

// Records that a sender discards before it numbers them leave no hole: what it
// says is the count, however many of the lower indices are known.
func TestUnnumberedMissing(t *testing.T) {
	s := newSession(t, DefaultLimits)
	for i := range uint64(67) {
		s.take(Entry{Index: i + 1, DiscardedHaveNoIndex: true})
	}
	verdicts := s.Check([]Entry{
		{Index: 68, Discarded: 113, DiscardedHaveNoIndex: true},
		{Index: 69, DiscardedHaveNoIndex: true},
		{Index: 70, Discarded: 2, DiscardedHaveNoIndex: true},
	}, nil)
	assert.Equal(t, []CheckResult{{Missing: 113}, {}, {Missing: 2}}, verdicts)
}

// A hole is reported once, whoever reports it, in whatever way and order.
func TestHoleIsReportedOnce(t *testing.T) {
	f := func(want uint64, entries ...Entry) {
		t.Helper()
		s := newSession(t, DefaultLimits)
		s.take(through(0, 66)...)
		total := uint64(0)
		for _, e := range entries {
			total += s.take(e)[0].Missing
		}
		assert.Equal(t, want, total, "%v", entries)
	}
	f(113, Entry{Index: 180}, Entry{Index: 181, Discarded: 114})
	f(113, Entry{Index: 180}, Entry{Index: 180, Discarded: 113})
	f(113, Entry{Index: 180, Discarded: 113}, Entry{Index: 181, Discarded: 114})
	f(113, Entry{Index: 180}, Entry{Index: 181}, Entry{Index: 182, Discarded: 115})
	f(113, Entry{Index: 180}, Entry{Index: 100, Discarded: 33}, Entry{Index: 179, Discarded: 78})
	f(113, Entry{Index: 100, Discarded: 33}, Entry{Index: 180, Discarded: 113}, Entry{Index: 182, Discarded: 1})
	f(50, Entry{Index: 180, Discarded: 50}, Entry{Index: 120}, Entry{Index: 181, Discarded: 51})
}

// The record and its neighbours come by several streams of one sender, in any
// interleaving, each of which reports the holes that it has in its own way. The
// sum is the number of records that nobody delivered before the hole was reported.
func TestStreamsOfOneSenderCountAHoleOnce(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 11))
		lost := set{}
		for index := range uint64(60) {
			lost[index] = index > 0 && random.IntN(3) == 0
		}
		var streams [2][]Entry
		for i := range streams {
			missing := uint64(0)
			for index := range uint64(60) {
				if lost[index] {
					missing++
					continue
				}
				e := Entry{Index: index}
				if missing > 0 && random.IntN(2) == 0 {
					e.Discarded = missing
				}
				missing = 0
				streams[i] = append(streams[i], e)
			}
		}
		s := newSession(t, DefaultLimits)
		total, want := uint64(0), uint64(0)
		for len(streams[0])+len(streams[1]) > 0 {
			i := random.IntN(2)
			n := min(len(streams[i]), 1+random.IntN(5))
			for _, v := range s.take(streams[i][:n]...) {
				total += v.Missing
			}
			streams[i] = streams[i][n:]
		}
		last, _ := s.accepted.Last()
		for index := range last {
			if lost[index] {
				want++
			}
		}
		require.Equal(t, want, total, "seed %d", seed)
	}
}

// A number that no sender can have counted to is reported as implausible once,
// and does no harm to what follows.
func TestImplausibleJump(t *testing.T) {
	s := newSession(t, DefaultLimits)
	s.take(through(0, 9)...)
	f := func(e Entry, want CheckResult) {
		t.Helper()
		got := s.take(e)[0]
		got.precedingIndices = 0
		assert.Equal(t, want, got, "%v", e)
	}
	const far = math.MaxInt64
	f(Entry{Index: far}, CheckResult{Missing: far - 10, IsImplausible: true})
	f(Entry{Index: far}, CheckResult{IsDuplicate: true})
	f(Entry{Index: 10}, CheckResult{})
	f(Entry{Index: 13}, CheckResult{Missing: 2})
	f(Entry{Index: 14, Discarded: math.MaxUint32}, CheckResult{Missing: math.MaxUint32 - 14, IsImplausible: true})
	f(Entry{Index: 15}, CheckResult{})
	f(Entry{Index: 16 + MaxMissing}, CheckResult{Missing: MaxMissing})
	f(Entry{Index: 18 + 2*MaxMissing}, CheckResult{Missing: MaxMissing + 1, IsImplausible: true})
	f(Entry{Index: 30 + 2*MaxMissing, Discarded: 5}, CheckResult{Missing: 5})
	f(Entry{Index: 0, Discarded: 7}, CheckResult{IsDuplicate: true})
}

// However far the index of a record is away, no number overflows.
func FuzzCheck(f *testing.F) {
	f.Add(uint64(0), uint64(0), uint64(math.MaxInt64), uint64(1))
	f.Add(uint64(math.MaxInt64), uint64(math.MaxUint32), uint64(5), uint64(9))
	f.Fuzz(func(t *testing.T, a, missingA, b, missingB uint64) {
		one := Entry{Index: a & math.MaxInt64, Discarded: missingA & math.MaxUint32}
		two := Entry{Index: b & math.MaxInt64, Discarded: missingB & math.MaxUint32}
		s := newSession(t, DefaultLimits)
		s.take(numbers(0, 5)...)
		for _, e := range []Entry{one, two, one, {Index: 7}} {
			for _, v := range s.take(e) {
				require.LessOrEqual(t, v.Missing, uint64(math.MaxInt64))
				require.Equal(t, v.Missing > MaxMissing, v.IsImplausible)
			}
			checkRanges(t, s.accounted)
			require.True(t, s.accepted.Contains(e.Index) && s.accounted.Contains(e.Index))
		}
	})
}

// A record that cannot be read is there: it is not missing, and it does not keep
// a readable one with its index out.
func TestUnreadEntries(t *testing.T) {
	s := newSession(t, DefaultLimits)
	s.take(through(0, 9)...)
	assert.Equal(t, []uint64{2, 0}, shown(s.take(Entry{Index: 12, Following: 3, IsUnreadable: true}, Entry{Index: 16})))
	assert.Equal(t, []uint64{0}, shown(s.take(Entry{Index: 12, Following: 3, IsUnreadable: true})), "a resend opens no gap")
	assert.Equal(t, []uint64{0, dup}, shown(s.take(Entry{Index: 13}, Entry{Index: 13})), "the readable one is taken, once")
	assert.Equal(t, []uint64{0, 0}, shown(s.take(Entry{Index: 17}, Entry{Index: 18, Discarded: 1})))
}
