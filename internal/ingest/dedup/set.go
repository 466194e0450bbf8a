// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Key identifies an event.
type Key = [16]byte

// Entry is a key and its expiry.
type Entry struct {
	Key       Key
	ExpiresAt time.Time
}

// segmentSize is the number of keys of a full segment: 6 KiB when stored.
const segmentSize = 256

// MinEntries is the smallest limit of a set.
const MinEntries = 2 * segmentSize

// MaxEntries is the largest number of keys that a start restores.
const MaxEntries = (maxSegments - 1) * segmentSize

// lockCount is the number of locks for all keys. Keys that share a lock wait for each other
// without need, which is harmless.
const lockCount = 256

// Set is a set of known keys. It is safe for concurrent use.
type Set struct {
	maxEntries int
	locks      [lockCount]chan struct{}

	mu               sync.Mutex // guards everything below
	expiresAt        map[Key]int64
	segments         []*segment // the oldest first; the last one is being filled
	entryCount       int        // of entries in all segments
	nextSegmentID    uint64     // id of the next segment
	segmentsToDelete []uint64   // ids of dropped segments that are still stored
	listChanged      bool       // the stored list of segments is outdated
}

// segment is a run of keys in the order in which they were accepted.
type segment struct {
	id            uint64
	entries       []entry
	storedEntries int // number of entries that are stored
	latestExpiry  int64
}

// entry is an Entry with its expiry in Unix milliseconds.
type entry struct {
	key       Key
	expiresAt int64
}

// New returns an empty set of at most this many entries, and of MinEntries at least.
func New(entries int) *Set {
	s := &Set{maxEntries: max(entries, MinEntries), expiresAt: make(map[Key]int64)}
	for i := range s.locks {
		s.locks[i] = make(chan struct{}, 1)
	}
	return s
}

// Lock locks keys until the caller calls unlock. It waits for the current holders until ctx
// ends.
func (s *Set) Lock(ctx context.Context, keys []Key) (unlock func(), err error) {
	var isWanted [lockCount]bool
	for _, key := range keys {
		isWanted[key[0]] = true
	}
	// All callers lock in the same order, so that there is no deadlock.
	var locked []chan struct{}
	unlock = func() {
		for _, lock := range locked {
			<-lock
		}
	}
	for i := range isWanted {
		if !isWanted[i] {
			continue
		}
		select {
		case s.locks[i] <- struct{}{}:
			locked = append(locked, s.locks[i])
		case <-ctx.Done():
			unlock()
			return nil, context.Cause(ctx)
		}
	}
	return unlock, nil
}

// Contains reports whether the key was accepted and has not expired.
func (s *Set) Contains(key Key, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	expiry, ok := s.expiresAt[key]
	return ok && now.UnixMilli() < expiry
}

// Len returns the number of entries, expired ones included.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entryCount
}

// MarkAccepted marks keys as accepted. The caller holds their lock.
func (s *Set) MarkAccepted(entries []Entry, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		s.addEntry(entry{entries[i].Key, entries[i].ExpiresAt.UnixMilli()})
	}
	s.dropSegments(now.UnixMilli())
}

func (s *Set) addEntry(e entry) {
	current := s.segmentToFill()
	current.entries = append(current.entries, e)
	current.latestExpiry = max(current.latestExpiry, e.expiresAt)
	s.expiresAt[e.key] = e.expiresAt
	s.entryCount++
}

// segmentToFill returns the last segment, or a new one if that is full.
func (s *Set) segmentToFill() *segment {
	if n := len(s.segments); n > 0 && len(s.segments[n-1].entries) < segmentSize {
		return s.segments[n-1]
	}
	fresh := &segment{id: s.nextSegmentID, entries: make([]entry, 0, segmentSize)}
	s.nextSegmentID++
	s.listChanged = true
	s.segments = append(s.segments, fresh)
	return fresh
}

// dropSegments drops the oldest segments that expired or exceed the limit.
func (s *Set) dropSegments(now int64) {
	dropped := 0
	for dropped < len(s.segments)-1 && (s.segments[dropped].latestExpiry <= now || s.entryCount > s.maxEntries) {
		old := s.segments[dropped]
		for _, e := range old.entries {
			// A key that was accepted again is in a later segment too.
			if s.expiresAt[e.key] == e.expiresAt {
				delete(s.expiresAt, e.key)
			}
		}
		s.entryCount -= len(old.entries)
		s.segmentsToDelete = append(s.segmentsToDelete, old.id)
		s.listChanged = true
		dropped++
	}
	s.segments = slices.Delete(s.segments, 0, dropped)
}
