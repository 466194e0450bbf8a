// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "encoding/binary"

// arena holds blocks of bytes of any size without a pointer between them. Freed
// blocks are used again for blocks of their class; the memory itself is kept,
// so an arena is as large as it once had to be.
//
//	chunk   |-|block.......|block...|(free: next)...|            |
//	         ^ unit 0 of the first chunk is no block
type arena struct {
	chunks [][]byte
	next   uint32 // first unit that was never used
	free   [classes]uint32
	bytes  int // in blocks that are in use
}

// block is the place of a block, in units; 0 is none.
type block = uint32

const (
	unit       = 16
	chunkUnits = 1 << 14 // 256 KiB
	// maxBlock is the largest block, in bytes.
	maxBlock = 64 << 10

	smallClasses = 32 // one for each unit, to 512 bytes
	classes      = smallClasses + 4*7
)

// classSizes are in units: by one to 512 bytes, then four to each doubling.
var classSizes = func() (sizes [classes]uint32) {
	for i := range uint32(smallClasses) {
		sizes[i] = i + 1
	}
	size := uint32(smallClasses)
	for i := smallClasses; i < classes; i += 4 {
		for quarter := range uint32(4) {
			sizes[i+int(quarter)] = size + size/4*(quarter+1)
		}
		size *= 2
	}
	return sizes
}()

// classOf returns the smallest class for n bytes, at most maxBlock.
func classOf(n int) int {
	units := uint32((n + unit - 1) / unit) //nolint:gosec // at most maxBlock
	if units <= smallClasses {
		return int(max(units, 1)) - 1
	}
	for class := smallClasses; ; class++ {
		if classSizes[class] >= units {
			return class
		}
	}
}

// put stores a copy of content.
func (a *arena) put(content []byte) block {
	class := classOf(len(content))
	size := classSizes[class]
	a.bytes += int(size) * unit
	at := a.free[class]
	if at != 0 {
		a.free[class] = binary.NativeEndian.Uint32(a.at(at))
	} else {
		at = a.grow(size)
	}
	copy(a.at(at), content)
	return at
}

// grow takes size units that were never used. A block does not cross the end of
// a chunk; what is left of one is given up.
func (a *arena) grow(size uint32) block {
	const mask = chunkUnits - 1
	if left := chunkUnits - a.next&mask; a.next == 0 || a.next&mask == 0 || left < size {
		a.next = uint32(len(a.chunks)) * chunkUnits //nolint:gosec // below 2^18 chunks
		a.chunks = append(a.chunks, make([]byte, chunkUnits*unit))
		if a.next == 0 {
			a.next = 1
		}
	}
	at := a.next
	a.next += size
	return at
}

// at returns the bytes from a block to the end of its chunk.
func (a *arena) at(at block) []byte {
	return a.chunks[at/chunkUnits][at%chunkUnits*unit:]
}

// get returns a block's content, valid until it is freed.
func (a *arena) get(at block, size uint32) []byte {
	if at == 0 {
		return nil
	}
	return a.at(at)[:size:size]
}

// release frees a block of size bytes.
func (a *arena) release(at block, size uint32) {
	if at == 0 {
		return
	}
	class := classOf(int(size))
	a.bytes -= int(classSizes[class]) * unit
	binary.NativeEndian.PutUint32(a.at(at), a.free[class])
	a.free[class] = at
}

// replace stores content in the place of a block, in the same one if it fits.
func (a *arena) replace(at block, size uint32, content []byte) block {
	if at != 0 && classOf(int(size)) == classOf(len(content)) {
		copy(a.at(at), content)
		return at
	}
	a.release(at, size)
	return a.put(content)
}
