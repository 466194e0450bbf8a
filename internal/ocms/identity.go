// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"crypto/sha256"
	"encoding/binary"
)

// Identity identifies the SIP message of an event. A copy by a second appender and a
// retransmission have the same identity.
type Identity = [16]byte

// Identity returns a hash of Service, Call-ID, CSeq, the tag of To, the branch of the
// topmost Via, and StatusCode. ok is false for generic events and events without a
// Call-ID or CSeq.
func (e *Event) Identity() (id Identity, ok bool) {
	if e.CallID == "" || e.CSeq.Method == "" || e.Category.Kind == Generic {
		return id, false
	}
	var room [512]byte
	b := appendLengthPrefixed(room[:0], e.Service)
	b = appendLengthPrefixed(b, e.CallID)
	b = binary.AppendUvarint(b, uint64(e.CSeq.Number))
	b = appendLengthPrefixed(b, e.CSeq.Method)
	b = appendLengthPrefixed(b, e.To.Tag)
	b = appendLengthPrefixed(b, e.Branch)
	b = binary.AppendUvarint(b, uint64(e.Code)) //nolint:gosec // at most 699
	hash := sha256.Sum256(b)
	return Identity(hash[:16]), true
}

func appendLengthPrefixed(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
