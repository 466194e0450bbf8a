// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"errors"
	"fmt"
	"strings"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// What can be wrong with JSON that is not an event.
var (
	ErrNotObject = errors.New("not an object")
	ErrNoType    = errors.New("the object has no eventType")
	ErrNoBody    = errors.New("the object has no eventBody that is an object")
	ErrArray     = errors.New("the array is not closed")
)

// maxFaults of one body; the rest of the body joins the last malformed part.
const maxFaults = 64

// Decoder reads bodies. Not safe for concurrent use; its zero value is ready.
type Decoder struct {
	read  reader
	body  string
	batch Batch
	// array is where the open array begins, -1 without one.
	array int
	// looked and found are the last place from which the next event was looked
	// for, and where it may begin; see eventAfter.
	looked, found int
}

// Decode reads one body. It never fails as a whole: what cannot be read is in
// the batch's Malformed parts.
func (d *Decoder) Decode(body string) Batch {
	begin, end := framed(body)
	body = body[:end]
	d.body, d.batch, d.array = body, Batch{}, -1
	d.read.values = 0
	d.looked, d.found = 0, 0
	for pos := begin; pos < end; {
		pos = d.next(pos)
	}
	if d.array >= 0 {
		d.malformed(d.array, d.array+1, Event{}, ErrArray)
	}
	return d.batch
}

// byteOrderMark of UTF-8.
const byteOrderMark = "\ufeff"

// framed returns where a body begins and ends without the byte order mark and the
// NULs that clients and proxies put around it. A body with NULs inside is another
// encoding, or damaged, and keeps all of them.
func framed(body string) (begin, end int) {
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

// next reads one thing at the top level and returns where the next one begins.
func (d *Decoder) next(pos int) int {
	d.read.reset(d.body, len(d.body), false)
	d.read.scan.Seek(pos)
	c := d.read.scan.Next()
	begin := d.read.scan.Pos()
	switch {
	case begin == len(d.body):
		return begin
	case c == ',': // between events, in an array or not
		return begin + 1
	case c == '[' && d.array < 0:
		d.array = begin
		return begin + 1
	case c == ']' && d.array >= 0:
		d.array = -1
		return begin + 1
	case c == '{':
		return d.object(begin)
	}
	end := d.eventAfter(begin)
	if _, err := d.read.value(0); err == nil && d.read.scan.Pos() <= end {
		return d.malformed(begin, d.read.scan.Pos(), Event{}, ErrNotObject)
	}
	return d.malformed(begin, end, Event{}, jsonscan.ErrSyntax)
}

// object reads what begins with a brace.
func (d *Decoder) object(begin int) int {
	members, err := d.read.object(0)
	end := d.read.scan.Pos()
	if err == nil {
		e, err := d.event(members, begin, end)
		if err != nil {
			return d.malformed(begin, end, e, err)
		}
		d.batch.Events = e.pieces(d.batch.Events)
		return end
	}
	err = fmt.Errorf("%w, near byte %d", err, end)
	// Once more, leniently, and not into the next event.
	end = d.eventAfter(begin)
	d.read.reset(d.body, end, true)
	d.read.scan.Seek(begin)
	members, lenient := d.read.object(0)
	if lenient == nil || errors.Is(lenient, errLeftOut) {
		end = d.read.scan.Pos()
	}
	e, _ := d.event(members, begin, end)
	return d.malformed(begin, end, e, err)
}

// event makes an event of an object's members.
func (d *Decoder) event(members []Member, begin, end int) (Event, error) {
	e := Event{Raw: d.body[begin:end], Offset: begin}
	typeMembers(members, Envelope)
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
		typeMembers(e.Body, e.Object)
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

// malformed puts a part aside and returns where to go on. What could be read of
// a damaged object is an event all the same if it says enough.
func (d *Decoder) malformed(begin, end int, read Event, err error) int {
	if len(d.batch.Malformed) == maxFaults-1 {
		end = len(d.body)
		d.array = -1
	}
	raw := d.body[begin:end]
	// What follows at once and says nothing is the rest of the same fault.
	if n := len(d.batch.Malformed); n > 0 && read.TypeText == "" && len(read.Body) == 0 {
		if last := &d.batch.Malformed[n-1]; begin == last.Offset+len(last.Raw) && !errors.Is(err, ErrArray) {
			last.Raw = d.body[last.Offset:end]
			return end
		}
	}
	m := Malformed{Raw: raw, Offset: begin, Err: err, Read: read}
	if errors.Is(err, jsonscan.ErrSyntax) || errors.Is(err, ErrManyMembers) {
		m.Kept = read.identified()
	}
	if m.Kept {
		d.batch.Events = read.pieces(d.batch.Events)
	}
	d.batch.Malformed = append(d.batch.Malformed, m)
	return end
}

// envelopeNames are what a posted object begins with.
var envelopeNames = [...]string{"eventType\"", "eventAction\"", "eventBody\"", "forwardedEvent\""}

// eventAfter returns where the next event may begin behind pos: a brace and the
// name of an element of the envelope; the body's end if there is none. What was
// found stays true until it is passed, so that all calls for one body together
// take one look at it: faults that join the one before are not bounded in number.
func (d *Decoder) eventAfter(pos int) int {
	if pos < d.looked || pos >= d.found {
		d.looked, d.found = pos, d.lookForEvent(pos)
	}
	return d.found
}

func (d *Decoder) lookForEvent(pos int) int {
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
