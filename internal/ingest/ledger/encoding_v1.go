// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import "strings"

// restoreVersion1 reads the rest of a session that an older release stored:
//
//	1 | bridge | newest (0 or 1) | accepted
//
// That release reported every gap between accepted indices. It did not distinguish the id
// of a bridge from an operator's name, and appended the stream to both.
func (l *Ledger) restoreVersion1(s *Session, r *stateReader) {
	bridge := r.text()
	r.byte() // the order of the sessions says which is the newest
	s.accepted = r.rangeSet()
	if last, ok := s.accepted.Last(); ok {
		s.accounted = Ranges{{First: s.accepted[0].First, Last: last}}
	}
	// The restored sessions of version 1 get the first ticks. A session of version 2
	// began at a later tick, because each of them had needed one.
	l.version1Count++
	s.startTick, s.lastHeardTick = l.version1Count, l.version1Count
	s.namedSince = l.now().Unix()
	s.lastAcceptedAt = s.namedSince
	s.requestCount, s.startReported, s.changed = 2, true, true
	s.identity = identityOfVersion1(bridge)
}

// identityOfVersion1 returns an identity for a stored name. A name that is no GUID is the
// operator's; a GUID can be the id of a bridge or an operator's name.
func identityOfVersion1(bridge string) (id Identity) {
	const streamLength = len("/0123456789abcdef")
	if at := len(bridge) - streamLength; at > 0 && bridge[at] == '/' && isHex(bridge[at+1:]) {
		bridge, id.Numbering = bridge[:at], bridge[at:]
	}
	if isGUID(bridge) {
		id.bridgeOrSystem = bridge
	} else {
		id.System = bridge
	}
	return id
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// isGUID reports whether s has the form 8-4-4-4-12.
func isGUID(s string) bool {
	const length = 36
	if len(s) != length {
		return false
	}
	for i, part := range strings.Split(s, "-") {
		if i > 4 || len(part) != [...]int{8, 4, 4, 4, 12}[i] || !isHex(part) {
			return false
		}
	}
	return true
}
