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

// The further sockets continue without the first.
func TestFirstSocketAlone(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 2})
	for range 120 {
		w.addPerson(w.beginMeeting(0), 0)
	}
	w.pump(time.Second)
	w.open(0, 1)
	w.pump(10 * time.Second)
	second := len(w.c.SubscriptionSet(0, 1))
	require.Positive(t, second)
	version := w.c.SubscriptionSetVersion(0, 1)
	moved := w.countChanges(CallAdded, CallRemoved, ParticipantAdded, ParticipantRemoved)
	w.close(0, 0)
	w.pump(time.Minute)
	assert.Equal(t, version, w.c.SubscriptionSetVersion(0, 1), "nothing changes in the second")
	assert.Equal(t, 2, w.c.SocketsWanted(0))
	// Changes on the second socket are emitted.
	for _, m := range w.meetings {
		for _, sub := range w.c.SubscriptionSet(0, 1) {
			if sub.Kind == CallRoster && sub.Call == m.calls[0] {
				w.addPerson(m, 0)
			}
		}
	}
	assert.Positive(t, *moved)
	w.open(0, 0)
	w.pump(time.Minute)
	w.verify()
}

// A call with an active subscription stays however long the list is down. It is removed
// LostAfter after that subscription ended, or when a new list does not list it.
func TestFollowedWhileTheListIsDown(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 2})
	for range 120 {
		w.addPerson(w.beginMeeting(0), 0)
	}
	w.pump(time.Second)
	w.open(0, 1)
	w.pump(10 * time.Second)
	followed := map[string]bool{}
	for _, sub := range w.c.SubscriptionSet(0, 1) {
		followed[sub.Call] = true
	}
	require.Greater(t, len(followed), 50)
	removed := w.countChanges(CallRemoved)
	w.close(0, 0)
	w.pump(12 * time.Minute)
	assert.Equal(t, 120-len(followed), *removed, "calls followed by the first socket only")
	for call := range followed {
		assert.True(t, w.sinkCalls[call], call)
	}
	assert.True(t, w.c.HasState(0), "the state is kept")

	// The second socket closes too: LostAfter starts there.
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

	// The new list lacks some calls with active subscriptions on the second socket.
	w.close(0, 0)
	w.pump(12 * time.Minute)
	before := len(w.sinkCalls)
	require.Greater(t, before, 50)
	ended := 0
	w.meetings = slices.DeleteFunc(w.meetings, func(m *worldMeeting) bool {
		if !w.sinkCalls[m.calls[0]] || ended == 10 {
			return false
		}
		ended++
		return true
	})
	w.open(0, 0)
	w.pump(time.Second)
	assert.Len(t, w.sinkCalls, 120, "the snapshot may still list them")
	w.pump(time.Minute)
	require.Equal(t, 10, ended)
	assert.Len(t, w.sinkCalls, len(w.meetings))
	w.verify()
}

// A subscription that stays pending is ended after 30 seconds, reported and retried with
// growing delays. If another server hosts the meeting, that server is tried.
func TestPending(t *testing.T) {
	for servers := range 3 {
		if servers == 0 {
			continue
		}
		t.Run(strconv.Itoa(servers), func(t *testing.T) {
			w := newConnectedWorld(t, Options{Servers: servers, MaxConnections: 1})
			stuck := true
			w.staysPending = func(server int, sub Subscription) bool { return stuck && server == 0 && sub.Kind == CallRoster }
			m := w.beginMeeting(0)
			w.addPerson(m, 0)
			w.pump(time.Second)
			if servers > 1 {
				w.addCall(m, 1)
			}
			w.pump(25 * time.Second)
			assert.Zero(t, w.c.Problems(w.now, 0).Pending)
			w.pump(8 * time.Second)
			if servers > 1 {
				assert.EqualValues(t, 1, w.gaugedParticipants(), "the other server is subscribed to")
				assert.Zero(t, w.c.Problems(w.now, 0).Pending)
				return
			}
			assert.Equal(t, 1, w.c.Problems(w.now, 0).Pending)
			w.pump(time.Hour)
			assert.Equal(t, 1, w.c.Problems(w.now, 0).Pending)
			assert.Zero(t, w.gaugedParticipants())
			stuck = false
			w.pump(10 * time.Minute)
			assert.Zero(t, w.c.Problems(w.now, 0).Pending)
			w.verify()
		})
	}
}

// ListPendingSince reports a renewed list that does not begin.
func TestListPending(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	assert.Zero(t, w.c.ListPendingSince(0))
	w.staysPending = func(_ int, sub Subscription) bool { return sub.Kind == Calls }
	w.c.HandleMalformedMessage(w.now, 0, 0, 1)
	w.pump(2 * time.Second)
	since := w.c.ListPendingSince(0)
	assert.WithinDuration(t, w.now.Add(-time.Second), since, 100*time.Millisecond)
	w.pump(time.Minute)
	assert.Equal(t, since, w.c.ListPendingSince(0))
}
