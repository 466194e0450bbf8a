// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func golden(t *testing.T, name string) []byte {
	t.Helper()
	stored, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return stored
}

// goldenSession is a session as the first release stored it. The bytes were
// written by hand from the layout in encoding.go; releases must read them for
// as long as there is a version 1.
var goldenSession = Ranges{{0, 66}, {180, 180}, {183, 483}}

const goldenBridge = "d80df859-cbc0-44ee-8611-449ab1bf39d7"

func TestStoredSessionOfVersion1(t *testing.T) {
	l := New(DefaultLimits)
	require.NoError(t, l.Restore("s", golden(t, "session-v1.bin")))
	s := locked(t, l, "s", "")
	assert.Equal(t, goldenSession, s.accepted)
	assert.Equal(t, goldenBridge, s.Bridge())
	assert.False(t, s.Fresh())
	assert.False(t, s.Unsaved(), "it is stored")
	assert.Equal(t, golden(t, "session-v1.bin"), l.Encode(s))
	assert.Equal(t, "s", l.Previous(locked(t, l, "next", goldenBridge)), "it was its bridge's newest")
}

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2))
		l := New(DefaultLimits)
		bridge := []string{"", "b", "ブリッジ"}[random.IntN(3)]
		s := locked(t, l, "s", bridge)
		for range 1 + random.IntN(50) {
			base := bases[random.IntN(3)]
			s.Accept(numbers(base + random.Uint64N(40)))
		}
		newest := random.IntN(2) == 0
		if newest {
			l.Begin(s)
		}

		restored := New(DefaultLimits)
		stored := l.Encode(s)
		require.NoError(t, restored.Restore("s", stored), "seed %d", seed)
		again := locked(t, restored, "s", "ignored: the session is known")
		require.Equal(t, s.accepted, again.accepted, "seed %d", seed)
		require.Equal(t, bridge, again.Bridge())
		require.Equal(t, stored, restored.Encode(again))
		if bridge != "" {
			want := map[bool]string{true: "s"}[newest]
			require.Equal(t, want, restored.Previous(locked(t, restored, "next", bridge)))
		}
	}
}

// The order of restoring is the order of eviction.
func TestRestoredSessionsAreEvictedInOrder(t *testing.T) {
	l := New(DefaultLimits)
	s := locked(t, l, "s", "b")
	s.Accept(numbers(1))
	stored := l.Encode(s)

	restored := New(Limits{Sessions: 3, SessionsPerBridge: 3, Ranges: 4})
	for _, id := range []string{"s3", "s1", "s2"} {
		require.NoError(t, restored.Restore(id, stored))
	}
	assert.Equal(t, []string{"s3"}, begin(t, restored, "s4", "b"))
}

// More sessions may be stored than a changed limit allows; the first new one
// brings the ledger within it.
func TestRestoreBeyondTheLimit(t *testing.T) {
	stored := golden(t, "session-v1.bin")
	l := New(Limits{Sessions: 2, SessionsPerBridge: 2, Ranges: 2})
	for _, id := range []string{"s1", "s2", "s3", "s4"} {
		require.NoError(t, l.Restore(id, stored))
	}
	assert.Equal(t, []string{"s1", "s2", "s3"}, begin(t, l, "s5", goldenBridge))
	s := locked(t, l, "s4", goldenBridge)
	s.Accept(numbers(484))
	assert.Equal(t, Ranges{{0, 180}, {183, 484}}, s.accepted)
}

// checkRestore: stored bytes are either refused, and nothing is changed, or
// read as a state the ledger could have been in.
func checkRestore(t *testing.T, stored []byte) {
	t.Helper()
	l := New(DefaultLimits)
	if err := l.Restore("s", stored); err != nil {
		require.ErrorIs(t, err, ErrStored)
		require.Empty(t, l.sessions)
		require.Empty(t, l.bridges)
		return
	}
	s := locked(t, l, "s", "")
	require.NotEmpty(t, s.accepted)
	checkRanges(t, s.accepted)
	again := New(DefaultLimits)
	require.NoError(t, again.Restore("s", l.Encode(s)), "%x", stored)
	require.Equal(t, s.accepted, locked(t, again, "s", "").accepted)
}

func TestDamagedStateIsRefusedOrValid(t *testing.T) {
	stored := golden(t, "session-v1.bin")
	for n := range stored {
		checkRestore(t, stored[:n])
		require.ErrorIs(t, New(DefaultLimits).Restore("s", stored[:n]), ErrStored, "cut at %d", n)
	}
	for i := range stored {
		for bit := range 8 {
			damaged := slices.Clone(stored)
			damaged[i] ^= 1 << bit
			checkRestore(t, damaged)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	f := func(name string, stored ...byte) {
		t.Helper()
		assert.ErrorIs(t, New(DefaultLimits).Restore("s", stored), ErrStored, name)
	}
	huge := binary.AppendUvarint(nil, math.MaxUint64)
	f("nothing")
	f("another version", 2, 0, 0, 1, 0, 0)
	f("version 0", 0, 0, 0, 1, 0, 0)
	f("no runs", 1, 0, 0, 0)
	f("more runs than bytes", append([]byte{1, 0, 0}, huge...)...)
	f("a bridge longer than the bytes", append([]byte{1}, huge...)...)
	f("bytes left over", 1, 0, 0, 1, 0, 0, 0)
	f("runs that touch", 1, 0, 0, 2, 0, 5, 0, 5)
	f("an index that is no number", append(append([]byte{1, 0, 0, 1}, huge...), 0)...)
	f("a run that wraps around", append(append([]byte{1, 0, 0, 1}, huge...), 5)...)
	f("a run too long", append([]byte{1, 0, 0, 1, 1}, huge...)...)
	f("a hole too long", append(append([]byte{1, 0, 0, 2, 9, 0}, huge...), 0)...)
	f("a number too long", append([]byte{1, 0, 0, 1}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)...)
}

func FuzzRestore(f *testing.F) {
	stored, err := os.ReadFile("testdata/session-v1.bin")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored)
	f.Add([]byte{1, 0, 0, 2, 0, 5, 0, 5})
	f.Add(append(binary.AppendUvarint([]byte{1, 0, 0, 1}, math.MaxUint64), 5))
	f.Fuzz(checkRestore)
}
