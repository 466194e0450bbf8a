// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
)

// Position is the number of the next record of a bridge.
type Position struct {
	// Identity of the bridge, and Session that sent its last record.
	Identity Identity
	Session  string
	// Next is the session's [Session.Position], 0 for a session without indices.
	Next uint64
}

// Positions returns the position of each named bridge, ordered by name. It waits for no
// session's lock.
func (l *Ledger) Positions() []Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	latest := make(map[nameKey]*Session)
	for _, s := range l.sessions {
		keys, n := s.identity.keys()
		if n == 0 || s.lastHeardTick == 0 {
			continue
		}
		if known := latest[keys[0]]; known == nil || s.lastHeardTick > known.lastHeardTick {
			latest[keys[0]] = s
		}
	}
	all := make([]Position, 0, len(latest))
	for _, s := range latest {
		all = append(all, Position{l.completeIdentity(s, s.identity), s.id, s.nextIndex})
	}
	slices.SortFunc(all, func(a, b Position) int {
		return cmp.Or(cmp.Compare(a.Identity.Bridge, b.Identity.Bridge), cmp.Compare(a.Identity.System, b.Identity.System), cmp.Compare(a.Session, b.Session))
	})
	return all
}
