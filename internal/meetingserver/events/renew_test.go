// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A damaged message renews its own subscription alone, with growing delays. It removes
// nobody, however often it arrives.
func TestDamaged(t *testing.T) {
	for _, kind := range []SubKind{Calls, CallInfo, CallRoster} {
		t.Run(kind.String(), func(t *testing.T) {
			w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
			for range 3 {
				m := w.beginMeeting(0)
				w.addPerson(m, 0)
				w.addPerson(m, 0)
			}
			w.pump(time.Minute)
			of := ""
			if kind != Calls {
				of = w.meetings[1].calls[0]
			}
			index := func() (found int64) {
				w.eachSubscription(0, kind, of, func(_ int, index int64) { found = index })
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
			before, removed := others(), w.countChanges(CallRemoved, ParticipantRemoved)
			w.snapshotDamaged = func(k SubKind) bool { return k == kind }
			renewals := 0
			require.True(t, w.c.HandleMalformedMessage(w.now, 0, 0, index()))
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
				assert.EqualValues(t, 6, w.gaugedParticipants())
				assert.True(t, w.c.Problems(w.now, 0).Damaged)
			}
			assert.Greater(t, renewals, 9)
			assert.ElementsMatch(t, before, others(), "the others keep their index")
			assert.Zero(t, *removed)

			// Messages can be decoded again: a participant who left meanwhile is removed.
			w.snapshotDamaged = nil
			if kind == CallRoster {
				w.meetings[1].people = w.meetings[1].people[:1]
			}
			w.pump(20 * time.Minute)
			w.verify()
			assert.False(t, w.c.Problems(w.now, 0).Damaged)
		})
	}
}

// One renewal repairs one damaged message.
func TestDamagedOnce(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	m := w.beginMeeting(0)
	stays := w.addPerson(m, 0)
	w.addPerson(m, 0)
	w.pump(time.Minute)
	moved := w.countChanges(ParticipantAdded, ParticipantRemoved)
	m.people = m.people[:1] // the removal arrives damaged
	w.eachSubscription(0, CallRoster, m.calls[0], func(slot int, index int64) { w.c.HandleMalformedMessage(w.now, 0, slot, index) })
	version := w.c.SubscriptionSetVersion(0, 0)
	w.pump(10 * time.Second)
	assert.Equal(t, version+2, w.c.SubscriptionSetVersion(0, 0), "one in, one out")
	assert.Equal(t, 1, *moved)
	assert.Contains(t, w.sinkPeople, stays.id)
	w.verify()
	assert.False(t, w.c.HandleMalformedMessage(w.now, 0, 0, 999), "unknown index")
}

// After a reconnect a damaged snapshot removes nobody.
func TestDamagedSnapshotAfterReconnect(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	for range 3 {
		w.addPerson(w.beginMeeting(0), 0)
	}
	w.pump(time.Minute)
	removed := w.countChanges(ParticipantRemoved, CallRemoved)
	w.close(0, 0)
	w.snapshotDamaged = func(k SubKind) bool { return k == CallRoster }
	w.open(0, 0)
	w.pump(time.Hour)
	assert.Zero(t, *removed)
	w.snapshotDamaged = nil
	w.pump(10 * time.Minute)
	w.verify()
}

// A damaged message without a readable index renews all subscriptions of its socket with
// one backoff, or the list alone.
func TestDamagedUnindexed(t *testing.T) {
	for _, kind := range []MessageType{OtherMessage, SubscriptionUpdate, CallListUpdate} {
		t.Run(strconv.Itoa(int(kind)), func(t *testing.T) {
			w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
			for range 40 {
				m := w.beginMeeting(0)
				w.addPerson(m, 0)
				w.addPerson(m, 0)
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
			removed := w.countChanges(CallRemoved, ParticipantRemoved)
			w.meetings[3].people = w.meetings[3].people[:1] // the removal arrives damaged
			assert.True(t, w.c.HandleUnindexedMalformed(w.now, 0, 0, kind))
			w.pump(10 * time.Second)
			assert.Equal(t, expected, fresh())
			if expected > 1 {
				assert.Equal(t, 1, *removed)
				w.verify()
			}
			w.pump(30 * time.Minute)

			// A hostile server sends only damaged messages.
			before := *removed
			for minute := range 20 {
				n := 0
				for range 600 {
					w.c.HandleUnindexedMalformed(w.now, 0, 0, kind)
					w.pump(100 * time.Millisecond)
					n += fresh()
				}
				most := 2 * all // more would mean a renewal for each damaged message
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
			assert.False(t, w.c.HandleUnindexedMalformed(w.now, 0, 0, kind), "no subscription is left")
			w.pump(time.Second)
		})
	}
}
