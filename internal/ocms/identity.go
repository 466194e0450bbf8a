// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"crypto/sha256"
	"encoding/binary"
)

// Identity stands for the message that an event is about: a copy that a second
// appender wrote has it too, and so has a retransmission.
type Identity = [16]byte

// Identity returns the identity of a request or response: Service, Call-ID, CSeq,
// the tag of To, the branch of the topmost Via, and StatusCode. Events that name
// no call have none.
func (e *Event) Identity() (id Identity, ok bool) {
	if e.CallID == "" || e.CSeq.Method == "" || e.Category.Kind == Generic {
		return id, false
	}
	branch := ""
	if len(e.Via) > 0 {
		branch = e.Via[0].Branch
	}
	var room [512]byte
	b := appendText(room[:0], e.Service)
	b = appendText(b, e.CallID)
	b = binary.AppendUvarint(b, uint64(e.CSeq.Number))
	b = appendText(b, e.CSeq.Method)
	b = appendText(b, e.To.Tag)
	b = appendText(b, branch)
	b = binary.AppendUvarint(b, uint64(e.Code)) //nolint:gosec // at most 699
	hash := sha256.Sum256(b)
	return Identity(hash[:16]), true
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
