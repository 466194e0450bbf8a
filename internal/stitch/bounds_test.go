// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// TestStepsAreBounded: no method does more work the more the engine holds, even if
// all of it is of one room, one participant, one SIP call and one session.
func TestStepsAreBounded(t *testing.T) {
	const bound = 16 * (maxUnsettledCalls + maxSettledCalls)
	for _, objects := range []int{2_000, 20_000} {
		large := options
		large.MaxObjects = objects
		e := New(large)
		now := noon
		bounded := func(what string, f func()) {
			t.Helper()
			before := e.steps
			f()
			require.LessOrEqual(t, e.steps-before, uint64(bound), "%s with %d objects", what, e.objects.used())
		}
		source := NewSource("r", "session").OnBridge(1, "bridge")
		index := uint64(0)
		apply := func(kind Kind, id string, phase Phase, fields ...Field) {
			index++
			r := Record{Kind: kind, ID: id, Phase: phase, Time: at(int(index)), Index: index, Source: source, Fields: fields}
			bounded("Apply", func() {
				ref, err := e.Apply(now, &r)
				if err != nil {
					require.ErrorIs(t, err, ErrFull)
					return
				}
				bounded("Stamp", func() { e.Stamp(ref) })
			})
		}
		room := textField(names.CallCorrelator, "room")
		for n := range objects {
			now = now.Add(time.Second)
			call := fmt.Sprint("call ", n/4)
			switch n % 4 {
			case 0:
				apply(Call, call, Start, room)
			case 3:
				apply(Call, call, End)
			default:
				apply(CallLeg, fmt.Sprint("leg ", n), Start, textField(names.CallID, call), textField(names.ParticipantID, "p"), textField(names.SIPCallID, "s"),
					textField(legKey("replacesSipCallId"), "s"), textField(legKey("lyncSubType"), lyncSharing))
			}
			if n%5 == 0 {
				for _, r := range []Record{
					apiRequest("b", int64(n), n, "POST", routeCalls, 200, onSpace("space"), onCall(call), created("/x")),
					apiRequest("b", int64(n+objects), n, "PUT", routeSpace, 200, onSpace("space"), opened(true)),
					apiRequest("b", int64(n+2*objects), n, "POST", routeCallLegs, 200, onCall("call 0")),
				} {
					bounded("Apply of a request", func() { _, _ = e.Apply(now, &r) })
				}
				bounded("StampMention", func() { e.StampReference(&Reference{Correlator: "room", CoSpace: "space", Time: at(n)}) })
			}
			if n%100 == 0 {
				bounded("EndSession", func() { e.EndSession(now, "session", at(n)) })
				bounded("List", func() {
					e.List(now, &Listing{Bridge: source, Kind: Kind(n / 100 % 2), At: at(objects + n), Part: 1, Parts: 1, Started: at(0)})
				})
				bounded("RemoveCall", func() { e.RemoveCall(now, call, at(objects+n)) })
				bounded("FindParticipant", func() { e.FindParticipant("p") })
			}
			bounded("Advance", func() { e.Advance(now) })
			var refs []Ref
			bounded("VisitPendingEmits", func() { e.VisitPendingEmits(Ref{}, 1, func(s *Stitched) { refs = append(refs, s.Ref) }) })
			for _, ref := range refs {
				bounded("Emitted", func() { e.MarkEmitted(now, ref, n%7 != 0) })
			}
			bounded("AppendChanges", func() { e.AppendChanges(nil) })
		}
		e.BeginSnapshot()
		for last := false; !last; {
			bounded("AppendSweep", func() { _, last = e.AppendSnapshot(nil, 1<<10) })
		}
		bounded("EndSession", func() { e.EndSession(now, "session", at(int(index)+1)) })
		for more := true; more; {
			bounded("Finish", func() { more = e.Finish(now) })
		}
	}
}

// Neither the span of a large conference nor that its spans were accepted takes more than a
// bounded piece of work, in whatever order its calls end.
func TestStepsOfALargeConference(t *testing.T) {
	const calls = maxUnsettledCalls
	random := rand.New(rand.NewPCG(1, 1))
	for shape, end := range map[string]func(n int) int{
		"in order": func(n int) int { return 10_000 + n },
		"nested":   func(n int) int { return 20_000 - n },
		"together": func(int) int { return 10_000 },
		"random":   func(int) int { return 10_000 + random.IntN(calls) },
	} {
		large := options
		large.MaxObjects = 10 * calls
		s := newStory(t, large)
		bounded := func(name string, bound int, f func()) {
			t.Helper()
			before := s.e.steps
			f()
			require.LessOrEqual(t, s.e.steps-before, uint64(bound), "%s: %s", shape, name)
		}
		for n := range calls {
			bridge := fmt.Sprint("bridge ", n)
			s.inRoom(bridge, "run of "+bridge, guid(1, n), Start, 1, n)
			s.inRoom(bridge, "run of "+bridge, guid(1, n), End, 2, end(n))
		}
		s.wait(options.Linger)
		var refs []Ref
		for _, n := range []int{1, calls} { // the first one fixes the trace of all
			bounded("VisitPendingEmits", 16*calls, func() {
				s.e.VisitPendingEmits(Ref{}, n, func(o *Stitched) { refs = append(refs, o.Ref) })
			})
		}
		require.Len(t, refs, calls+1)
		for _, ref := range refs[1:] {
			bounded("MarkEmitted", 16, func() { s.e.MarkEmitted(s.now, ref, true) })
		}
		settled := 0
		g := s.e.correlators[s.e.infoOf(refs[0].slot).groupID]
		for slot := g.latestSettled; slot != 0; slot = s.e.infoOf(slot).group.next {
			assert.True(t, s.e.isInOrder(slot))
			settled++
		}
		assert.Equal(t, calls, settled, shape)
	}
}
