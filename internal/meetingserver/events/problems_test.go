// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A message that cannot be read: only its own subscription is asked for anew, ever
// less often, and nobody is removed, however often it comes.
func TestDamaged(t *testing.T) {
	for _, kind := range []Kind{Calls, CallInfo, CallRoster} {
		t.Run(kind.String(), func(t *testing.T) {
			w := ready(t, Options{Servers: 1, MaxConnections: 1})
			for range 3 {
				m := w.begin(0)
				w.join(m, 0)
				w.join(m, 0)
			}
			w.pump(time.Minute)
			of := ""
			if kind != Calls {
				of = w.meetings[1].calls[0]
			}
			index := func() (found int64) {
				w.each(0, kind, of, func(_ int, index int64) { found = index })
				return found
			}
			others := func() (all []int64) {
				for i, sub := range w.servers[0].slots[0].subs {
					if sub.Kind != kind || sub.Call != of {
						all = append(all, i)
					}
				}
				return all
			}
			before, removed := others(), w.count(CallRemoved, ParticipantRemoved)
			w.garbled = func(k Kind) bool { return k == kind }
			renewals := 0
			require.True(t, w.c.HandleDamagedMessage(w.now, 0, 0, index()))
			for minute := range 60 {
				last := index()
				for range 600 {
					w.pump(100 * time.Millisecond)
					if now := index(); now != last {
						last = now
						renewals++
					}
				}
				most := 6 // in the first minute
				if minute > 0 {
					most = 10 + minute/8
				}
				assert.LessOrEqual(t, renewals, most, "after %d minutes", minute+1)
				assert.EqualValues(t, 6, w.present())
				assert.True(t, w.c.Problems(w.now, 0).Damaged)
			}
			assert.Greater(t, renewals, 9)
			assert.ElementsMatch(t, before, others(), "the others keep their index")
			assert.Zero(t, *removed)

			// It can be read again: whoever left meanwhile is gone.
			w.garbled = nil
			if kind == CallRoster {
				w.meetings[1].people = w.meetings[1].people[:1]
			}
			w.pump(20 * time.Minute)
			w.verify()
			assert.False(t, w.c.Problems(w.now, 0).Damaged)
		})
	}
}

// One damaged message is mended by one renewal.
func TestDamagedOnce(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	m := w.begin(0)
	stays := w.join(m, 0)
	w.join(m, 0)
	w.pump(time.Minute)
	moved := w.count(ParticipantAdded, ParticipantRemoved)
	m.people = m.people[:1] // the message that says so comes damaged
	w.each(0, CallRoster, m.calls[0], func(slot int, index int64) { w.c.HandleDamagedMessage(w.now, 0, slot, index) })
	version := w.c.SubscriptionSetVersion(0, 0)
	w.pump(10 * time.Second)
	assert.Equal(t, version+2, w.c.SubscriptionSetVersion(0, 0), "one in, one out")
	assert.Equal(t, 1, *moved)
	assert.Contains(t, w.told, stays.id)
	w.verify()
	assert.False(t, w.c.HandleDamagedMessage(w.now, 0, 0, 999), "an index of nothing")
}

// After a reconnect, a snapshot that cannot be read removes nobody.
func TestDamagedSnapshotAfterReconnect(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	for range 3 {
		w.join(w.begin(0), 0)
	}
	w.pump(time.Minute)
	removed := w.count(ParticipantRemoved, CallRemoved)
	w.close(0, 0)
	w.garbled = func(k Kind) bool { return k == CallRoster }
	w.open(0, 0)
	w.pump(time.Hour)
	assert.Zero(t, *removed)
	w.garbled = nil
	w.pump(10 * time.Minute)
	w.verify()
}

// The sockets beside the first go on without it.
func TestFirstSocketAlone(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 2})
	for range 120 {
		w.join(w.begin(0), 0)
	}
	w.pump(time.Second)
	w.open(0, 1)
	w.pump(10 * time.Second)
	second := len(w.c.SubscriptionSet(0, 1))
	require.Positive(t, second)
	version := w.c.SubscriptionSetVersion(0, 1)
	moved := w.count(CallAdded, CallRemoved, ParticipantAdded, ParticipantRemoved)
	w.close(0, 0)
	w.pump(time.Minute)
	assert.Equal(t, version, w.c.SubscriptionSetVersion(0, 1), "nothing changes in the second")
	assert.Equal(t, 2, w.c.SocketsWanted(0))
	// What happens there is told.
	for _, m := range w.meetings {
		for _, sub := range w.c.SubscriptionSet(0, 1) {
			if sub.Kind == CallRoster && sub.Call == m.calls[0] {
				w.join(m, 0)
			}
		}
	}
	assert.Positive(t, *moved)
	w.open(0, 0)
	w.pump(time.Minute)
	w.verify()
}

// A call that another socket follows is there, however long the list is down. It is
// gone when that socket too has said nothing of it for LostAfter, or when the list
// comes back without it.
func TestFollowedWhileTheListIsDown(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 2})
	for range 120 {
		w.join(w.begin(0), 0)
	}
	w.pump(time.Second)
	w.open(0, 1)
	w.pump(10 * time.Second)
	followed := map[string]bool{}
	for _, sub := range w.c.SubscriptionSet(0, 1) {
		followed[sub.Call] = true
	}
	require.Greater(t, len(followed), 50)
	removed := w.count(CallRemoved)
	w.close(0, 0)
	w.pump(12 * time.Minute)
	assert.Equal(t, 120-len(followed), *removed, "those that only the first socket followed")
	for call := range followed {
		assert.True(t, w.calls[call], call)
	}
	assert.True(t, w.c.HasState(0), "there is a picture of the server")

	// The second socket goes too: LostAfter counts from there.
	w.close(0, 1)
	w.pump(4 * time.Minute)
	assert.Equal(t, 120-len(followed), *removed)
	w.pump(90 * time.Second)
	assert.Equal(t, 120, *removed)
	w.pump(5 * time.Minute)
	assert.False(t, w.c.HasState(0))

	w.open(0, 0)
	w.open(0, 1)
	w.pump(time.Minute)
	w.verify()

	// The list comes back without some that the second socket still follows.
	w.close(0, 0)
	w.pump(12 * time.Minute)
	before := len(w.calls)
	require.Greater(t, before, 50)
	ended := 0
	w.meetings = slices.DeleteFunc(w.meetings, func(m *worldMeeting) bool {
		if !w.calls[m.calls[0]] || ended == 10 {
			return false
		}
		ended++
		return true
	})
	w.open(0, 0)
	w.pump(time.Second)
	assert.Len(t, w.calls, 120, "the snapshot may still announce them")
	w.pump(time.Minute)
	require.Equal(t, 10, ended)
	assert.Len(t, w.calls, len(w.meetings))
	w.verify()
}

// A damaged message that does not even say of which subscription it is: all of the
// socket are asked for anew, or the list alone, with one back-off for all of them.
func TestDamagedUnindexed(t *testing.T) {
	for _, kind := range []MessageType{OtherMessage, SubscriptionUpdate, CallListUpdate} {
		t.Run(strconv.Itoa(int(kind)), func(t *testing.T) {
			w := ready(t, Options{Servers: 1, MaxConnections: 1})
			for range 40 {
				m := w.begin(0)
				w.join(m, 0)
				w.join(m, 0)
			}
			w.pump(time.Minute)
			all := len(w.c.SubscriptionSet(0, 0))
			require.Equal(t, 81, all)
			expected := all
			if kind == CallListUpdate {
				expected = 1
			}
			known := map[int64]bool{}
			fresh := func() (n int) {
				for _, sub := range w.c.SubscriptionSet(0, 0) {
					if !known[sub.Index] {
						known[sub.Index] = true
						n++
					}
				}
				return n
			}
			fresh()
			removed := w.count(CallRemoved, ParticipantRemoved)
			w.meetings[3].people = w.meetings[3].people[:1] // one message that says so comes damaged
			assert.True(t, w.c.HandleUnindexedDamage(w.now, 0, 0, kind))
			w.pump(10 * time.Second)
			assert.Equal(t, expected, fresh())
			if expected > 1 {
				assert.Equal(t, 1, *removed)
				w.verify()
			}
			w.pump(30 * time.Minute)

			// A hostile server sends nothing else.
			before := *removed
			for minute := range 20 {
				n := 0
				for range 600 {
					w.c.HandleUnindexedDamage(w.now, 0, 0, kind)
					w.pump(100 * time.Millisecond)
					n += fresh()
				}
				most := 2 * all // of 300 that a minute must not have
				switch {
				case expected == 1:
					most = 6
				case minute > 8:
					most = all
				}
				assert.LessOrEqual(t, n, most, "minute %d", minute)
			}
			assert.Equal(t, before, *removed)
			assert.True(t, w.c.Problems(w.now, 0).Damaged)
			w.pump(30 * time.Minute)
			if expected > 1 {
				w.verify()
			}
			w.close(0, 0)
			assert.False(t, w.c.HandleUnindexedDamage(w.now, 0, 0, kind), "nothing is asked for")
			w.pump(time.Second)
		})
	}
}

// A subscription that stays pending is given up after 30 seconds, named, and tried
// again, ever less often; where another bridge hosts the meeting, it is asked.
func TestPending(t *testing.T) {
	for servers := range 3 {
		if servers == 0 {
			continue
		}
		t.Run(strconv.Itoa(servers), func(t *testing.T) {
			w := ready(t, Options{Servers: servers, MaxConnections: 1})
			stuck := true
			w.mute = func(server int, sub Subscription) bool { return stuck && server == 0 && sub.Kind == CallRoster }
			m := w.begin(0)
			w.join(m, 0)
			w.pump(time.Second)
			if servers > 1 {
				w.extend(m, 1)
			}
			w.pump(25 * time.Second)
			assert.Zero(t, w.c.Problems(w.now, 0).Pending)
			w.pump(8 * time.Second)
			if servers > 1 {
				assert.EqualValues(t, 1, w.present(), "the other bridge is asked")
				assert.Zero(t, w.c.Problems(w.now, 0).Pending)
				return
			}
			assert.Equal(t, 1, w.c.Problems(w.now, 0).Pending)
			w.pump(time.Hour)
			assert.Equal(t, 1, w.c.Problems(w.now, 0).Pending)
			assert.Zero(t, w.present())
			stuck = false
			w.pump(10 * time.Minute)
			assert.Zero(t, w.c.Problems(w.now, 0).Pending)
			w.verify()
		})
	}
}

// A list that is asked for anew and does not begin is known to be pending.
func TestListPending(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	assert.Zero(t, w.c.ListPendingSince(0))
	w.mute = func(_ int, sub Subscription) bool { return sub.Kind == Calls }
	w.c.HandleDamagedMessage(w.now, 0, 0, 1)
	w.pump(2 * time.Second)
	since := w.c.ListPendingSince(0)
	assert.WithinDuration(t, w.now.Add(-time.Second), since, 100*time.Millisecond)
	w.pump(time.Minute)
	assert.Equal(t, since, w.c.ListPendingSince(0))
}

// What a server refuses is found by leaving out, one set after the other.
func TestRefused(t *testing.T) {
	f := func(opts Options, refuses []string, tries int, want ...string) {
		t.Helper()
		w := newWorld(t, opts)
		w.c.opts.Elements[CallRoster] = append(w.c.opts.Elements[CallRoster], opts.Elements[CallRoster]...)
		w.c.servers[0].elements = w.c.opts.Elements
		w.open(0, 0)
		w.pump(time.Second)
		m := w.begin(0)
		w.join(m, 0)
		w.pump(time.Second)
		w.c.servers[0].sockets[0].trial.refusals = 0
		for i := 0; ; i++ {
			require.Less(t, i, 10)
			if !refused(w.c.SubscriptionSet(0, 0), refuses) {
				assert.Equal(t, tries, i)
				break
			}
			w.c.RequestRefused(0, 0)
		}
		w.c.RequestAccepted(w.now, 0, 0)
		assert.Equal(t, want, w.c.Problems(w.now, 0).LeftOut)
		for _, sub := range w.c.SubscriptionSet(0, 0) {
			assert.Contains(t, sub.Elements, "name", "what can be had is asked for")
		}
	}
	f(Options{Servers: 1, MaxConnections: 1}, nil, 0)
	f(Options{Servers: 1, MaxConnections: 1}, []string{"canMoveToLobby"}, 2, "canMoveToLobby")
	f(Options{Servers: 1, MaxConnections: 1}, []string{"movedParticipant"}, 3, "canMove", "canMoveToLobby", "movedParticipant", "movedParticipantCallBridge")
	odd := Options{Servers: 1, MaxConnections: 1}
	odd.Elements[CallRoster] = []string{"futureElement"}
	f(odd, []string{"futureElement"}, 3, "futureElement")
	f(odd, []string{"futureElement", "canMoveToLobby"}, 4, "canMoveToLobby", "futureElement")
}

func refused(set []Subscription, elements []string) bool {
	for _, sub := range set {
		for _, name := range sub.Elements {
			if slices.Contains(elements, name) {
				return true
			}
		}
	}
	return false
}

// The trial of one socket whose requests are refused changes nothing for the others,
// however long it lasts. What it finds is the server's once a request is taken.
func TestRefusedSocketAlone(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 3})
	for range 140 {
		w.join(w.begin(0), 0)
	}
	w.pump(time.Second)
	w.open(0, 1)
	w.open(0, 2)
	w.pump(10 * time.Second)
	roster := func(slot int) []string {
		for _, sub := range w.c.SubscriptionSet(0, slot) {
			if sub.Kind == CallRoster {
				return sub.Elements
			}
		}
		return nil
	}
	whole := DocumentedElements(CallRoster)
	version, other := w.c.SubscriptionSetVersion(0, 0), w.c.SubscriptionSetVersion(0, 2)
	for range 50 {
		w.c.RequestRefused(0, 1)
		assert.Equal(t, whole, roster(0))
		assert.Empty(t, w.c.Problems(w.now, 0).LeftOut, "no request without them was taken")
	}
	assert.Equal(t, version, w.c.SubscriptionSetVersion(0, 0))
	assert.Equal(t, other, w.c.SubscriptionSetVersion(0, 2))
	w.c.RequestAccepted(w.now, 0, 0)
	assert.Empty(t, w.c.Problems(w.now, 0).LeftOut, "the healthy socket's request is no answer to the trial")

	for range 2 {
		w.c.RequestRefused(0, 2)
	}
	for i := 0; len(roster(1)) != len(whole)-1; i++ {
		require.Less(t, i, 10)
		w.c.RequestRefused(0, 1)
	}
	other = w.c.SubscriptionSetVersion(0, 2)
	w.c.RequestAccepted(w.now, 0, 1)
	assert.Equal(t, []string{"canMoveToLobby"}, w.c.Problems(w.now, 0).LeftOut)
	for slot := range 3 {
		assert.NotContains(t, w.c.servers[0].elementsFor(slot)[CallRoster], "canMoveToLobby")
		assert.Len(t, w.c.servers[0].elementsFor(slot)[CallRoster], len(whole)-1)
	}
	assert.Equal(t, version, w.c.SubscriptionSetVersion(0, 0), "the healthy socket is asked for nothing anew")
	assert.Greater(t, w.c.SubscriptionSetVersion(0, 2), other, "the other trial is over")
}

// A server that refuses everything is asked for everything again in the end, and
// one refusal alone leaves nothing out.
func TestRefusedAlways(t *testing.T) {
	w := ready(t, Options{Servers: 2, MaxConnections: 1})
	all := len(w.c.SubscriptionSet(0, 0)[0].Elements)
	leftOut, changed := w.c.RequestRefused(0, 0)
	assert.Empty(t, leftOut)
	assert.False(t, changed)
	w.c.RequestAccepted(w.now, 0, 0)
	var sizes []int
	for range 12 {
		_, _ = w.c.RequestRefused(0, 0)
		sizes = append(sizes, len(w.c.SubscriptionSet(0, 0)[0].Elements))
	}
	assert.Equal(t, []int{all, all, all, 4, all, all, all, 4, all, all, all, 4}, sizes)
	assert.Len(t, w.c.SubscriptionSet(1, 0)[0].Elements, all, "the other server is asked for all")
}
