// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "encoding/binary"

// reader decodes stored bytes. After the first fault, bad is set and all methods return zeros.
type reader struct {
	rest    []byte
	damaged bool
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.damaged, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.damaged, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.damaged, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// length reads a number of bytes and checks that they exist.
func (r *reader) length() int {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.damaged, r.rest = true, nil
		return 0
	}
	return int(n) //nolint:gosec // at most len(r.rest)
}

func (r *reader) key() key {
	k := r.uvarint()
	r.damaged = r.damaged || k >= maxKeys
	return key(k % maxKeys)
}

func (r *reader) time() int64 { return int64(r.uvarint() & (1<<63 - 1)) }
