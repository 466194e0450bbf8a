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
// as unsigned varints, a text as its length and its bytes, a time in Unix seconds:
//
//	2 | flags | bridge | system | stream | since | heard at |
//	  begun | heard | accepted | accounted
//
// accepted and accounted are sets of indices:
//
//	runs | first, length-1 | hole, length-1 | ...
//
// first is the first run's first index, length the number of indices in a run,
// and hole the number of indices between a run and the one before it, not 0.
const encodingVersion = 2

// Flags of a stored session.
const (
	flagAnnounced  = 1 << iota // its start was reported
	flagHeardAgain             // more than one request had records of it
	flagEither                 // bridge is a name of unknown kind, see Identity
)

// ErrStored is what every error about stored state wraps, and ErrNewer what the
// error about state of a newer release wraps: it must not be written over.
var (
	ErrStored = errors.New("stored ledger state cannot be read")
	ErrNewer  = fmt.Errorf("%w: a newer release wrote it", ErrStored)
)

var errDamaged = fmt.Errorf("%w: it is damaged", ErrStored)

// Encode returns the session's state for storage. The caller holds the
// session's lock.
func (l *Ledger) Encode(s *Session) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	flags := byte(0)
	if s.announced {
		flags |= flagAnnounced
	}
	if s.posts > 1 {
		flags |= flagHeardAgain
	}
	bridge := s.said.Bridge
	if s.said.either != "" {
		flags |= flagEither
		bridge = s.said.either
	}
	b := make([]byte, 0, 64+len(bridge)+len(s.said.System)+4*len(s.accepted)+4*len(s.accounted))
	b = append(b, encodingVersion, flags)
	for _, text := range []string{bridge, s.said.System, s.said.Stream} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	for _, n := range []uint64{uint64(max(s.since, 0)), uint64(max(s.heardAt, 0)), s.begun, s.heard} {
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

// Restore puts a stored session back, before the ledger is used. A session of
// version 1 is stored without an order: it is older than all of later versions, in
// the order of the calls. It is unsaved, so that the caller stores it in the present
// version and its order is the same at the next start.
func (l *Ledger) Restore(id string, stored []byte) error {
	r := reader{rest: stored}
	s := &Session{}
	switch v := r.byte(); v {
	case 1:
		l.restoreVersion1(s, &r)
	case encodingVersion:
		restoreVersion2(s, &r)
	case 0:
		return errDamaged
	default:
		return fmt.Errorf("%w: it has version %d, this release reads 1 to %d", ErrNewer, v, encodingVersion)
	}
	if r.bad || len(r.rest) > 0 || len(s.accounted) == 0 {
		return errDamaged
	}
	held, _ := l.session(id)
	s.id, s.lock, s.maxRanges = held.id, held.lock, held.maxRanges
	said := s.said
	s.said = Identity{}
	*held = *s
	l.mu.Lock()
	defer l.mu.Unlock()
	since := held.since
	held.next, _ = held.Position()
	l.rename(held, said, since)
	l.ticks = max(l.ticks, held.begun, held.heard)
	return nil
}

func restoreVersion2(s *Session, r *reader) {
	flags := r.byte()
	s.announced = flags&flagAnnounced != 0
	s.posts = 1
	if flags&flagHeardAgain != 0 {
		s.posts = 2
	}
	s.said = Identity{Bridge: r.text(), System: r.text(), Stream: r.text()}
	if flags&flagEither != 0 {
		s.said.Bridge, s.said.either = "", s.said.Bridge
		s.said = s.said.or(Identity{}) // damaged bytes may have it twice
	}
	s.since, s.heardAt = int64(r.number()), int64(r.number()) //nolint:gosec // number fits
	s.begun, s.heard = r.number(), r.number()
	s.accepted, s.accounted = r.ranges(), r.ranges()
	for _, run := range s.accepted {
		s.accounted = s.accounted.AddRange(run.First, run.Last)
	}
	r.bad = r.bad || s.begun == 0 || s.heard < s.begun
}

// reader takes a stored session apart. After the first fault it is bad and
// returns zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// number reads a time or a tick, which fit an int64.
func (r *reader) number() uint64 {
	v := r.uvarint()
	if v > math.MaxInt64 {
		r.bad, r.rest = true, nil
		return 0
	}
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *reader) ranges() Ranges {
	count := r.uvarint()
	if count > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	const last = math.MaxUint64 - 1 // keeps the index behind it a number
	all := make(Ranges, 0, count)
	next := uint64(0)
	for i := range count {
		hole, length := r.uvarint(), r.uvarint() // length less one
		first := next + hole
		if hole == 0 && i > 0 || first < next || first > last || length > last-first {
			r.bad = true
			return nil
		}
		all = append(all, Range{First: first, Last: first + length})
		next = first + length + 1
	}
	return all
}
