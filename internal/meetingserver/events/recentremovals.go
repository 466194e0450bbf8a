// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// recentRemovals are the participants that left within the last seconds. If several rosters
// of one meeting are subscribed to, another server may report a participant after their
// removal. Such a stale update must not add them again.
type recentRemovals struct {
	byParticipant map[string]recentRemoval
	order         []string
	orderBytes    int // bytes of order
	// staleIgnored means that an ignored add may have been true.
	staleIgnored bool
}

type recentRemoval struct {
	server    int
	removedAt time.Time
	// relistedIn is the call whose roster added the participant after the removal; nil:
	// none did, or it removed them again.
	relistedIn *call
}

const (
	// recentRemovalTime is how long a removal is kept.
	recentRemovalTime = 5 * time.Second
	maxRecentRemovals = 10_000
	// maxRecentRemovalBytes bounds the bytes of the ids.
	maxRecentRemovalBytes = 1 << 20
)

// addRecentRemoval records that a server removed a participant. It drops the oldest
// removals to stay within the bounds.
func (c *Cluster) addRecentRemoval(now time.Time, id string, server int) {
	r := &c.recentRemovals
	for len(r.order) > 0 && (len(r.order) >= maxRecentRemovals || r.orderBytes+len(id) > maxRecentRemovalBytes) {
		c.dropOldestRemoval(now)
	}
	r.byParticipant[id] = recentRemoval{server: server, removedAt: now}
	r.order = append(r.order, id)
	r.orderBytes += len(id)
}

// dropOldestRemoval drops the oldest removal. If a roster added the participant afterwards
// and the add was ignored, it renews that roster: the add may have been true.
func (c *Cluster) dropOldestRemoval(now time.Time) {
	r := &c.recentRemovals
	id := r.order[0]
	k := r.byParticipant[id].relistedIn
	delete(r.byParticipant, id)
	r.orderBytes -= len(id)
	r.order = r.order[1:]
	if k != nil && k.rosterSub != nil {
		c.scheduleRenewal(now, k.rosterSub)
	}
}

// isStale reports whether u is older than a recent removal of its participant. An update is
// newer if it comes from the server that removed the participant, or from a roster that was
// first requested after the removal. Other adds may be either: a roster that adds the
// participant, and does not remove them afterwards, is renewed.
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

// nextExpiry returns when dropExpiredRemovals has a roster to renew; zero: never.
func (r *recentRemovals) nextExpiry() time.Time {
	if !r.staleIgnored || len(r.order) == 0 {
		return time.Time{}
	}
	return r.byParticipant[r.order[0]].removedAt.Add(recentRemovalTime)
}

// dropExpiredRemovals drops removals older than recentRemovalTime.
func (c *Cluster) dropExpiredRemovals(now time.Time) {
	r := &c.recentRemovals
	for len(r.order) > 0 {
		gone := r.byParticipant[r.order[0]]
		if now.Before(gone.removedAt.Add(recentRemovalTime)) {
			return
		}
		c.dropOldestRemoval(now)
	}
	r.order, r.staleIgnored = nil, false
}
