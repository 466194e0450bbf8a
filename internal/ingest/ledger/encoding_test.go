// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
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

// What the first release stored is read by every later one.
func TestStoredSessionOfVersion1(t *testing.T) {
	l := New(DefaultLimits, clock)
	require.NoError(t, l.Restore("s", golden(t, "session-v1.bin")))
	s := locked(t, l, "s")
	assert.Equal(t, goldenSession, s.accepted)
	assert.Equal(t, Ranges{{0, 483}}, s.accounted, "its holes were reported")
	assert.Equal(t, Identity{bridgeOrSystem: goldenBridge}, s.identity)
	assert.False(t, s.IsNew())
	assert.True(t, s.HasChanges(), "to be stored in the present version")
	p, _ := post(t, l, "next", Identity{Bridge: goldenBridge})
	assert.Equal(t, SessionStart{MustReport: true, PreviousSession: "s"}, p.SessionStart)
}

func TestIdentityOfVersion1(t *testing.T) {
	f := func(bridge string, want Identity) {
		t.Helper()
		assert.Equal(t, want, identityOfVersion1(bridge))
	}
	f("", Identity{})
	f("cms1", Identity{System: "cms1"})
	f(goldenBridge, Identity{bridgeOrSystem: goldenBridge})
	f(goldenBridge+"x", Identity{System: goldenBridge + "x"})
	f(strings.ReplaceAll(goldenBridge, "d", "g"), Identity{System: strings.ReplaceAll(goldenBridge, "d", "g")})
	f("cms1/0123456789abcdef", Identity{System: "cms1", Numbering: "/0123456789abcdef"})
	f(goldenBridge+"/0123456789abcdef", Identity{bridgeOrSystem: goldenBridge, Numbering: "/0123456789abcdef"})
	f("cms1/site", Identity{System: "cms1/site"})
}

// goldenLedger is a ledger whose session "s" has a bit of everything.
func goldenLedger(t *testing.T) *Ledger {
	t.Helper()
	l := New(DefaultLimits, clock)
	begin(t, l, "before", goldenBridge)
	s := locked(t, l, "s")
	identity := Identity{Bridge: goldenBridge, System: "cms1", Numbering: "/0123456789abcdef"}
	accept(l, s, identity, 0, 1, 2, 66)
	l.Unlock(s)
	s = locked(t, l, "s")
	defer l.Unlock(s)
	s.startReported = true
	entries := []Entry{{Index: 180, Discarded: 100}, {Index: 181, Following: 2, IsUnreadable: true}, {Index: math.MaxInt64}}
	l.MarkAccepted(s, l.BeginRequest(s, identity), entries, s.Check(entries, nil))
	return l
}

// The bytes of version 2 are in testdata: later releases must read them for as
// long as there is a version 2.
func TestStoredSessionOfVersion2(t *testing.T) {
	l := goldenLedger(t)
	stored := l.Encode(l.sessions["s"])
	assert.Equal(t, golden(t, "session-v2.bin"), stored)

	again := New(DefaultLimits, clock)
	require.NoError(t, again.Restore("s", stored))
	s := again.sessions["s"]
	assert.Equal(t, Ranges{{0, 2}, {66, 66}, {180, 180}, {math.MaxInt64, math.MaxInt64}}, s.accepted)
	assert.Equal(t, Ranges{{0, 183}, {math.MaxInt64, math.MaxInt64}}, s.accounted)
	assert.Equal(t, Identity{Bridge: goldenBridge, System: "cms1", Numbering: "/0123456789abcdef"}, s.identity)
	assert.True(t, s.startReported)
	assert.Equal(t, clock().Unix(), s.namedSince)
	assert.Equal(t, clock().Unix(), s.lastAcceptedAt)
	assert.Less(t, s.startTick, s.lastHeardTick)
	assert.Equal(t, 2, s.requestCount)
	assert.Equal(t, stored, again.Encode(s))
}

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2))
		l := New(DefaultLimits, clock)
		s := locked(t, l, "s")
		for range 1 + random.IntN(50) {
			base := bases[random.IntN(3)]
			identity := Identity{Bridge: []string{"", "b", "ブリッジ"}[random.IntN(3)], System: []string{"", "x"}[random.IntN(2)]}
			accept(l, s, identity, base+random.Uint64N(40))
		}
		again := restored(t, l).sessions["s"]
		require.Equal(t, s.accepted, again.accepted, "seed %d", seed)
		require.Equal(t, s.accounted, again.accounted, "seed %d", seed)
		require.Equal(t, s.identity, again.identity)
		require.Equal(t, []uint64{s.startTick, s.lastHeardTick}, []uint64{again.startTick, again.lastHeardTick})
		require.Equal(t, l.Encode(s), l.Encode(again))
	}
}

// More sessions may be stored than a changed limit allows; the first new one
// brings the ledger within it.
func TestRestoreBeyondTheLimit(t *testing.T) {
	stored := golden(t, "session-v1.bin")
	l := New(Limits{Sessions: 2, SessionsPerBridge: 2, UnnamedSessions: 2, Ranges: 2}, clock)
	for _, id := range []string{"s1", "s2", "s3", "s4"} {
		require.NoError(t, l.Restore(id, stored))
	}
	assert.Len(t, begin(t, l, "s5", goldenBridge), 3)
	assert.Equal(t, []string{"s4", "s5"}, held(l))
	s := locked(t, l, "s4")
	s.take(numbers(484)...)
	assert.Equal(t, Ranges{{0, 180}, {183, 484}}, s.accepted)
}

// checkRestore: stored bytes are either refused, and nothing is changed, or
// read as a state the ledger could have been in.
func checkRestore(t *testing.T, stored []byte) {
	t.Helper()
	l := New(DefaultLimits, clock)
	if err := l.Restore("s", stored); err != nil {
		require.ErrorIs(t, err, ErrUnreadable)
		require.Empty(t, l.sessions)
		require.Empty(t, l.sessionsByName)
		return
	}
	s := locked(t, l, "s")
	require.NotEmpty(t, s.accounted)
	checkRanges(t, s.accepted)
	checkRanges(t, s.accounted)
	for _, run := range s.accepted {
		require.Equal(t, run.Last-run.First+1, s.accounted.CountWithin(run.First, run.Last), "%x", stored)
	}
	again := New(DefaultLimits, clock)
	require.NoError(t, again.Restore("s", l.Encode(s)), "%x", stored)
	require.Equal(t, s.accepted, locked(t, again, "s").accepted)
}

func TestDamagedStateIsRefusedOrValid(t *testing.T) {
	for _, name := range []string{"session-v1.bin", "session-v2.bin"} {
		checkDamaged(t, golden(t, name))
	}
}

func checkDamaged(t *testing.T, stored []byte) {
	t.Helper()
	for n := range stored {
		checkRestore(t, stored[:n])
		require.ErrorIs(t, New(DefaultLimits, clock).Restore("s", stored[:n]), ErrUnreadable, "cut at %d", n)
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
		assert.ErrorIs(t, New(DefaultLimits, clock).Restore("s", stored), ErrUnreadable, name)
	}
	huge := binary.AppendUvarint(nil, math.MaxUint64)
	f("nothing")
	f("version 0", 0, 0, 0, 1, 0, 0)
	f("no runs", 1, 0, 0, 0)
	f("version 2: nothing accounted for", 2, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0)
	f("version 2: a session that never began", 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0)
	f("version 2: heard before it began", 2, 0, 0, 0, 0, 0, 0, 2, 1, 0, 1, 0, 0)
	f("version 2: a time that is no number", append(append([]byte{2, 0, 0, 0, 0}, huge...), 0, 1, 1, 0, 1, 0, 0)...)
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
	if stored, err = os.ReadFile("testdata/session-v2.bin"); err != nil {
		f.Fatal(err)
	}
	f.Add(stored)
	f.Add([]byte{1, 0, 0, 2, 0, 5, 0, 5})
	f.Add(append(binary.AppendUvarint([]byte{1, 0, 0, 1}, math.MaxUint64), 5))
	f.Fuzz(checkRestore)
}
