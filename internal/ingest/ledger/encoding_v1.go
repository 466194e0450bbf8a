// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import "strings"

// restoreVersion1 reads the rest of a session that an older release stored:
//
//	1 | bridge | newest (0 or 1) | accepted
//
// That release reported every hole between accepted indices. It did not tell a
// bridge's id from an operator's name, and appended the stream to either.
func (l *Ledger) restoreVersion1(s *Session, r *reader) {
	bridge := r.text()
	r.byte() // the order of the sessions says which is the newest
	s.accepted = r.ranges()
	if last, ok := s.accepted.Last(); ok {
		s.accounted = Ranges{{First: s.accepted[0].First, Last: last}}
	}
	// Every session of version 2 began after as many ticks at least as there were
	// sessions of version 1 when it began, and there are no more of those since.
	l.version1++
	s.begun, s.heard = l.version1, l.version1
	s.since = l.now().Unix()
	s.heardAt = s.since
	s.posts, s.announced, s.unsaved = 2, true, true
	s.said = identityOfVersion1(bridge)
}

// identityOfVersion1 takes a name for the operator's, unless it is a GUID: an id of
// a bridge is one, and an operator may use one as a name.
func identityOfVersion1(bridge string) (id Identity) {
	const streamLength = len("/0123456789abcdef")
	if at := len(bridge) - streamLength; at > 0 && bridge[at] == '/' && isHex(bridge[at+1:]) {
		bridge, id.Stream = bridge[:at], bridge[at:]
	}
	if isGUID(bridge) {
		id.either = bridge
	} else {
		id.System = bridge
	}
	return id
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// isGUID tells whether s has the form 8-4-4-4-12.
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
