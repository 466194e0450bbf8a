// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ids

import "crypto/sha256"

// Trace returns the id of the trace that the object founds. An object that
// belongs to another one is in that one's trace.
func Trace(kind, id string) (trace [16]byte) {
	sum := hash("trace", kind, id)
	copy(trace[:], sum[:])
	notZero(trace[:])
	return trace
}

// Span returns the id of the object's span.
func Span(kind, id string) (span [8]byte) {
	sum := hash("span", kind, id)
	copy(span[:], sum[:])
	notZero(span[:])
	return span
}

// hash is SHA-256 of the three parts with a zero byte between them, so that no
// two triples run together. Neither what nor kind holds a zero byte.
func hash(what, kind, id string) [sha256.Size]byte {
	// Room for every id of the known systems, on the stack.
	var space [160]byte
	text := append(space[:0], what...)
	text = append(text, 0)
	text = append(text, kind...)
	text = append(text, 0)
	start := len(text)
	text = append(text, id...)
	lower(text[start:])
	return sha256.Sum256(text)
}

// lower turns ASCII letters to lower case and leaves all else: what is lower
// case beyond ASCII differs between languages, and ids must not.
func lower(text []byte) {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			text[i] = c + 'a' - 'A'
		}
	}
}

// notZero keeps an id from being all zero, which stands for no id.
func notZero(id []byte) {
	for _, c := range id {
		if c != 0 {
			return
		}
	}
	id[len(id)-1] = 1
}
