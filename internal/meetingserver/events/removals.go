// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// removals remember who left a moment ago. With several rosters of one meeting
// another bridge's news of them may come late, and must not bring them back.
type removals struct {
	by    map[string]removal
	order []string
	bytes int // of order
	// ignored tells that late news was ignored which may be true.
	ignored bool
}

type removal struct {
	server int
	at     time.Time
	// announced is the call whose roster announced them since, without a removal
	// after it; nil: none did.
	announced *call
}

const (
	// removalTime is how long a removal is remembered.
	removalTime = 5 * time.Second
	maxRemovals = 10_000
	// maxRemovalBytes bounds the ids remembered.
	maxRemovalBytes = 1 << 20
)

// rememberRemoval remembers that a server removed somebody. It forgets the oldest
// removals where there is no room.
func (c *Cluster) rememberRemoval(now time.Time, id string, server int) {
	r := &c.removals
	for len(r.order) > 0 && (len(r.order) >= maxRemovals || r.bytes+len(id) > maxRemovalBytes) {
		c.forgetFirstRemoval(now)
	}
	r.by[id] = removal{server: server, at: now}
	r.order = append(r.order, id)
	r.bytes += len(id)
}

// forgetFirstRemoval forgets the oldest removal, and asks anew for the roster whose
// late news of it was ignored: that news may be true.
func (c *Cluster) forgetFirstRemoval(now time.Time) {
	r := &c.removals
	id := r.order[0]
	k := r.by[id].announced
	delete(r.by, id)
	r.bytes -= len(id)
	r.order = r.order[1:]
	if k != nil && k.roster != nil {
		c.renewLater(now, k.roster)
	}
}

// late tells whether u is news from before a removal. It is not if it comes from
// the server that removed them, or from a roster that was first asked for after
// the removal: that snapshot is newer. Other adds may be either, so a roster that
// sends one and no removal after it is asked for anew.
func (r *removals) late(now time.Time, u *Update, k *call) bool {
	gone, found := r.by[string(u.Participant)]
	if !found || !now.Before(gone.at.Add(removalTime)) {
		return false
	}
	switch u.Type {
	case Add:
		if k.server == gone.server || k.roster != nil && !k.roster.began.Before(gone.at) {
			return false
		}
		gone.announced, r.ignored = k, true
	case Remove:
		if gone.announced != k {
			return true
		}
		gone.announced = nil
	default:
		return true
	}
	r.by[string(u.Participant)] = gone
	return true
}

// next returns when forgetRemovals has something to do, zero for never.
func (r *removals) next() time.Time {
	if !r.ignored || len(r.order) == 0 {
		return time.Time{}
	}
	return r.by[r.order[0]].at.Add(removalTime)
}

// forgetRemovals forgets removals that are past.
func (c *Cluster) forgetRemovals(now time.Time) {
	r := &c.removals
	for len(r.order) > 0 {
		gone := r.by[r.order[0]]
		if now.Before(gone.at.Add(removalTime)) {
			return
		}
		c.forgetFirstRemoval(now)
	}
	r.order, r.ignored = nil, false
}
