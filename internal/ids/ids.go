// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ids

import "crypto/sha256"

// Trace returns the id of the trace of an object. An object that belongs to another one,
// such as a leg to its call, has the trace of that other object.
func Trace(kind, id string) (trace [16]byte) {
	sum := hashParts("trace", kind, id)
	copy(trace[:], sum[:])
	ensureNonZero(trace[:])
	return trace
}

// Span returns the id of the object's span.
func Span(kind, id string) (span [8]byte) {
	sum := hashParts("span", kind, id)
	copy(span[:], sum[:])
	ensureNonZero(span[:])
	return span
}

// hashParts returns the SHA-256 of the three parts with a zero byte between them, so that
// no two triples have the same input. purpose and kind contain no zero byte.
func hashParts(purpose, kind, id string) [sha256.Size]byte {
	// Large enough for the ids of the known systems, on the stack.
	var buffer [160]byte
	text := append(buffer[:0], purpose...)
	text = append(text, 0)
	text = append(text, kind...)
	text = append(text, 0)
	start := len(text)
	text = append(text, id...)
	lowerASCII(text[start:])
	return sha256.Sum256(text)
}

// lowerASCII converts ASCII letters to lower case. Case rules beyond ASCII differ between
// languages, so other characters stay.
func lowerASCII(text []byte) {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			text[i] = c + 'a' - 'A'
		}
	}
}

// ensureNonZero changes an id of zero bytes, which would mean "no id".
func ensureNonZero(id []byte) {
	for _, c := range id {
		if c != 0 {
			return
		}
	}
	id[len(id)-1] = 1
}
