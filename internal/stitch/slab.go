// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// slab holds values of a type without pointers under small numbers, from 1. It
// grows by chunks: nothing is ever moved.
type slab[T any] struct {
	chunks  [][]T
	highest uint32 // the largest number ever given
	free    []uint32
}

// slabChunk is how many values a chunk has: few chunks, because the garbage
// collector visits each, and small enough to be made without a stall.
const slabChunk = 1 << 11

// take returns a number whose value may be anything.
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

// used is how many numbers are in use.
func (s *slab[T]) used() int { return int(s.highest) - len(s.free) }
