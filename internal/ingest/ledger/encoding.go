// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// encodingVersion is the first byte of a stored session. Layout of version 2, numbers
// as unsigned varints, a text as its length and its bytes, a time in Unix seconds, a tick
// as the value of the ledger's logical clock:
//
//	2 | flags | bridge | system | numbering | named since | last accepted at |
//	  start tick | last heard tick | accepted | accounted
//
// numbering is Identity.Numbering: the sender's numbering to which the indices belong. named
// since is when the ledger first had the bridge's name.
//
// accepted and accounted are sets of indices. accounted has the unreadable ones and the
// reported missing ones too:
//
//	number of ranges | first, length-1 | gap, length-1 | ...
//
// first is the first index of the first range, length the number of indices in a range,
// and gap the number of indices between a range and the one before it, not 0.
const encodingVersion = 2

// Flags of a stored session.
const (
	flagStartReported   = 1 << iota // the start of the session was reported
	flagSeveralRequests             // more than one request had records of it
	flagBridgeOrSystem              // bridge is from version 1, which did not distinguish a bridge's id from its system
)

// Every error about stored state wraps ErrUnreadable. The error about state of a newer release
// wraps ErrNewer too: the caller must not overwrite that state.
var (
	ErrUnreadable = errors.New("stored ledger state cannot be read")
	ErrNewer      = fmt.Errorf("%w: a newer release wrote it", ErrUnreadable)
)

var errDamaged = fmt.Errorf("%w: it is damaged", ErrUnreadable)

// Encode returns the session's state for storage. The caller holds the
// session's lock.
func (l *Ledger) Encode(s *Session) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	flags := byte(0)
	if s.startReported {
		flags |= flagStartReported
	}
	if s.requestCount > 1 {
		flags |= flagSeveralRequests
	}
	bridge := s.identity.Bridge
	if s.identity.bridgeOrSystem != "" {
		flags |= flagBridgeOrSystem
		bridge = s.identity.bridgeOrSystem
	}
	b := make([]byte, 0, 64+len(bridge)+len(s.identity.System)+4*len(s.accepted)+4*len(s.accounted))
	b = append(b, encodingVersion, flags)
	for _, text := range []string{bridge, s.identity.System, s.identity.Numbering} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	for _, n := range []uint64{uint64(max(s.namedSince, 0)), uint64(max(s.lastAcceptedAt, 0)), s.startTick, s.lastHeardTick} {
		b = binary.AppendUvarint(b, n)
	}
	return appendRanges(appendRanges(b, s.accepted), s.accounted)
}

func appendRanges(b []byte, ranges Ranges) []byte {
	b = binary.AppendUvarint(b, uint64(len(ranges)))
	next := uint64(0)
	for _, r := range ranges {
		b = binary.AppendUvarint(b, r.First-next)
		b = binary.AppendUvarint(b, r.Last-r.First)
		next = r.Last + 1
	}
	return b
}

// Restore restores a stored session, before the first use of the ledger. Version 1 does not
// store when a session began. Its sessions therefore count as older than all others, in the
// order in which they are restored. They are marked as changed, so that the caller stores them
// in the current version, with this order.
func (l *Ledger) Restore(id string, stored []byte) error {
	r := stateReader{unread: stored}
	restored := &Session{}
	switch v := r.byte(); v {
	case 1:
		l.restoreVersion1(restored, &r)
	case encodingVersion:
		restoreVersion2(restored, &r)
	case 0:
		return errDamaged
	default:
		return fmt.Errorf("%w: it has version %d, this release reads 1 to %d", ErrNewer, v, encodingVersion)
	}
	if r.isDamaged || len(r.unread) > 0 || len(restored.accounted) == 0 {
		return errDamaged
	}
	session, _ := l.getOrAddSession(id)
	restored.id, restored.lock, restored.maxRanges = session.id, session.lock, session.maxRanges
	identity := restored.identity
	restored.identity = Identity{}
	*session = *restored
	l.mu.Lock()
	defer l.mu.Unlock()
	namedSince := session.namedSince
	session.nextIndex, _ = session.NextIndex()
	l.setIdentity(session, identity, namedSince)
	l.tick = max(l.tick, session.startTick, session.lastHeardTick)
	return nil
}

func restoreVersion2(s *Session, r *stateReader) {
	flags := r.byte()
	s.startReported = flags&flagStartReported != 0
	s.requestCount = 1
	if flags&flagSeveralRequests != 0 {
		s.requestCount = 2
	}
	s.identity = Identity{Bridge: r.text(), System: r.text(), Numbering: r.text()}
	if flags&flagBridgeOrSystem != 0 {
		s.identity.Bridge, s.identity.bridgeOrSystem = "", s.identity.Bridge
		// In damaged bytes bridgeOrSystem may equal System. completedBy, here with nothing to
		// complete from, clears such a bridgeOrSystem.
		s.identity = s.identity.completedBy(Identity{})
	}
	s.namedSince, s.lastAcceptedAt = int64(r.int63()), int64(r.int63()) //nolint:gosec // number fits
	s.startTick, s.lastHeardTick = r.int63(), r.int63()
	s.accepted, s.accounted = r.rangeSet(), r.rangeSet()
	for _, interval := range s.accepted {
		s.accounted = s.accounted.AddRange(interval.First, interval.Last)
	}
	r.isDamaged = r.isDamaged || s.startTick == 0 || s.lastHeardTick < s.startTick
}

// stateReader reads stored bytes. After the first fault isDamaged is set and all methods
// return zeros.
type stateReader struct {
	unread    []byte
	isDamaged bool
}

func (r *stateReader) byte() byte {
	if len(r.unread) == 0 {
		r.isDamaged = true
		return 0
	}
	b := r.unread[0]
	r.unread = r.unread[1:]
	return b
}

func (r *stateReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.unread)
	if n <= 0 {
		r.isDamaged, r.unread = true, nil
		return 0
	}
	r.unread = r.unread[n:]
	return v
}

// int63 reads a time or a tick, which are not negative and fit an int64.
func (r *stateReader) int63() uint64 {
	v := r.uvarint()
	if v > math.MaxInt64 {
		r.isDamaged, r.unread = true, nil
		return 0
	}
	return v
}

func (r *stateReader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.unread)) {
		r.isDamaged, r.unread = true, nil
		return ""
	}
	s := string(r.unread[:n])
	r.unread = r.unread[n:]
	return s
}

func (r *stateReader) rangeSet() Ranges {
	count := r.uvarint()
	if count > uint64(len(r.unread)) {
		r.isDamaged = true
		return nil
	}
	const last = math.MaxUint64 - 1 // so that the next index does not overflow
	all := make(Ranges, 0, count)
	next := uint64(0)
	for i := range count {
		gap, following := r.uvarint(), r.uvarint() // following: indices after the first
		first := next + gap
		if gap == 0 && i > 0 || first < next || first > last || following > last-first {
			r.isDamaged = true
			return nil
		}
		all = append(all, Range{First: first, Last: first + following})
		next = first + following + 1
	}
	return all
}
