// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Key stands for something that was sent.
type Key = [16]byte

// Entry is a key and until when it is known.
type Entry struct {
	Key   Key
	Until time.Time
}

// segmentSize is how many keys a segment holds: 6 KiB when stored.
const segmentSize = 256

// MinimumEntries is the least number of keys a set can be bounded to.
const MinimumEntries = 2 * segmentSize

// MaximumEntries is the largest number of keys that a start restores.
const MaximumEntries = (maxSegments - 1) * segmentSize

// stripes is how many locks there are for all keys. Keys that share one wait for
// each other, which does no harm.
const stripes = 256

// Set is the keys that are known. It is safe for concurrent use.
type Set struct {
	limit int
	locks [stripes]chan struct{}

	mu       sync.Mutex // guards everything below
	until    map[Key]int64
	segments []*segment // the oldest first; the last one is being filled
	count    int        // of entries in all segments
	next     uint64     // id of the next segment
	gone     []uint64   // segments whose state is still to be deleted
	headDue  bool       // the list of segments is not stored as it is
}

// segment is some keys in their order.
type segment struct {
	id      uint64
	entries []stored
	saved   int // how many entries are stored
	latest  int64
}

// stored is an entry with its time in Unix milliseconds.
type stored struct {
	key   Key
	until int64
}

// New returns an empty set of at most so many keys.
func New(entries int) *Set {
	s := &Set{limit: max(entries, MinimumEntries), until: make(map[Key]int64)}
	for i := range s.locks {
		s.locks[i] = make(chan struct{}, 1)
	}
	return s
}

// Lock takes keys for the caller alone until unlock is called. It waits for the
// present holders, and gives up with ctx.
func (s *Set) Lock(ctx context.Context, keys []Key) (unlock func(), err error) {
	var wanted [stripes]bool
	for _, key := range keys {
		wanted[key[0]] = true
	}
	// In their order, so that nobody waits for somebody who waits for them.
	var held []chan struct{}
	unlock = func() {
		for _, lock := range held {
			<-lock
		}
	}
	for i := range wanted {
		if !wanted[i] {
			continue
		}
		select {
		case s.locks[i] <- struct{}{}:
			held = append(held, s.locks[i])
		case <-ctx.Done():
			unlock()
			return nil, context.Cause(ctx)
		}
	}
	return unlock, nil
}

// Contains tells whether the key was accepted and its time is not over.
func (s *Set) Contains(key Key, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.until[key]
	return ok && now.UnixMilli() < until
}

// Len returns how many keys are held, those whose time is over included.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Accept notes keys as accepted. The caller holds their lock.
func (s *Set) Accept(entries []Entry, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		s.add(stored{entries[i].Key, entries[i].Until.UnixMilli()})
	}
	s.forget(now.UnixMilli())
}

func (s *Set) add(e stored) {
	current := s.current()
	current.entries = append(current.entries, e)
	current.latest = max(current.latest, e.until)
	s.until[e.key] = e.until
	s.count++
}

// current returns the segment to fill.
func (s *Set) current() *segment {
	if n := len(s.segments); n > 0 && len(s.segments[n-1].entries) < segmentSize {
		return s.segments[n-1]
	}
	fresh := &segment{id: s.next, entries: make([]stored, 0, segmentSize)}
	s.next++
	s.headDue = true
	s.segments = append(s.segments, fresh)
	return fresh
}

// forget drops the oldest segments that are over, or for which there is no room.
func (s *Set) forget(now int64) {
	drop := 0
	for drop < len(s.segments)-1 && (s.segments[drop].latest <= now || s.count > s.limit) {
		old := s.segments[drop]
		for _, e := range old.entries {
			// A key that was accepted again lives in a later segment.
			if s.until[e.key] == e.until {
				delete(s.until, e.key)
			}
		}
		s.count -= len(old.entries)
		s.gone = append(s.gone, old.id)
		s.headDue = true
		drop++
	}
	s.segments = slices.Delete(s.segments, 0, drop)
}
