// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"strings"
)

// Identity names the Call Bridge of a session, as its requests state it.
type Identity struct {
	// Bridge is the id of the bridge (callBridge), "" if it sends none.
	Bridge string
	// System is the operator's name of the bridge (system_id), "" without one.
	System string
	// Numbering is one numbering of a sender that numbers its records for each receiver
	// separately; "" for a sender with one numbering.
	Numbering string

	// bridgeOrSystem is the name of a session that the first release stored. It may be
	// the id of the bridge or the operator's name: the session is found by both.
	bridgeOrSystem string
}

// Named reports whether the identity names a bridge.
func (i Identity) Named() bool { return i.Bridge != "" || i.System != "" || i.bridgeOrSystem != "" }

// completedBy returns i, the newer identity, with the missing names of an older one.
func (i Identity) completedBy(older Identity) Identity {
	if i.Bridge == "" {
		i.Bridge = older.Bridge
	}
	if i.System == "" {
		i.System = older.System
	}
	if i.Numbering == "" {
		i.Numbering = older.Numbering
	}
	if i.bridgeOrSystem == "" {
		i.bridgeOrSystem = older.bridgeOrSystem
	}
	if i.Bridge != "" || i.System == i.bridgeOrSystem {
		i.bridgeOrSystem = "" // the newer identity resolves the ambiguity
	}
	return i
}

func (i Identity) clone() Identity {
	return Identity{
		Bridge: strings.Clone(i.Bridge), System: strings.Clone(i.System),
		Numbering: strings.Clone(i.Numbering), bridgeOrSystem: strings.Clone(i.bridgeOrSystem),
	}
}

// nameKey is one name of a bridge, within a numbering.
type nameKey struct {
	name, numbering string
	isSystem        bool
}

// keys returns the names of the identity, the bridge's own id first.
func (i Identity) keys() (keys [3]nameKey, n int) {
	if bridge := cmp.Or(i.Bridge, i.bridgeOrSystem); bridge != "" {
		keys[n] = nameKey{name: bridge, numbering: i.Numbering}
		n++
	}
	for _, system := range [...]string{i.System, i.bridgeOrSystem} {
		if system != "" {
			keys[n] = nameKey{name: system, numbering: i.Numbering, isSystem: true}
			n++
		}
	}
	return keys, n
}

// visitPeers calls visit for each other session of the bridge that id names, until visit
// returns false: sessions with the same bridge id or, if there are none, sessions with the
// same system where one of both has no bridge id. The caller holds l.mu.
func (l *Ledger) visitPeers(self *Session, id Identity, visit func(*Session) bool) {
	found := false
	if bridge := cmp.Or(id.Bridge, id.bridgeOrSystem); bridge != "" {
		for _, s := range l.sessionsByName[nameKey{name: bridge, numbering: id.Numbering}] {
			if s == self {
				continue
			}
			found = true
			if !visit(s) {
				return
			}
		}
	}
	system := cmp.Or(id.System, id.bridgeOrSystem)
	if found || system == "" {
		return
	}
	for _, s := range l.sessionsByName[nameKey{name: system, numbering: id.Numbering, isSystem: true}] {
		if s == self || id.Bridge != "" && s.identity.Bridge != "" {
			continue
		}
		if !visit(s) {
			return
		}
	}
}

// completeIdentity returns the identity of a request: as it states, else as its session
// stated before, else with the bridge id that all sessions of its system have stated. The
// caller holds l.mu.
func (l *Ledger) completeIdentity(s *Session, stated Identity) Identity {
	id := stated.completedBy(s.identity)
	if id.Bridge != "" || id.System == "" {
		return id
	}
	bridge, certain := "", true
	l.visitPeers(s, id, func(o *Session) bool {
		certain = o.identity.Bridge != "" && (bridge == "" || bridge == o.identity.Bridge)
		bridge = o.identity.Bridge
		return certain
	})
	if certain {
		id.Bridge = bridge
	}
	return id
}

// setIdentity sets the identity of a session and updates sessionsByName. The session gets
// the earliest namedSince of the sessions with its name. The caller holds l.mu.
func (l *Ledger) setIdentity(s *Session, identity Identity, now int64) {
	if !s.identity.Named() {
		s.namedSince = now
	}
	l.removeFromNames(s)
	s.identity = identity.clone()
	l.visitPeers(s, s.identity, func(o *Session) bool {
		s.namedSince = min(s.namedSince, o.namedSince)
		return true
	})
	keys, n := s.identity.keys()
	for _, key := range keys[:n] {
		l.sessionsByName[key] = append(l.sessionsByName[key], s)
	}
	s.isIndexed = true
	*l.countOf(s)++
}

// countOf returns the counter of sessions like s: named or unnamed.
func (l *Ledger) countOf(s *Session) *int {
	if s.identity.Named() {
		return &l.namedCount
	}
	return &l.unnamedCount
}

// removeFromNames removes the session from sessionsByName. The caller holds l.mu.
func (l *Ledger) removeFromNames(s *Session) {
	if !s.isIndexed {
		return
	}
	s.isIndexed = false
	*l.countOf(s)--
	keys, n := s.identity.keys()
	for _, key := range keys[:n] {
		rest := slices.DeleteFunc(l.sessionsByName[key], func(o *Session) bool { return o == s })
		if len(rest) == 0 {
			delete(l.sessionsByName, key)
			continue
		}
		l.sessionsByName[key] = rest
	}
}
