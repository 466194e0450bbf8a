// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Trials find the refused elements by leaving out one set after the other.
func TestRefused(t *testing.T) {
	f := func(opts Options, refuses []string, tries int, want ...string) {
		t.Helper()
		w := newWorld(t, opts)
		w.c.opts.Elements[CallRoster] = append(w.c.opts.Elements[CallRoster], opts.Elements[CallRoster]...)
		w.c.servers[0].elements = w.c.opts.Elements
		w.open(0, 0)
		w.pump(time.Second)
		m := w.beginMeeting(0)
		w.addPerson(m, 0)
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
			assert.Contains(t, sub.Elements, "name", "other elements are still requested")
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

// The trial of one socket does not affect the other sockets, however long it lasts. The
// server's elements change once a request is accepted.
func TestRefusedSocketAlone(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 3})
	for range 140 {
		w.addPerson(w.beginMeeting(0), 0)
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
		assert.Empty(t, w.c.Problems(w.now, 0).LeftOut, "no request without them was accepted")
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
	assert.Equal(t, version, w.c.SubscriptionSetVersion(0, 0), "the request of the healthy socket stays")
	assert.Greater(t, w.c.SubscriptionSetVersion(0, 2), other, "the other trial is over")
}

// If a server refuses every set, the trial starts again with all elements. A single refusal
// leaves nothing out.
func TestRefusedAlways(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1})
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
	assert.Len(t, w.c.SubscriptionSet(1, 0)[0].Elements, all, "the other server gets all elements")
}
