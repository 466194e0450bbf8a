// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"errors"
	"fmt"
	"strings"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// Errors of valid JSON that is no event.
var (
	ErrNotObject      = errors.New("not an object")
	ErrNoType         = errors.New("the object has no eventType")
	ErrNoBody         = errors.New("the object has no eventBody that is an object")
	ErrArrayNotClosed = errors.New("the array is not closed")
)

// maxMalformedParts bounds the malformed parts of a body. The rest of the body is added to
// the last one.
const maxMalformedParts = 64

// Decoder reads bodies. Not safe for concurrent use; its zero value is ready.
type Decoder struct {
	reader reader
	body   string
	batch  Batch
	// openArray is the offset of the open array, -1 without one.
	openArray int
	// searchedFrom and nextEvent cache the last search of eventAfter.
	searchedFrom, nextEvent int
}

// Decode decodes one body. Parts that it cannot decode become the batch's Malformed parts.
func (d *Decoder) Decode(body string) Batch {
	begin, end := trimFraming(body)
	body = body[:end]
	d.body, d.batch, d.openArray = body, Batch{}, -1
	d.reader.valueCount = 0
	d.searchedFrom, d.nextEvent = 0, 0
	for pos := begin; pos < end; {
		pos = d.decodeNext(pos)
	}
	if d.openArray >= 0 {
		d.addMalformed(d.openArray, d.openArray+1, Event{}, ErrArrayNotClosed)
	}
	return d.batch
}

// byteOrderMark of UTF-8.
const byteOrderMark = "\ufeff"

// trimFraming returns begin and end of a body without the byte order mark and the NULs that
// clients and proxies add around it. A body with NULs inside has another encoding or is
// damaged, and keeps them.
func trimFraming(body string) (begin, end int) {
	const blank = "\x00 \t\r\n"
	text := strings.TrimLeft(body, blank)
	text = strings.TrimLeft(strings.TrimPrefix(text, byteOrderMark), blank)
	begin = len(body) - len(text)
	text = strings.TrimRight(text, blank)
	if trimmed := begin > 0 || begin+len(text) < len(body); trimmed && strings.IndexByte(text, 0) >= 0 {
		return 0, len(body)
	}
	return begin, begin + len(text)
}

// decodeNext decodes one top-level value or separator and returns the offset after it.
func (d *Decoder) decodeNext(pos int) int {
	d.reader.reset(d.body, len(d.body), false)
	d.reader.scan.Seek(pos)
	c := d.reader.scan.Next()
	begin := d.reader.scan.Pos()
	switch {
	case begin == len(d.body):
		return begin
	case c == ',': // between events, in an array or not
		return begin + 1
	case c == '[' && d.openArray < 0:
		d.openArray = begin
		return begin + 1
	case c == ']' && d.openArray >= 0:
		d.openArray = -1
		return begin + 1
	case c == '{':
		return d.decodeObject(begin)
	}
	end := d.eventAfter(begin)
	if _, err := d.reader.value(0); err == nil && d.reader.scan.Pos() <= end {
		return d.addMalformed(begin, d.reader.scan.Pos(), Event{}, ErrNotObject)
	}
	return d.addMalformed(begin, end, Event{}, jsonscan.ErrSyntax)
}

// decodeObject decodes a top-level object.
func (d *Decoder) decodeObject(begin int) int {
	members, err := d.reader.object(0)
	end := d.reader.scan.Pos()
	if err == nil {
		e, err := d.newEvent(members, begin, end)
		if err != nil {
			return d.addMalformed(begin, end, e, err)
		}
		d.batch.Events = e.appendPieces(d.batch.Events)
		return end
	}
	err = fmt.Errorf("%w, near byte %d", err, end)
	// Read the object a second time, leniently, up to the next event.
	end = d.eventAfter(begin)
	d.reader.reset(d.body, end, true)
	d.reader.scan.Seek(begin)
	members, lenient := d.reader.object(0)
	if lenient == nil || errors.Is(lenient, errTextOmitted) {
		end = d.reader.scan.Pos()
	}
	e, _ := d.newEvent(members, begin, end)
	return d.addMalformed(begin, end, e, err)
}

// newEvent returns the event with an object's members.
func (d *Decoder) newEvent(members []Member, begin, end int) (Event, error) {
	e := Event{Raw: d.body[begin:end], Offset: begin}
	setTypes(members, Envelope)
	body := Value{}
	for i := range members {
		m := &members[i]
		switch m.Field {
		case EventType:
			e.TypeText = textOf(m.Value)
		case EventAction:
			e.ActionText = textOf(m.Value)
		case ForwardedEvent:
			e.Forwarded = m.Value
		case EventBody:
			body = m.Value
			if body.Kind != KindMap {
				e.Extra = append(e.Extra, *m)
			}
		default:
			e.Extra = append(e.Extra, *m)
		}
	}
	e.Type, e.Object = typeOf(e.TypeText, e.ActionText)
	if body.Kind == KindMap {
		e.Body = body.Members
		setTypes(e.Body, e.Object)
	}
	switch {
	case e.TypeText == "":
		return e, ErrNoType
	case body.Kind != KindMap && e.Type != TypeUnknown:
		return e, ErrNoBody
	default:
		return e, nil
	}
}

func textOf(v Value) string {
	if v.Kind != KindText {
		return ""
	}
	return v.Text
}

// addMalformed adds a malformed part and returns the offset after it. It also adds the
// readable elements of a damaged object as an event if they identify one.
func (d *Decoder) addMalformed(begin, end int, read Event, err error) int {
	if len(d.batch.Malformed) == maxMalformedParts-1 {
		end = len(d.body)
		d.openArray = -1
	}
	raw := d.body[begin:end]
	// A part without readable elements, directly after another one, belongs to it.
	if n := len(d.batch.Malformed); n > 0 && read.TypeText == "" && len(read.Body) == 0 {
		if last := &d.batch.Malformed[n-1]; begin == last.Offset+len(last.Raw) && !errors.Is(err, ErrArrayNotClosed) {
			last.Raw = d.body[last.Offset:end]
			return end
		}
	}
	m := Malformed{Raw: raw, Offset: begin, Err: err, Readable: read}
	if errors.Is(err, jsonscan.ErrSyntax) || errors.Is(err, ErrManyMembers) {
		m.IsEvent = read.isIdentified()
	}
	if m.IsEvent {
		d.batch.Events = read.appendPieces(d.batch.Events)
	}
	d.batch.Malformed = append(d.batch.Malformed, m)
	return end
}

// envelopeNames are the first names of a posted object.
var envelopeNames = [...]string{"eventType\"", "eventAction\"", "eventBody\"", "forwardedEvent\""}

// eventAfter returns the offset of the next possible event after pos: a brace and the name of
// an element of the envelope; the end of the body if there is none. It caches the result, so
// that all calls for one body together scan it once: the number of faults is not bounded.
func (d *Decoder) eventAfter(pos int) int {
	if pos < d.searchedFrom || pos >= d.nextEvent {
		d.searchedFrom, d.nextEvent = pos, d.searchEvent(pos)
	}
	return d.nextEvent
}

func (d *Decoder) searchEvent(pos int) int {
	for pos++; pos < len(d.body); pos++ {
		i := strings.IndexByte(d.body[pos:], '{')
		if i < 0 {
			break
		}
		pos += i
		name, ok := strings.CutPrefix(strings.TrimLeft(d.body[pos+1:], " \t\r\n"), "\"")
		if !ok {
			continue
		}
		for _, known := range envelopeNames {
			if strings.HasPrefix(name, known) {
				return pos
			}
		}
	}
	return len(d.body)
}
