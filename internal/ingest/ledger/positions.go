// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
)

// Position is how far the records of a bridge are accounted for.
type Position struct {
	// Identity of the bridge, and Session the one of it that was heard of last.
	Identity Identity
	Session  string
	// Next is the session's [Session.Position]; 0 for one without numbers.
	Next uint64
}

// Positions returns the position of each bridge that has a name, in the order of the
// names. It waits for no session's lock.
func (l *Ledger) Positions() []Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	latest := make(map[nameKey]*Session)
	for _, s := range l.sessions {
		keys, n := s.said.keys()
		if n == 0 || s.heard == 0 {
			continue
		}
		if known := latest[keys[0]]; known == nil || s.heard > known.heard {
			latest[keys[0]] = s
		}
	}
	all := make([]Position, 0, len(latest))
	for _, s := range latest {
		all = append(all, Position{l.complete(s, s.said), s.id, s.next})
	}
	slices.SortFunc(all, func(a, b Position) int {
		return cmp.Or(cmp.Compare(a.Identity.Bridge, b.Identity.Bridge), cmp.Compare(a.Identity.System, b.Identity.System), cmp.Compare(a.Session, b.Session))
	})
	return all
}
