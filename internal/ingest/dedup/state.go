// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// stateVersion is the first byte of all that is stored.
//
//	list     1 | id of the first segment, id of the last one, as uvarints
//	segment  1 | key, until in Unix milliseconds (8 bytes, big endian) | ...
const stateVersion = 1

const entrySize = len(Key{}) + 8

// ErrStored is what every error about stored state wraps, and ErrNewer what the
// error about state of a newer release wraps: it must not be written over.
var (
	ErrStored = errors.New("stored keys cannot be read")
	ErrNewer  = fmt.Errorf("%w: a newer release wrote them", ErrStored)
)

// checkVersion returns an error if stored state has not the version that is read.
func checkVersion(stored []byte) error {
	switch {
	case len(stored) == 0 || stored[0] == 0:
		return fmt.Errorf("%w: they are damaged", ErrStored)
	case stored[0] > stateVersion:
		return fmt.Errorf("%w: they have version %d, this release reads %d", ErrNewer, stored[0], stateVersion)
	default:
		return nil
	}
}

// Segment is a piece of state to be stored.
type Segment struct {
	ID     uint64
	Stored []byte

	entries int
}

// Snapshot is what is to be stored: the list first, so that no segment is
// stored that nobody would find.
type Snapshot struct {
	// List is nil if it has not changed.
	List []byte
	// Segments that changed.
	Segments []Segment
	// Gone are the segments to delete.
	Gone []uint64
}

// Empty tells that there is nothing to store.
func (s *Snapshot) Empty() bool { return s.List == nil && len(s.Segments) == 0 && len(s.Gone) == 0 }

// Unsaved tells whether there is something that is not stored.
func (s *Set) Unsaved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.headDue || len(s.gone) > 0 {
		return true
	}
	for _, segment := range s.segments {
		if segment.saved < len(segment.entries) {
			return true
		}
	}
	return false
}

// Snapshot returns what changed since the last one that was saved. One is taken
// at a time.
func (s *Set) Snapshot() (out Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.headDue && len(s.segments) > 0 {
		out.List = append(out.List, stateVersion)
		out.List = binary.AppendUvarint(out.List, s.segments[0].id)
		out.List = binary.AppendUvarint(out.List, s.segments[len(s.segments)-1].id)
	}
	for _, segment := range s.segments {
		if segment.saved < len(segment.entries) {
			out.Segments = append(out.Segments, Segment{segment.id, segment.encode(), len(segment.entries)})
		}
	}
	out.Gone = append(out.Gone, s.gone...)
	return out
}

func (g *segment) encode() []byte {
	b := make([]byte, 1, 1+len(g.entries)*entrySize)
	b[0] = stateVersion
	for i := range g.entries {
		b = append(b, g.entries[i].key[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(g.entries[i].until)) //nolint:gosec // the bits
	}
	return b
}

// Saved notes that a snapshot is stored. What was accepted since then is not.
func (s *Set) Saved(snapshot *Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := make(map[uint64]int, len(snapshot.Segments))
	for i := range snapshot.Segments {
		saved[snapshot.Segments[i].ID] = snapshot.Segments[i].entries
	}
	for _, segment := range s.segments {
		segment.saved = max(segment.saved, saved[segment.id])
	}
	if snapshot.List != nil {
		first, last, err := ParseList(snapshot.List)
		s.headDue = err != nil || len(s.segments) == 0 || s.segments[0].id != first || s.segments[len(s.segments)-1].id != last
	}
	s.gone = s.gone[len(snapshot.Gone):]
}

// ParseList returns the ids of the first and the last segment that are stored.
func ParseList(list []byte) (first, last uint64, err error) {
	if err := checkVersion(list); err != nil {
		return 0, 0, err
	}
	rest := list[1:]
	first, n := binary.Uvarint(rest)
	last, m := binary.Uvarint(rest[max(n, 0):])
	if n <= 0 || m <= 0 || first > last || last-first > maxSegments {
		return 0, 0, fmt.Errorf("%w: the list is damaged", ErrStored)
	}
	return first, last, nil
}

// maxSegments bounds what a damaged list can make a start look for.
const maxSegments = 1 << 13

// Restore puts back a stored segment, nil for one that is missing, before the
// set is used; the oldest first. No key is known for longer than until latest:
// the clock may have been set back since.
func (s *Set) Restore(id uint64, segmentState []byte, latest time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = max(s.next, id+1)
	if len(segmentState) == 0 {
		return nil
	}
	if err := checkVersion(segmentState); err != nil {
		s.gone = append(s.gone, id)
		return fmt.Errorf("segment %d: %w", id, err)
	}
	entries := segmentState[1:]
	if len(entries)%entrySize != 0 || len(entries) > segmentSize*entrySize {
		s.gone = append(s.gone, id)
		return fmt.Errorf("%w: segment %d is damaged", ErrStored, id)
	}
	restored := &segment{id: id, entries: make([]stored, 0, segmentSize)}
	s.segments = append(s.segments, restored)
	for ; len(entries) > 0; entries = entries[entrySize:] {
		until := int64(binary.BigEndian.Uint64(entries[len(Key{}):])) //nolint:gosec // the bits
		s.add(stored{Key(entries), min(until, latest.UnixMilli())})
	}
	restored.saved = len(restored.entries)
	return nil
}
