// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"unsafe"
)

// errBusy is why a body is not read to its end: with it, the bodies in flight
// would be more bytes than they may be.
var errBusy = errors.New("too many bytes of bodies are in flight")

// budget bounds the bodies that are in flight together, in bytes of memory. Bytes
// are taken as they come and not as they are announced: a sender that announces
// much and sends nothing takes nothing from the others.
type budget struct {
	most  int64
	taken atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.taken.Add(n) > b.most {
		b.taken.Add(-n)
		return false
	}
	return true
}

// body is what of a request is in memory.
type body struct {
	text   string
	taken  int64 // of the budget
	budget *budget
}

// release gives the bytes back; the text must not be used any more.
func (b *body) release() { b.budget.taken.Add(-b.taken) }

// grow takes the difference to a buffer of size bytes.
func (b *body) grow(size int64) error {
	if !b.budget.take(size - b.taken) {
		return errBusy
	}
	b.taken = size
	return nil
}

// firstRead is the buffer for a body before any of it came, and secondRead bounds
// the one behind it, in bytes.
const (
	firstRead  = 512
	secondRead = 1 << 20
)

// read returns the body as a string without copying it once more: nobody else has
// the bytes, and nobody writes to them again. limit is the body's; an announced
// length is of use, but not relied on.
func (b *body) read(r *http.Request, limit int64) error {
	size := min(firstRead, limit+1)
	if err := b.grow(size); err != nil {
		return err
	}
	buffer := make([]byte, 0, size)
	for {
		n, err := r.Body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			b.text = unsafe.String(unsafe.SliceData(buffer), len(buffer)) //nolint:gosec // see the function's comment
			return nil
		}
		if err != nil {
			return err
		}
		if len(buffer) < cap(buffer) {
			continue
		}
		size = nextSize(int64(len(buffer)), r.ContentLength, limit)
		if err := b.grow(size); err != nil {
			return err
		}
		buffer = append(make([]byte, 0, size), buffer...)
	}
}

// nextSize returns the size of the buffer that follows a full one: the announced
// length behind the first one, then half as much again, and not more than the body
// can have.
func nextSize(size, announced, limit int64) int64 {
	most := limit
	if announced >= size {
		most = min(most, announced)
	}
	next := size + size/2
	if size <= firstRead {
		next = max(next, min(announced, secondRead)+1)
	}
	return max(min(next, most+1), size+1)
}
