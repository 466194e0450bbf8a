// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// Key identifies an event by its content: two events with the same key are copies, sent twice
// or by both servers.
type Key = [16]byte

// Keys appends the event's keys to keys: one for each session of an event that
// names several, in their order; one for any other event.
//
//	DELETED, PRUNED  action, session
//	tag events       action, session, track, name, offset, date
//	threshold events action, node, partition, percentage
//	other events     all elements but forwardedEvent, in any order, and the number of
//	                 the piece of a long event
func (e *Event) Keys(keys []Key) []Key {
	var room [512]byte
	b := appendText(room[:0], e.Type.Action())
	if e.Type == TypeUnknown {
		b = appendText(appendText(b, e.TypeText), e.ActionText)
	}
	switch {
	case e.Type == SessionDeleted || e.Type == SessionPruned:
		ids := e.SessionIDs()
		for _, id := range ids {
			keys = append(keys, keyOf(appendText(b, id)))
		}
		if len(ids) > 0 {
			return keys
		}
		b = appendMembers(b, e.Body)
	case e.Type.Object() == TagEvent:
		b = e.appendFields(b, TagEventSessionID, TagEventTrackNumber, TagEventName, TagEventOffset, TagEventCreateDate)
	case e.Type.Object() == Storage:
		b = e.appendFields(b, NodeID, NodeIPAddress, Partition, PercentageUtilization)
	default:
		b = appendMembers(appendMembers(b, e.Body), e.Extra)
		if e.Part > 0 {
			b = binary.AppendUvarint(b, uint64(e.Part))
		}
	}
	return append(keys, keyOf(b))
}

// Key returns the key of a malformed part: its bytes and its offset, because the same bytes
// twice in one body are two parts.
func (m *Malformed) Key() Key {
	b := appendText(make([]byte, 0, len(m.Raw)+32), "malformed")
	return keyOf(append(binary.AppendUvarint(b, uint64(m.Offset)), m.Raw...)) //nolint:gosec // an offset is not negative
}

func keyOf(b []byte) Key {
	hash := sha256.Sum256(b)
	return Key(hash[:16])
}

func (e *Event) appendFields(b []byte, fields ...Field) []byte {
	for _, f := range fields {
		v, _ := e.Member(f)
		b = appendValue(b, &v)
	}
	return b
}

// appendValue appends a unique encoding of a value.
func appendValue(b []byte, v *Value) []byte {
	b = append(b, byte(v.Kind))
	switch v.Kind {
	case KindNull:
	case KindBool, KindInt, KindDouble:
		b = binary.BigEndian.AppendUint64(b, v.number)
	case KindText:
		b = appendText(b, v.Text)
	case KindList:
		b = binary.AppendUvarint(b, uint64(len(v.Items)))
		for i := range v.Items {
			b = appendValue(b, &v.Items[i])
		}
	case KindMap:
		b = appendMembers(b, v.Members)
	}
	return b
}

// appendMembers appends members in the order of their names, because the two servers may
// write them in different orders.
func appendMembers(b []byte, members []Member) []byte {
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return strings.Compare(members[i].Name, members[j].Name) })
	b = binary.AppendUvarint(b, uint64(len(members)))
	for _, i := range order {
		b = appendValue(appendText(b, members[i].Name), &members[i].Value)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
