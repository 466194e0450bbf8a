// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"encoding/binary"
	"slices"
)

// arena holds blocks of bytes of any size without pointers between them. A block is a ring of
// cells, so any block can reuse the cells that another block freed; contiguous blocks would
// leave a third of the memory in unused sizes. The arena never returns memory.
//
//	cell   | 60 bytes of the block | number of the next cell, of the first one at the end |
type arena struct {
	chunks  [][]cell
	highest uint32 // the largest cell number in use; 0 is no cell
	free    block  // first of the chain of free cells; 0 ends it
	cells   int    // in use
}

// block is the number of a block's last cell, so that appending needs no walk; 0 is an empty
// block. The owner of a block knows its size.
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

// bytes returns the size of all blocks.
func (a *arena) bytes() int { return a.cells * cellSize }

// cellsOf returns how many cells a block of size bytes has.
func cellsOf(size int) int { return (size + cellRoom - 1) / cellRoom }

// grow adds a cell at the end of a block, and returns the block.
func (a *arena) grow(last block) block {
	a.cells++
	number := a.free
	if number != 0 {
		a.free = a.at(number).next()
	} else {
		a.highest++
		if int(a.highest/arenaChunk) == len(a.chunks) {
			a.chunks = append(a.chunks, make([]cell, arenaChunk))
		}
		number = a.highest
	}
	first := number
	if last != 0 {
		first = a.at(last).next()
		a.at(last).setNext(number)
	}
	a.at(number).setNext(first)
	return number
}

// release frees a block of size bytes.
func (a *arena) release(last block, size uint32) {
	if last == 0 {
		return
	}
	a.cells -= cellsOf(int(size))
	first := a.at(last).next()
	a.at(last).setNext(a.free)
	a.free = first
}

// replace stores content in the place of a block of size bytes, and returns the
// block.
func (a *arena) replace(last block, size uint32, content []byte) block {
	if len(content) == 0 {
		a.release(last, size)
		return 0
	}
	have, need := cellsOf(int(size)), cellsOf(len(content))
	for ; have < need; have++ {
		last = a.grow(last)
	}
	first := a.at(last).next()
	end := first
	for number := first; len(content) > 0; number = a.at(number).next() {
		content = content[copy(a.at(number)[:cellRoom], content):]
		end = number
	}
	if end != last { // release the cells behind the end
		rest := a.at(end).next()
		a.at(last).setNext(a.free)
		a.free = rest
		a.cells -= have - need
		a.at(end).setNext(first)
	}
	return end
}

// extend appends content to a block of size bytes, and returns the block.
func (a *arena) extend(last block, size uint32, content []byte) block {
	if room := cellsOf(int(size))*cellRoom - int(size); room > 0 {
		n := copy(a.at(last)[cellRoom-room:cellRoom], content)
		content = content[n:]
	}
	for len(content) > 0 {
		last = a.grow(last)
		content = content[copy(a.at(last)[:cellRoom], content):]
	}
	return last
}

// appendTo appends a block of size bytes.
func (a *arena) appendTo(b []byte, last block, size uint32) []byte {
	if last == 0 {
		return b
	}
	b = slices.Grow(b, int(size))
	for number := a.at(last).next(); size > 0; {
		c := a.at(number)
		n := min(size, cellRoom)
		b = append(b, c[:n]...)
		size -= n
		number = c.next()
	}
	return b
}
