// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// removals remember who left a moment ago. With several rosters of one meeting
// another bridge's news of them may come late, and must not bring them back.
type recentRemovals struct {
	byParticipant map[string]recentRemoval
	order         []string
	orderBytes    int // of order
	// ignored tells that late news was ignored which may be true.
	staleIgnored bool
}

type recentRemoval struct {
	server    int
	removedAt time.Time
	// announced is the call whose roster announced them since, without a removal
	// after it; nil: none did.
	relistedIn *call
}

const (
	// removalTime is how long a removal is remembered.
	recentRemovalTime = 5 * time.Second
	maxRecentRemovals = 10_000
	// maxRemovalBytes bounds the ids remembered.
	maxRecentRemovalBytes = 1 << 20
)

// rememberRemoval remembers that a server removed somebody. It forgets the oldest
// removals where there is no room.
func (c *Cluster) addRecentRemoval(now time.Time, id string, server int) {
	r := &c.recent
	for len(r.order) > 0 && (len(r.order) >= maxRecentRemovals || r.orderBytes+len(id) > maxRecentRemovalBytes) {
		c.dropOldestRemoval(now)
	}
	r.byParticipant[id] = recentRemoval{server: server, removedAt: now}
	r.order = append(r.order, id)
	r.orderBytes += len(id)
}

// forgetFirstRemoval forgets the oldest removal, and asks anew for the roster whose
// late news of it was ignored: that news may be true.
func (c *Cluster) dropOldestRemoval(now time.Time) {
	r := &c.recent
	id := r.order[0]
	k := r.byParticipant[id].relistedIn
	delete(r.byParticipant, id)
	r.orderBytes -= len(id)
	r.order = r.order[1:]
	if k != nil && k.rosterSub != nil {
		c.scheduleRenewal(now, k.rosterSub)
	}
}

// late tells whether u is news from before a removal. It is not if it comes from
// the server that removed them, or from a roster that was first asked for after
// the removal: that snapshot is newer. Other adds may be either, so a roster that
// sends one and no removal after it is asked for anew.
func (r *recentRemovals) isStale(now time.Time, u *Update, k *call) bool {
	gone, found := r.byParticipant[string(u.Participant)]
	if !found || !now.Before(gone.removedAt.Add(recentRemovalTime)) {
		return false
	}
	switch u.Type {
	case Add:
		if k.server == gone.server || k.rosterSub != nil && !k.rosterSub.createdAt.Before(gone.removedAt) {
			return false
		}
		gone.relistedIn, r.staleIgnored = k, true
	case Remove:
		if gone.relistedIn != k {
			return true
		}
		gone.relistedIn = nil
	default:
		return true
	}
	r.byParticipant[string(u.Participant)] = gone
	return true
}

// next returns when forgetRemovals has something to do, zero for never.
func (r *recentRemovals) nextExpiry() time.Time {
	if !r.staleIgnored || len(r.order) == 0 {
		return time.Time{}
	}
	return r.byParticipant[r.order[0]].removedAt.Add(recentRemovalTime)
}

// forgetRemovals forgets removals that are past.
func (c *Cluster) dropExpiredRemovals(now time.Time) {
	r := &c.recent
	for len(r.order) > 0 {
		gone := r.byParticipant[r.order[0]]
		if now.Before(gone.removedAt.Add(recentRemovalTime)) {
			return
		}
		c.dropOldestRemoval(now)
	}
	r.order, r.staleIgnored = nil, false
}
