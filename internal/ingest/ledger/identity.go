// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"strings"
)

// Identity is what the requests of a session say of the bridge it belongs to.
type Identity struct {
	// Bridge is the bridge's own id (callBridge), "" if it sends none.
	Bridge string
	// System is the operator's name of the bridge (system_id), "" if it has none.
	System string
	// Stream tells apart the numberings of a sender that numbers for each of its
	// receivers; "" for one that numbers once for all.
	Stream string

	// either is the name of a session that the first release stored, which does
	// not tell whether it is the bridge's id or the operator's name. It finds the
	// session by both, and is no statement of either.
	either string
}

// Named tells whether the identity names a bridge.
func (i Identity) Named() bool { return i.Bridge != "" || i.System != "" || i.either != "" }

// or completes i, the newer statement, with an older one.
func (i Identity) or(older Identity) Identity {
	if i.Bridge == "" {
		i.Bridge = older.Bridge
	}
	if i.System == "" {
		i.System = older.System
	}
	if i.Stream == "" {
		i.Stream = older.Stream
	}
	if i.either == "" {
		i.either = older.either
	}
	if i.Bridge != "" || i.System == i.either {
		i.either = "" // the statement says which it is
	}
	return i
}

func (i Identity) clone() Identity {
	return Identity{
		Bridge: strings.Clone(i.Bridge), System: strings.Clone(i.System),
		Stream: strings.Clone(i.Stream), either: strings.Clone(i.either),
	}
}

// nameKey is one name of a bridge, within a stream.
type nameKey struct {
	name, stream string
	isSystem     bool
}

// keys returns the names of the identity, the bridge's own id first.
func (i Identity) keys() (keys [3]nameKey, n int) {
	if bridge := cmp.Or(i.Bridge, i.either); bridge != "" {
		keys[n] = nameKey{name: bridge, stream: i.Stream}
		n++
	}
	for _, system := range [...]string{i.System, i.either} {
		if system != "" {
			keys[n] = nameKey{name: system, stream: i.Stream, isSystem: true}
			n++
		}
	}
	return keys, n
}

// peers calls visit for each other session of the bridge that id names, until
// visit returns false. Sessions with the same bridge id come alone; if there are
// none, those with the same system of which one side has no bridge id. The
// caller holds l.mu.
func (l *Ledger) peers(self *Session, id Identity, visit func(*Session) bool) {
	found := false
	if bridge := cmp.Or(id.Bridge, id.either); bridge != "" {
		for _, s := range l.names[nameKey{name: bridge, stream: id.Stream}] {
			if s == self {
				continue
			}
			found = true
			if !visit(s) {
				return
			}
		}
	}
	system := cmp.Or(id.System, id.either)
	if found || system == "" {
		return
	}
	for _, s := range l.names[nameKey{name: system, stream: id.Stream, isSystem: true}] {
		if s == self || id.Bridge != "" && s.said.Bridge != "" {
			continue
		}
		if !visit(s) {
			return
		}
	}
}

// complete returns the identity for a request of the session: its own
// statement, else the session's, else the bridge id that all sessions of its
// system have sent. The caller holds l.mu.
func (l *Ledger) complete(s *Session, said Identity) Identity {
	id := said.or(s.said)
	if id.Bridge != "" || id.System == "" {
		return id
	}
	bridge, certain := "", true
	l.peers(s, id, func(o *Session) bool {
		certain = o.said.Bridge != "" && (bridge == "" || bridge == o.said.Bridge)
		bridge = o.said.Bridge
		return certain
	})
	if certain {
		id.Bridge = bridge
	}
	return id
}

// rename gives the session a new identity and keeps the index of names right.
// The name is as old as it is at the sessions that have it. The caller holds l.mu.
func (l *Ledger) rename(s *Session, id Identity, now int64) {
	if !s.said.Named() {
		s.since = now
	}
	l.unname(s)
	s.said = id.clone()
	l.peers(s, s.said, func(o *Session) bool {
		s.since = min(s.since, o.since)
		return true
	})
	keys, n := s.said.keys()
	for _, key := range keys[:n] {
		l.names[key] = append(l.names[key], s)
	}
	s.indexed = true
	*l.count(s)++
}

// count returns how many sessions are held of the kind of s.
func (l *Ledger) count(s *Session) *int {
	if s.said.Named() {
		return &l.named
	}
	return &l.unnamed
}

// unname takes the session out of the index of names. The caller holds l.mu.
func (l *Ledger) unname(s *Session) {
	if !s.indexed {
		return
	}
	s.indexed = false
	*l.count(s)--
	keys, n := s.said.keys()
	for _, key := range keys[:n] {
		rest := slices.DeleteFunc(l.names[key], func(o *Session) bool { return o == s })
		if len(rest) == 0 {
			delete(l.names, key)
			continue
		}
		l.names[key] = rest
	}
}
