// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// MaxPiece is the length above which a posted event is divided, in bytes. Backends and queues
// drop records of megabytes, after they were acknowledged.
const MaxPiece = 256 << 10

// maxIdentity bounds the elements that each piece repeats, in bytes. An event with longer ones
// is not divided, because its pieces together would be many times as long as the event.
const maxIdentity = 4 << 10

// appendPieces appends an event to events. It divides an event above MaxPiece into several,
// each with some of the sessions, tags and tracks. All pieces have the elements that identify
// the object and the time; the first one has every element that is no long list.
//
// The pieces depend on the event only, so that a copy has the same pieces. A single text is
// never divided.
func (e *Event) appendPieces(events []Event) []Event {
	if len(e.Raw) <= MaxPiece || e.Type == TypeUnknown {
		return append(events, *e)
	}
	from := len(events)
	head := *e
	head.Body = nil
	var identity []Member
	var lists []Member // with pieces of their own
	for i := range e.Body {
		switch m := e.Body[i]; {
		case isDivisible(m.Field) && len(m.Value.Items) > 1 && sizeOf(&m.Value) > MaxPiece/2,
			m.Field == Tracks && sizeOf(&m.Value) > MaxPiece/2:
			lists = append(lists, m)
		default:
			head.Body = append(head.Body, m)
			if isIdentifying(m.Field) {
				identity = append(identity, m)
			}
		}
	}
	if sizeOfMembers(identity) > maxIdentity {
		return append(events, *e)
	}
	next := head
	for _, list := range lists {
		for _, items := range divide(divideTracks(list)) {
			part := list
			part.Value.Items = items
			next.Body = append(next.Body, part)
			events = append(events, next)
			next = *e
			next.Body, next.Extra = slices.Clip(identity), nil
		}
	}
	if len(events) == from {
		return append(events, *e)
	}
	for i := from; i < len(events); i++ {
		piece := &events[i]
		piece.Part, piece.Parts = i-from+1, len(events)-from
		piece.Raw = piece.encode()
	}
	return events
}

// encode returns the JSON of an event. A substring of the posted event could separate a name
// from its value, and then a secret value could not be recognized by its name.
func (e *Event) encode() string {
	var b strings.Builder
	b.WriteString(`{"eventType":`)
	encodeText(&b, e.TypeText)
	b.WriteString(`,"eventAction":`)
	encodeText(&b, e.ActionText)
	if e.Forwarded.Kind != KindNull {
		b.WriteString(`,"forwardedEvent":`)
		e.Forwarded.encode(&b)
	}
	for i := range e.Extra {
		b.WriteByte(',')
		e.Extra[i].encode(&b)
	}
	b.WriteString(`,"eventBody":`)
	body := Value{Kind: KindMap, Members: e.Body}
	body.encode(&b)
	b.WriteByte('}')
	return b.String()
}

func (m *Member) encode(b *strings.Builder) {
	encodeText(b, m.Name)
	b.WriteByte(':')
	m.Value.encode(b)
}

func (v *Value) encode(b *strings.Builder) {
	switch v.Kind {
	case KindNull:
		b.WriteString("null")
	case KindBool, KindInt, KindDouble:
		if json.Valid([]byte(v.Text)) {
			b.WriteString(v.Text)
		} else {
			encodeText(b, v.Text) // a number in quotes
		}
	case KindText:
		encodeText(b, v.Text)
	case KindList:
		b.WriteByte('[')
		for i := range v.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			v.Items[i].encode(b)
		}
		b.WriteByte(']')
	case KindMap:
		b.WriteByte('{')
		for i := range v.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			v.Members[i].encode(b)
		}
		b.WriteByte('}')
	}
}

func encodeText(b *strings.Builder, text string) {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false) // it would make six bytes of one
	if err := encoder.Encode(text); err != nil {
		b.WriteString(`""`) // texts can always be written
		return
	}
	b.Write(bytes.TrimSuffix(quoted.Bytes(), []byte("\n")))
}

// isDivisible reports whether an element is a list that can be divided.
func isDivisible(f Field) bool {
	return f == SessionIDs || f == SessionTags || f == Participants || f == TrackTags
}

// isIdentifying reports whether every piece has the element.
func isIdentifying(f Field) bool {
	switch f {
	case SessionID, SessionStartDate, SessionDuration, CCID, CallControllerIP, CallControllerType,
		TrackNumber, TrackStartDate, TrackDuration, TrackMediaType:
		return true
	default:
		return false
	}
}

// divideTracks returns the items of a divisible list. It divides a long track into several
// items, each with the identifying elements of the track and a part of its lists.
func divideTracks(list Member) []Value {
	if list.Field != Tracks {
		return list.Value.Items
	}
	var all []Value
	for i := range list.Value.Items {
		track := &list.Value.Items[i]
		if sizeOf(track) <= MaxPiece/2 {
			all = append(all, *track)
			continue
		}
		head := Value{Kind: track.Kind, Text: track.Text, number: track.number}
		var identity []Member
		var lists []Member
		for _, m := range track.Members {
			if isDivisible(m.Field) && len(m.Value.Items) > 1 {
				lists = append(lists, m)
				continue
			}
			head.Members = append(head.Members, m)
			if isIdentifying(m.Field) {
				identity = append(identity, m)
			}
		}
		if sizeOfMembers(identity) > maxIdentity {
			all = append(all, *track)
			continue
		}
		next := head
		for _, m := range lists {
			for _, items := range divide(m.Value.Items) {
				part := m
				part.Value.Items = items
				next.Members = append(next.Members, part)
				all = append(all, next)
				next = Value{Kind: KindMap, Members: slices.Clip(identity)}
			}
		}
		if len(lists) == 0 {
			all = append(all, *track)
		}
	}
	return all
}

// divide divides a list into parts of at most half of MaxPiece, or of one item.
func divide(items []Value) (parts [][]Value) {
	from, size := 0, 0
	for i := range items {
		n := sizeOf(&items[i])
		if i > from && size+n > MaxPiece/2 {
			parts = append(parts, items[from:i:i])
			from, size = i, 0
		}
		size += n
	}
	return append(parts, items[from:])
}

// sizeOf returns the approximate size of a value in a log record, in bytes.
func sizeOf(v *Value) int {
	const overhead = 8
	size := overhead + len(v.Text)
	for i := range v.Items {
		size += sizeOf(&v.Items[i])
	}
	return size + sizeOfMembers(v.Members)
}

func sizeOfMembers(members []Member) (size int) {
	const overhead = 8
	for i := range members {
		size += overhead + len(members[i].Name) + sizeOf(&members[i].Value)
	}
	return size
}
