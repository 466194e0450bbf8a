// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func key(n int) (k Key) {
	binary.LittleEndian.PutUint64(k[:], uint64(n))
	return k
}

// disk is what a receiver stores of a set.
type disk struct {
	list     []byte
	segments map[uint64][]byte
}

func (d *disk) save(s *Set) (written int) {
	snapshot := s.Changes()
	if snapshot.List != nil {
		d.list = snapshot.List
	}
	for _, segment := range snapshot.Segments {
		d.segments[segment.ID] = segment.Value
		written += len(segment.Value)
	}
	for _, id := range snapshot.Deleted {
		delete(d.segments, id)
	}
	s.MarkStored(&snapshot)
	return written
}

func (d *disk) restore(t *testing.T, limit int, latest time.Time) *Set {
	t.Helper()
	s := New(limit)
	if d.list == nil {
		return s
	}
	first, last, err := ParseList(d.list)
	require.NoError(t, err)
	for id := first; id <= last; id++ {
		require.NoError(t, s.Restore(id, d.segments[id], latest))
	}
	return s
}

func TestTimeAndRoom(t *testing.T) {
	s := New(0)
	s.MarkAccepted([]Entry{{key(1), noon.Add(time.Hour)}, {key(2), noon.Add(time.Second)}}, noon)
	assert.True(t, s.Contains(key(1), noon))
	assert.True(t, s.Contains(key(2), noon))
	assert.False(t, s.Contains(key(3), noon))
	assert.False(t, s.Contains(key(2), noon.Add(time.Second)), "its time is over")
	s.MarkAccepted([]Entry{{key(2), noon.Add(2 * time.Second)}}, noon.Add(time.Second))
	assert.True(t, s.Contains(key(2), noon.Add(time.Second)), "accepted again")
	for n := range 3 * MinEntries {
		s.MarkAccepted([]Entry{{key(1000 + n), noon.Add(time.Hour)}}, noon)
		assert.LessOrEqual(t, s.Len(), MinEntries)
	}
	assert.False(t, s.Contains(key(1), noon), "the oldest go")
	assert.True(t, s.Contains(key(1000+3*MinEntries-MinEntries/2), noon))
	s.MarkAccepted([]Entry{{key(5), noon.Add(2 * time.Hour)}}, noon.Add(time.Hour))
	assert.LessOrEqual(t, s.Len(), segmentSize, "what is over makes room")
}

// TestModel plays random accepts, saves and restarts against a map.
func TestModel(t *testing.T) {
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, 0))
		d := disk{segments: make(map[uint64][]byte)}
		s := New(1 << 20)
		until := make(map[Key]time.Time)
		now := noon
		for range 2000 {
			now = now.Add(time.Duration(dice.IntN(3000)) * time.Millisecond)
			k := key(dice.IntN(300))
			require.Equal(t, now.Before(until[k]), s.Contains(k, now), "seed %d", seed)
			if !s.Contains(k, now) {
				end := now.Add(time.Duration(1+dice.IntN(600)) * time.Second)
				until[k] = end
				s.MarkAccepted([]Entry{{k, end}}, now)
				require.True(t, s.HasChanges())
				require.LessOrEqual(t, d.save(s), 2*(1+segmentSize*entrySize), "a save is small")
				require.False(t, s.HasChanges())
			}
			if dice.IntN(100) == 0 {
				s = d.restore(t, 1<<20, now.Add(time.Hour))
				require.False(t, s.HasChanges())
			}
		}
		assert.LessOrEqual(t, len(d.segments), 1+s.Len()/segmentSize+1, "what is over is deleted")
	}
}

// What was accepted after a snapshot is not taken for saved with it.
func TestAcceptDuringSave(t *testing.T) {
	s := New(0)
	s.MarkAccepted([]Entry{{key(1), noon.Add(time.Hour)}}, noon)
	snapshot := s.Changes()
	for n := range segmentSize {
		s.MarkAccepted([]Entry{{key(2 + n), noon.Add(time.Hour)}}, noon)
	}
	s.MarkStored(&snapshot)
	assert.True(t, s.HasChanges())
	rest := s.Changes()
	assert.NotNil(t, rest.List, "there is a second segment since")
	assert.Len(t, rest.Segments, 2)
	s.MarkStored(&rest)
	last := s.Changes()
	assert.True(t, last.Empty())
}

func TestDamagedState(t *testing.T) {
	for _, list := range [][]byte{nil, {}, {9, 0, 0}, {1}, {1, 0}, {1, 5, 2}, {1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f}} {
		_, _, err := ParseList(list)
		assert.ErrorIs(t, err, ErrUnreadable, "%v", list)
	}
	s := New(0)
	for _, segment := range [][]byte{{9}, {1, 2, 3}, make([]byte, 1+(segmentSize+1)*entrySize)} {
		assert.ErrorIs(t, s.Restore(7, segment, noon), ErrUnreadable)
	}
	require.NoError(t, s.Restore(8, nil, noon))
	s.MarkAccepted([]Entry{{key(1), noon}}, noon)
	snapshot := s.Changes()
	assert.EqualValues(t, 9, snapshot.Segments[0].ID, "no id is used again")
	assert.Contains(t, snapshot.Deleted, uint64(7))
}

// A clock that was set back does not make a key known for years.
func TestClockSetBack(t *testing.T) {
	d := disk{segments: make(map[uint64][]byte)}
	s := New(0)
	s.MarkAccepted([]Entry{{key(1), noon.AddDate(10, 0, 0)}}, noon)
	d.save(s)
	s = d.restore(t, 0, noon.Add(time.Hour))
	assert.True(t, s.Contains(key(1), noon))
	assert.False(t, s.Contains(key(1), noon.Add(time.Hour)))
}

// Of many that have the same key at the same moment one is first.
func TestOneIsFirst(t *testing.T) {
	s := New(0)
	var first, done sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	first.Add(1)
	for i := range 50 {
		done.Go(func() {
			keys := []Key{key(1), key(2 + i%3)}
			if i%2 == 0 {
				keys[0], keys[1] = keys[1], keys[0]
			}
			first.Wait()
			unlock, err := s.Lock(t.Context(), keys)
			if !assert.NoError(t, err) {
				return
			}
			defer unlock()
			if !s.Contains(key(1), noon) {
				mu.Lock()
				accepted++
				mu.Unlock()
				s.MarkAccepted([]Entry{{key(1), noon.Add(time.Hour)}}, noon)
			}
		})
	}
	first.Done()
	done.Wait()
	assert.Equal(t, 1, accepted)
}

func TestLockGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(0)
		unlock, err := s.Lock(t.Context(), []Key{key(7)})
		require.NoError(t, err)
		reason := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, reason)
		defer cancel()
		_, err = s.Lock(ctx, []Key{key(1), key(7)})
		require.ErrorIs(t, err, reason)
		unlock()
		unlock, err = s.Lock(t.Context(), []Key{key(1), key(7)})
		require.NoError(t, err, "nothing is held after giving up")
		unlock()
	})
}

func BenchmarkAcceptAndSave(b *testing.B) {
	s := New(1 << 16)
	n := 0
	for b.Loop() {
		n++
		s.MarkAccepted([]Entry{{key(n), noon.Add(time.Hour)}}, noon)
		snapshot := s.Changes()
		s.MarkStored(&snapshot)
	}
}
