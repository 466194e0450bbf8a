// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// stateVersion is the first byte of each stored value.
//
//	list     1 | id of the first segment, id of the last one, as uvarints
//	segment  1 | key, until in Unix milliseconds (8 bytes, big endian) | ...
const stateVersion = 1

const entrySize = len(Key{}) + 8

// Every error about stored state wraps ErrStored. The error about state of a newer release
// wraps ErrNewer too: the caller must not overwrite that state.
var (
	ErrStored = errors.New("stored keys cannot be read")
	ErrNewer  = fmt.Errorf("%w: a newer release wrote them", ErrStored)
)

// checkVersion returns an error if this release cannot read the version of a stored value.
func checkVersion(value []byte) error {
	switch {
	case len(value) == 0 || value[0] == 0:
		return fmt.Errorf("%w: they are damaged", ErrStored)
	case value[0] > stateVersion:
		return fmt.Errorf("%w: they have version %d, this release reads %d", ErrNewer, value[0], stateVersion)
	default:
		return nil
	}
}

// Segment is a segment to store.
type Segment struct {
	ID    uint64
	Value []byte

	entries int
}

// Snapshot lists the changes to store. The list of segments is stored first, because a
// restart finds only listed segments.
type Snapshot struct {
	// List of the segments, nil if it did not change.
	List []byte
	// Segments that changed.
	Segments []Segment
	// Deleted are the ids of the segments to delete.
	Deleted []uint64
}

// Empty tells that the snapshot has no changes.
func (s *Snapshot) Empty() bool { return s.List == nil && len(s.Segments) == 0 && len(s.Deleted) == 0 }

// HasChanges tells whether the set has changes that are not stored.
func (s *Set) HasChanges() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listChanged || len(s.segmentsToDelete) > 0 {
		return true
	}
	for _, segment := range s.segments {
		if segment.savedEntries < len(segment.entries) {
			return true
		}
	}
	return false
}

// Snapshot returns the changes that are not stored. The caller passes it to MarkSaved
// before it calls Snapshot again.
func (s *Set) Snapshot() (out Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listChanged && len(s.segments) > 0 {
		out.List = append(out.List, stateVersion)
		out.List = binary.AppendUvarint(out.List, s.segments[0].id)
		out.List = binary.AppendUvarint(out.List, s.segments[len(s.segments)-1].id)
	}
	for _, segment := range s.segments {
		if segment.savedEntries < len(segment.entries) {
			out.Segments = append(out.Segments, Segment{segment.id, segment.encode(), len(segment.entries)})
		}
	}
	out.Deleted = append(out.Deleted, s.segmentsToDelete...)
	return out
}

func (g *segment) encode() []byte {
	b := make([]byte, 1, 1+len(g.entries)*entrySize)
	b[0] = stateVersion
	for i := range g.entries {
		b = append(b, g.entries[i].key[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(g.entries[i].expiresAt)) //nolint:gosec // the bits
	}
	return b
}

// MarkSaved marks a snapshot as stored. Keys that were accepted after the snapshot stay
// changes.
func (s *Set) MarkSaved(snapshot *Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := make(map[uint64]int, len(snapshot.Segments))
	for i := range snapshot.Segments {
		saved[snapshot.Segments[i].ID] = snapshot.Segments[i].entries
	}
	for _, segment := range s.segments {
		segment.savedEntries = max(segment.savedEntries, saved[segment.id])
	}
	if snapshot.List != nil {
		first, last, err := ParseList(snapshot.List)
		s.listChanged = err != nil || len(s.segments) == 0 || s.segments[0].id != first || s.segments[len(s.segments)-1].id != last
	}
	s.segmentsToDelete = s.segmentsToDelete[len(snapshot.Deleted):]
}

// ParseList returns the ids of the first and the last segment of a stored list.
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

// maxSegments bounds how many segments a start reads for a damaged list.
const maxSegments = 1 << 13

// Restore restores a stored segment, nil for a missing one, before the first use of the
// set. The caller restores the oldest segment first. Keys expire at latest at the latest,
// because the clock may have been set back since.
func (s *Set) Restore(id uint64, segmentState []byte, latest time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextSegmentID = max(s.nextSegmentID, id+1)
	if len(segmentState) == 0 {
		return nil
	}
	if err := checkVersion(segmentState); err != nil {
		s.segmentsToDelete = append(s.segmentsToDelete, id)
		return fmt.Errorf("segment %d: %w", id, err)
	}
	entries := segmentState[1:]
	if len(entries)%entrySize != 0 || len(entries) > segmentSize*entrySize {
		s.segmentsToDelete = append(s.segmentsToDelete, id)
		return fmt.Errorf("%w: segment %d is damaged", ErrStored, id)
	}
	restored := &segment{id: id, entries: make([]entry, 0, segmentSize)}
	s.segments = append(s.segments, restored)
	for ; len(entries) > 0; entries = entries[entrySize:] {
		until := int64(binary.BigEndian.Uint64(entries[len(Key{}):])) //nolint:gosec // the bits
		s.addEntry(entry{Key(entries), min(until, latest.UnixMilli())})
	}
	restored.savedEntries = len(restored.entries)
	return nil
}
