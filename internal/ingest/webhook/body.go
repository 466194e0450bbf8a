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

// errOverBudget is the error of reading a body with which all bodies in flight would exceed
// their budget.
var errOverBudget = errors.New("too many bytes of bodies are in flight")

// budget bounds the memory of all bodies in flight, in bytes. A request reserves bytes when
// it needs a buffer, not by its Content-Length: a sender that announces many bytes and
// sends none reserves none.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) reserve(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

// body is the body of a request in memory.
type body struct {
	text     string
	reserved int64 // bytes of the budget
	budget   *budget
}

// release returns the bytes to the budget. The text must not be used after it.
func (b *body) release() { b.budget.used.Add(-b.reserved) }

// reserve reserves the additional bytes of a buffer of size bytes.
func (b *body) reserve(size int64) error {
	if !b.budget.reserve(size - b.reserved) {
		return errOverBudget
	}
	b.reserved = size
	return nil
}

// firstBufferSize is the size of a body's first buffer, and maxSecondBufferSize bounds the
// second one, in bytes.
const (
	firstBufferSize     = 512
	maxSecondBufferSize = 1 << 20
)

// read reads the body into text, at most limit bytes. It does not copy the buffer into a
// string: no other goroutine has the buffer, and nothing writes to it again. The
// Content-Length is only a hint for the size of the second buffer.
func (b *body) read(r *http.Request, limit int64) error {
	size := min(firstBufferSize, limit+1)
	if err := b.reserve(size); err != nil {
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
		size = nextBufferSize(int64(len(buffer)), r.ContentLength, limit)
		if err := b.reserve(size); err != nil {
			return err
		}
		buffer = append(make([]byte, 0, size), buffer...)
	}
}

// nextBufferSize returns the size of the buffer after a full one: the announced length after
// the first one, else half as much again, and at most one byte more than the body can have.
func nextBufferSize(size, announced, limit int64) int64 {
	maxBody := limit
	if announced >= size {
		maxBody = min(maxBody, announced)
	}
	next := size + size/2
	if size <= firstBufferSize {
		next = max(next, min(announced, maxSecondBufferSize)+1)
	}
	return max(min(next, maxBody+1), size+1)
}
