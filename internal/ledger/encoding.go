// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// encodingVersion is the first byte of a stored session. Layout of version 1, numbers
// as unsigned varints:
//
//	1 | length, bridge | newest (0 or 1) | runs | first, length-1 | hole, length-1 | ...
//
// first is the first run's first index, length the number of indices in a run,
// and hole the number of indices between a run and the one before it, not 0.
const encodingVersion = 1

// ErrStored is what every error about stored state wraps.
var ErrStored = errors.New("stored ledger state cannot be read")

// Encode returns the session's state for storage. The caller holds the
// session's lock.
func (l *Ledger) Encode(s *Session) []byte {
	l.mu.Lock()
	newest := l.bridges[s.bridge] == s.id
	l.mu.Unlock()

	b := make([]byte, 0, 16+len(s.bridge)+4*len(s.accepted))
	b = append(b, encodingVersion)
	b = binary.AppendUvarint(b, uint64(len(s.bridge)))
	b = append(b, s.bridge...)
	if newest {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(s.accepted)))
	next := uint64(0)
	for _, r := range s.accepted {
		b = binary.AppendUvarint(b, r.First-next)
		b = binary.AppendUvarint(b, r.Last-r.First)
		next = r.Last + 1
	}
	return b
}

// Restore puts a stored session back, before the ledger is used. The order of
// the calls is the order in which the sessions count as used.
func (l *Ledger) Restore(id string, stored []byte) error {
	r := reader{rest: stored}
	if v := r.byte(); v != encodingVersion {
		return fmt.Errorf("%w: it has version %d, this release reads %d", ErrStored, v, encodingVersion)
	}
	bridge := r.text()
	newest := r.byte() == 1
	count := r.uvarint()
	if count > uint64(len(stored)) {
		return fmt.Errorf("%w: it is damaged", ErrStored)
	}
	const last = math.MaxUint64 - 1 // keeps the index behind it a number
	accepted := make(Ranges, 0, count)
	next := uint64(0)
	for i := range count {
		hole, length := r.uvarint(), r.uvarint() // length less one
		first := next + hole
		if hole == 0 && i > 0 || first < next || first > last || length > last-first {
			r.bad = true
			break
		}
		accepted = append(accepted, Range{First: first, Last: first + length})
		next = first + length + 1
	}
	if r.bad || len(r.rest) > 0 || count == 0 {
		return fmt.Errorf("%w: it is damaged", ErrStored)
	}
	s := l.session(id, bridge)
	s.accepted = accepted
	if newest && bridge != "" {
		l.bridges[s.bridge] = s.id
	}
	return nil
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
