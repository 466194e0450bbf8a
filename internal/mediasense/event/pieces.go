// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// MaxPiece is how many bytes of an event, as posted, make one [Event]. Backends
// and queues drop records of megabytes, after they were acknowledged.
const MaxPiece = 256 << 10

// maxIdentity bounds what each piece of an event repeats, in bytes. An event whose
// identity is longer is not divided: its pieces together would be many times as
// long as the event.
const maxIdentity = 4 << 10

// pieces appends an event to events: a longer one than MaxPiece as several, each
// about the same, with a part of the sessions, tags and tracks. All have the
// elements that say what the event is about and when it happened; the first has
// every element that is no long list.
//
// The pieces are a function of the event alone, so that a copy has the same ones.
// A single long text is in one piece, whatever its length.
func (e *Event) pieces(events []Event) []Event {
	if len(e.Raw) <= MaxPiece || e.Type == TypeUnknown {
		return append(events, *e)
	}
	from := len(events)
	head := *e
	head.Body = nil
	var identity []Member
	var lists []Member // that go into pieces of their own
	for i := range e.Body {
		switch m := e.Body[i]; {
		case divisible(m.Field) && len(m.Value.Items) > 1 && sizeOf(&m.Value) > MaxPiece/2,
			m.Field == Tracks && sizeOf(&m.Value) > MaxPiece/2:
			lists = append(lists, m)
		default:
			head.Body = append(head.Body, m)
			if identifies(m.Field) {
				identity = append(identity, m)
			}
		}
	}
	if sizeOfMembers(identity) > maxIdentity {
		return append(events, *e)
	}
	next := head
	for _, list := range lists {
		for _, items := range divide(atoms(list)) {
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

// encode writes an event as it would have been posted. A share of the event's own
// bytes would not do: a name and its value would end up apart, and nobody could
// tell any more that the value is a secret.
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

// divisible tells which lists go into several pieces.
func divisible(f Field) bool {
	return f == SessionIDs || f == SessionTags || f == Participants || f == TrackTags
}

// identifies tells which elements every piece has.
func identifies(f Field) bool {
	switch f {
	case SessionID, SessionStartDate, SessionDuration, CCID, CallControllerIP, CallControllerType,
		TrackNumber, TrackStartDate, TrackDuration, TrackMediaType:
		return true
	default:
		return false
	}
}

// atoms are the items of a list that is divided. A long track is several: each
// has what identifies the track and a part of its lists.
func atoms(list Member) []Value {
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
			if divisible(m.Field) && len(m.Value.Items) > 1 {
				lists = append(lists, m)
				continue
			}
			head.Members = append(head.Members, m)
			if identifies(m.Field) {
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

// divide cuts a list into parts of at most half of MaxPiece, or of one item.
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

// sizeOf is about how many bytes a value has in a log record.
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
