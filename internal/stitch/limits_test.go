// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// TestFull: at the limit what was emitted is forgotten first; then the oldest
// open object is let go. Nothing is dropped.
func TestFull(t *testing.T) {
	limited := options
	limited.MaxObjects = 100
	s := newStory(t, limited)
	leg := func(n int) string { return fmt.Sprint("leg ", n) }
	for n := range 100 {
		s.tell("a", CallLeg, leg(n), Start, n)
	}
	s.tell("a", CallLeg, leg(99), Update, 100)
	_, err := s.try("a", CallLeg, leg(99), Update, 101, textField(names.CallID, "c"))
	require.ErrorIs(t, err, ErrFull, "for its call")
	assert.EqualValues(t, 64, s.e.Stats().Evicted)
	_, err = s.try("a", CallLeg, leg(100), Start, 99)
	require.ErrorIs(t, err, ErrFull, "until they are emitted")
	assert.EqualValues(t, 64, s.e.Stats().Evicted, "no more than that go at a time")

	all := s.out()
	assert.Len(t, all, 64)
	assert.Equal(t, Evicted, all[leg(0)].Outcome)
	assert.NotContains(t, all, leg(64), "the oldest go")
	for n := range 64 {
		s.tell("a", CallLeg, leg(100+n), Start, 100+n)
	}
	assert.EqualValues(t, 64, s.e.Stats().Forgotten)
	assert.LessOrEqual(t, s.e.objects.used(), 100)
}

// Objects that were set aside do not keep the oldest open ones from being
// evicted: the next consumer takes those.
func TestFullWithSomeAside(t *testing.T) {
	limited := options
	limited.MaxObjects = 1000
	s := newStory(t, limited)
	for n := range evictionBatch {
		refused := s.tell("a", CallLeg, fmt.Sprint("refused ", n), End, n)
		s.wait(options.Linger)
		s.e.SetAside(refused)
	}
	for n := range limited.MaxObjects - evictionBatch {
		s.tell("a", CallLeg, fmt.Sprint("leg ", n), Start, n)
	}
	refusals := 0
	for n := range 1000 {
		id := fmt.Sprint("more ", n)
		for {
			if _, err := s.try("a", CallLeg, id, Start, n); err == nil {
				break
			}
			require.NotEmpty(t, s.out(), "refused, and nothing was evicted for it")
			refusals++
		}
	}
	assert.LessOrEqual(t, refusals, 1000/evictionBatch+1)
	assert.GreaterOrEqual(t, s.e.Stats().Evicted, uint64(1000-evictionBatch))
	assert.Equal(t, evictionBatch, s.e.Stats().CurrentlySetAside)
	assert.LessOrEqual(t, s.e.objects.used(), limited.MaxObjects)
}

// A call that something is in is not forgotten, whatever happens.
func TestFullOfCalls(t *testing.T) {
	limited := options
	limited.MaxObjects = 100
	s := newStory(t, limited)
	for n := range 50 {
		s.tell("a", CallLeg, guid(4, n), Start, 0, textField(names.CallID, guid(1, n)))
	}
	s.evictCalls(50)
	assert.Len(t, s.out(), 50)
	_, err := s.try("a", CallLeg, "more", Start, 0)
	require.ErrorIs(t, err, ErrFull)
	all := s.out()
	assert.Len(t, all, 50, "the legs had to go")
	assert.Equal(t, traceOf(guid(1, 0)), all[guid(4, 0)].Trace)
	s.tell("a", CallLeg, "more", Start, 0)
	s.wait(3 * options.MaxOpen)
	s.out()
	s.wait(options.Linger)
	s.out()
	s.wait(3 * options.MaxOpen)
	requireEmpty(t, s.e)
}

func TestRefsGoBad(t *testing.T) {
	s := newStory(t, options)
	old := s.tell("a", CallLeg, "l", End, 0)
	s.wait(options.Linger)
	s.out()
	_, ok := s.e.Stamp(old)
	assert.True(t, ok)
	s.wait(options.MaxOpen)
	_, ok = s.e.Stamp(old)
	assert.False(t, ok)
	fresh := s.tell("a", CallLeg, "other", Start, 0)
	assert.Equal(t, old.slot, fresh.slot)
	_, ok = s.e.Stamp(old)
	assert.False(t, ok, "another object has its place")
	_, ok = s.e.Stamp(Ref{})
	assert.False(t, ok)
	_, ok = s.e.Stamp(Ref{slot: 99})
	assert.False(t, ok)
	_, found := s.e.FindParticipant("")
	assert.False(t, found)
}

func TestFinishAndFlush(t *testing.T) {
	s := newStory(t, options)
	s.call("a", "c", "room", 0, 10)
	s.tell("b", CallLeg, "open", Start, 0)
	s.e.EndSession(s.now, "session of c", at(1000))
	s.e.Flush(s.now)
	assert.Len(t, s.out(), 2)
	s.e.Finish(s.now)
	assert.Equal(t, Incomplete, s.out()["open"].Outcome)
}

// TestLongValues: what is too long for a span's attribute is cut, at the same
// place whichever record comes first, and what finds no room is counted.
func TestLongValues(t *testing.T) {
	s := newStory(t, options)
	long := strings.Repeat("ü", maxText)
	s.tell("a", CallLeg, "l", Start, 0, textField("long", "x"+long), Field{"opaque", Opaque(long)})
	assert.EqualValues(t, 1, s.e.Stats().Dropped)
	for n := range 40 {
		s.tell("a", CallLeg, "l", Update, n, textField(fmt.Sprint("key ", n), long))
	}
	assert.Greater(t, s.e.Stats().Dropped, uint64(1))
	for n := range maxKeys {
		s.tell("a", CallLeg, "other", Update, n, textField(fmt.Sprint("new key ", n), "x"))
	}
	assert.Len(t, s.e.dictionary.texts, maxKeys)
	s.tell("a", CallLeg, "l", End, 5)
	s.wait(options.Linger)
	got := field(s.out()["l"], "long")
	assert.Equal(t, fmt.Sprintf("%q", "x"+strings.Repeat("ü", maxText/2-1)), got)
}

// TestTimeStandsStill: the engine's clock does not go back, so that no queue
// gets out of order.
func TestTimeStandsStill(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "l", End, 0)
	s.now = s.now.Add(-time.Hour)
	s.tell("a", CallLeg, "m", End, 0)
	next, ok := s.e.Next()
	require.True(t, ok)
	assert.Equal(t, noon.Add(options.Linger), next.UTC())
	s.now = noon
	s.wait(options.Linger)
	assert.Len(t, s.out(), 2)
}

func TestNextOfNothing(t *testing.T) {
	e := New(options)
	_, ok := e.Next()
	assert.False(t, ok)
	assert.False(t, e.Advance(noon))
	e.EndSession(noon, "", at(1))
	assert.False(t, e.HasChanges())
	e.EndSession(noon, "s", at(1))
	assert.True(t, e.HasChanges())
	next, ok := e.Next()
	require.True(t, ok)
	assert.Equal(t, noon.Add(options.MaxOpen), next.UTC())
	advance(e, next)
	requireEmpty(t, e)
}

// evictCalls lets calls go before their legs, which stay open.
func (s *story) evictCalls(calls int) {
	for n := range calls {
		slot := s.e.slotOf(Call, guid(1, n))
		s.e.objects.at(slot).flags |= flagEvicted
		s.e.makePending(slot, s.e.now)
	}
}
