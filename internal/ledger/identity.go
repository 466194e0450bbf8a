// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
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
}

// Named tells whether the identity names a bridge.
func (i Identity) Named() bool { return i.Bridge != "" || i.System != "" }

// or completes i, the newer statement, with an older one.
func (i Identity) or(older Identity) Identity {
	if i.Bridge == "" {
		i.Bridge = older.Bridge
	}
	if i.System == "" {
		i.System = older.System
	}
	return i
}

func (i Identity) clone() Identity {
	return Identity{Bridge: strings.Clone(i.Bridge), System: strings.Clone(i.System), Stream: strings.Clone(i.Stream)}
}

// nameKey is one name of a bridge, within a stream.
type nameKey struct {
	name, stream string
	isSystem     bool
}

// keys returns the names of the identity, the bridge's own id first.
func (i Identity) keys() (keys [2]nameKey, n int) {
	if i.Bridge != "" {
		keys[n] = nameKey{name: i.Bridge, stream: i.Stream}
		n++
	}
	if i.System != "" {
		keys[n] = nameKey{name: i.System, stream: i.Stream, isSystem: true}
		n++
	}
	return keys, n
}

// peers calls visit for each other session of the bridge that id names, until
// visit returns false. Sessions with the same bridge id come alone; if there are
// none, those with the same system of which one side has no bridge id. The
// caller holds l.mu.
func (l *Ledger) peers(self *Session, id Identity, visit func(*Session) bool) {
	found := false
	if id.Bridge != "" {
		for _, s := range l.names[nameKey{name: id.Bridge, stream: id.Stream}] {
			if s == self {
				continue
			}
			found = true
			if !visit(s) {
				return
			}
		}
	}
	if found || id.System == "" {
		return
	}
	for _, s := range l.names[nameKey{name: id.System, stream: id.Stream, isSystem: true}] {
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
