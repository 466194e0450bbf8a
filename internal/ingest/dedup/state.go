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
//	segment  1 | key, expiry in Unix milliseconds (8 bytes, big endian) | ...
const stateVersion = 1

const entrySize = len(Key{}) + 8

// Every error about stored state wraps ErrUnreadable. The error about state of a newer release
// wraps ErrNewer too: the caller must not overwrite that state.
var (
	ErrUnreadable = errors.New("stored keys cannot be read")
	ErrNewer      = fmt.Errorf("%w: a newer release wrote them", ErrUnreadable)
)

// checkVersion returns an error if this release cannot read the version of a stored value.
func checkVersion(value []byte) error {
	switch {
	case len(value) == 0 || value[0] == 0:
		return fmt.Errorf("%w: they are damaged", ErrUnreadable)
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

	entryCount int
}

// Changes are the changes that have to be stored. The list of segments is stored first,
// because a restart finds only listed segments.
type Changes struct {
	// List of the segments, nil if it did not change.
	List []byte
	// Segments that changed.
	Segments []Segment
	// Deleted are the ids of the segments to delete.
	Deleted []uint64
}

// Empty reports that there are no changes.
func (s *Changes) Empty() bool { return s.List == nil && len(s.Segments) == 0 && len(s.Deleted) == 0 }

// HasChanges reports whether the set has changes that are not stored.
func (s *Set) HasChanges() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listChanged || len(s.segmentsToDelete) > 0 {
		return true
	}
	for _, segment := range s.segments {
		if segment.storedEntries < len(segment.entries) {
			return true
		}
	}
	return false
}

// Changes returns the changes that are not stored. The caller passes them to MarkStored
// before it calls Changes again.
func (s *Set) Changes() (out Changes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listChanged && len(s.segments) > 0 {
		out.List = append(out.List, stateVersion)
		out.List = binary.AppendUvarint(out.List, s.segments[0].id)
		out.List = binary.AppendUvarint(out.List, s.segments[len(s.segments)-1].id)
	}
	for _, segment := range s.segments {
		if segment.storedEntries < len(segment.entries) {
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

// MarkStored marks changes as stored. Keys that were accepted since that call of
// Changes are part of the next changes.
func (s *Set) MarkStored(changes *Changes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := make(map[uint64]int, len(changes.Segments))
	for i := range changes.Segments {
		stored[changes.Segments[i].ID] = changes.Segments[i].entryCount
	}
	for _, segment := range s.segments {
		segment.storedEntries = max(segment.storedEntries, stored[segment.id])
	}
	if changes.List != nil {
		first, last, err := ParseList(changes.List)
		s.listChanged = err != nil || len(s.segments) == 0 || s.segments[0].id != first || s.segments[len(s.segments)-1].id != last
	}
	s.segmentsToDelete = s.segmentsToDelete[len(changes.Deleted):]
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
		return 0, 0, fmt.Errorf("%w: the list is damaged", ErrUnreadable)
	}
	return first, last, nil
}

// maxSegments bounds how many segments a start reads for a damaged list.
const maxSegments = 1 << 13

// Restore restores a stored segment, nil for a missing one, before the first use of the
// set. The caller restores the oldest segment first. No key expires after maxExpiry,
// because the clock may have been set back since the keys were stored.
func (s *Set) Restore(id uint64, segmentState []byte, maxExpiry time.Time) error {
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
		return fmt.Errorf("%w: segment %d is damaged", ErrUnreadable, id)
	}
	restored := &segment{id: id, entries: make([]entry, 0, segmentSize)}
	s.segments = append(s.segments, restored)
	for ; len(entries) > 0; entries = entries[entrySize:] {
		expiresAt := int64(binary.BigEndian.Uint64(entries[len(Key{}):])) //nolint:gosec // the bits
		s.addEntry(entry{Key(entries), min(expiresAt, maxExpiry.UnixMilli())})
	}
	restored.storedEntries = len(restored.entries)
	return nil
}
