// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// requireIndexed compares a pair of indexes with the objects of the engine: each object of the
// kinds is found by its hash, in current or, if it is emitted, in one of both. An emitted object
// in current is the only one of its hash there.
func requireIndexed(t *testing.T, e *Engine, x hashIndexes, kinds ...Kind) {
	t.Helper()
	want := make(map[uint64]int)
	for slot := uint32(1); slot <= e.objects.highest; slot++ {
		o := e.objects.at(slot)
		for _, kind := range kinds {
			if hash := x.current.entryOf(o).hash; o.state != free && o.kind == kind && hash != 0 {
				want[hash]++
			}
		}
	}
	for hash, count := range want {
		seen := make(map[uint32]bool)
		visit := func(index *hashIndex) (slots []uint32) {
			for slot := index.first(e, hash); slot != 0; slot = index.entryOf(e.objects.at(slot)).next {
				require.False(t, seen[slot], "twice")
				require.Equal(t, hash, index.entryOf(e.objects.at(slot)).hash)
				seen[slot] = true
				slots = append(slots, slot)
			}
			return slots
		}
		current := visit(x.current)
		for _, slot := range current {
			if e.objects.at(slot).state == emitted {
				require.Len(t, current, 1)
			}
		}
		for _, slot := range visit(x.emitted) {
			require.Equal(t, emitted, e.objects.at(slot).state)
		}
		require.Len(t, seen, count)
	}
}

// TestIndexes: the indexes agree with the objects after each step of a random history, with
// objects that are emitted, forgotten and restored, and take the hash of another.
func TestIndexes(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		small := options
		small.MaxObjects = 20 + r.IntN(40)
		e, now := New(small), noon
		apply := func(record Record) {
			record.Source = NewSource("resource", "session")
			if _, err := e.Apply(now, &record); err != nil {
				require.ErrorIs(t, err, ErrFull)
			}
		}
		for n := range 500 {
			now = now.Add(time.Duration(r.IntN(8000)) * time.Millisecond)
			room, call := guid(9, r.IntN(3)), guid(1, r.IntN(12))
			switch r.IntN(12) {
			case 0:
				stored := changes(e)
				e = New(small)
				require.NoError(t, e.Load(stored))
				e.FinishLoad(now)
				stored = nil
				e.BeginSnapshot()
				for last := false; !last; {
					stored, last = e.AppendSnapshot(stored, 300)
				}
				e = New(small)
				require.NoError(t, e.Load(stored))
				e.FinishLoad(now)
			case 1:
				now = now.Add(time.Duration(r.IntN(20)) * time.Hour)
				advance(e, now)
			case 2, 3:
				advance(e, now)
				var refs []Ref
				e.VisitPendingEmits(Ref{}, 1+r.IntN(5), func(s *Stitched) { refs = append(refs, s.Ref) })
				for _, ref := range refs {
					e.MarkEmitted(now, ref, r.IntN(5) > 0)
				}
			case 4:
				apply(apiRequest("b", int64(n), n, "PUT", routeSpace, 200, onSpace(room), opened(r.IntN(2) == 0)))
			case 5:
				apply(apiRequest("b", int64(n), n, "POST", routeCalls, 200, onSpace(room), onCall(call), created("/api/v1/calls/"+call)))
			case 6:
				apply(apiRequest("b", int64(n), n, "DELETE", routeCall, 200, onCall(call)))
			case 7:
				apply(Record{Kind: Call, ID: call, Phase: []Phase{Start, End}[r.IntN(2)], Index: uint64(n), Time: at(n), Fields: []Field{
					textField(names.CoSpaceID, room), textField(names.CallCorrelator, guid(2, r.IntN(3))),
				}})
			default:
				fields := []Field{textField(names.ParticipantID, guid(5, r.IntN(4))), textField(names.SIPCallID, fmt.Sprint("s", r.IntN(4)))}
				apply(Record{Kind: CallLeg, ID: guid(4, r.IntN(60)), Phase: Phase(r.IntN(3)), Index: uint64(n), Time: at(n), Fields: fields[:r.IntN(3)]})
			}
			requireIndexed(t, e, e.participants, CallLeg)
			requireIndexed(t, e, e.sipCalls, CallLeg)
			requireIndexed(t, e, e.meetings, ScheduledMeeting)
			requireIndexed(t, e, e.spaceChanges, APIRequest)
			requireIndexed(t, e, e.spaces, Call, ScheduledMeeting)
		}
	}
}
