// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "encoding/binary"

// arena holds blocks of bytes of any size without a pointer between them. A
// block is a chain of cells, so that what one object frees serves any other:
// blocks of one piece would leave a third of the memory in sizes that nobody
// needs any more. The memory itself is kept, so an arena is as large as it once
// had to be.
//
//	cell   | 60 bytes of the block | number of the next cell, 0 at the end |
type arena struct {
	chunks [][]cell
	made   uint32 // the largest number ever given; 0 is no cell
	free   block  // chain of those that are free
	cells  int    // in use
}

// block is the number of a block's first cell; 0 is an empty block.
type block = uint32

const (
	cellSize   = 64 // a cache line
	cellRoom   = cellSize - 4
	arenaChunk = 1 << 12 // 256 KiB

	// maxBlock is the largest block, in bytes.
	maxBlock = 64 << 10
)

type cell [cellSize]byte

func (c *cell) next() block        { return binary.NativeEndian.Uint32(c[cellRoom:]) }
func (c *cell) setNext(next block) { binary.NativeEndian.PutUint32(c[cellRoom:], next) }

func (a *arena) at(number block) *cell { return &a.chunks[number/arenaChunk][number%arenaChunk] }

// bytes is the size of all blocks.
func (a *arena) bytes() int { return a.cells * cellSize }

// take returns a cell that is in no chain.
func (a *arena) take() block {
	a.cells++
	if number := a.free; number != 0 {
		c := a.at(number)
		a.free = c.next()
		c.setNext(0)
		return number
	}
	a.made++
	if int(a.made/arenaChunk) == len(a.chunks) {
		a.chunks = append(a.chunks, make([]cell, arenaChunk))
	}
	return a.made
}

// release frees a block.
func (a *arena) release(first block) {
	if first == 0 {
		return
	}
	last := first
	for a.cells--; a.at(last).next() != 0; a.cells-- {
		last = a.at(last).next()
	}
	a.at(last).setNext(a.free)
	a.free = first
}

// replace stores content in the place of a block, and returns the block.
func (a *arena) replace(first block, content []byte) block {
	if len(content) == 0 {
		a.release(first)
		return 0
	}
	if first == 0 {
		first = a.take()
	}
	for number := first; ; {
		c := a.at(number)
		content = content[copy(c[:cellRoom], content):]
		next := c.next()
		if len(content) == 0 {
			c.setNext(0)
			a.release(next)
			return first
		}
		if next == 0 {
			next = a.take()
			c.setNext(next)
		}
		number = next
	}
}

// appendTo appends a block of size bytes.
func (a *arena) appendTo(b []byte, first block, size uint32) []byte {
	for number := first; size > 0; {
		c := a.at(number)
		n := min(size, cellRoom)
		b = append(b, c[:n]...)
		size -= n
		number = c.next()
	}
	return b
}
