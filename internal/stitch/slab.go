// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// slab stores values without pointers in numbered slots, from 1. It grows by chunks and moves
// no value.
type slab[T any] struct {
	chunks  [][]T
	highest uint32 // the largest number in use
	free    []uint32
}

// slabChunk is the number of values in a chunk: large enough that the garbage collector visits
// few chunks, small enough to allocate without a stall.
const slabChunk = 1 << 11

// allocate returns a number whose value is undefined.
func (s *slab[T]) allocate() uint32 {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	s.highest++
	if int(s.highest/slabChunk) == len(s.chunks) {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	return s.highest
}

func (s *slab[T]) at(slot uint32) *T { return &s.chunks[slot/slabChunk][slot%slabChunk] }

func (s *slab[T]) release(slot uint32) { s.free = append(s.free, slot) }

// used returns how many numbers are in use.
func (s *slab[T]) used() int { return int(s.highest) - len(s.free) }
