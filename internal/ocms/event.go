// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"errors"
	"math"
	"time"
	"unicode/utf8"
)

// Event is a line with the documented attributes in their types. What could not
// be read has its zero value and a flag; the attributes have all of it as text.
type Event struct {
	Line Line
	// Category is what Service says; its Kind is the event's.
	Category Category
	Service  string

	// Time is CreationTime in UTC, zero if it could not be read.
	Time time.Time
	// Offset is TimeZoneOffset, in minutes east of Greenwich.
	Offset    int
	HasOffset bool

	// Method is that of the request, or of the request that the response is to:
	// the attribute Method, else that of Service, else that of CSeq.
	Method string
	// Code is the status of a response, from 100 to 699; else 0.
	Code   int
	CallID string
	CSeq   Sequence

	From, To   Address
	RequestURI URI
	Via        []Hop
	Media      []Stream

	ContentType string
	// ContentLength in bytes, -1 if there is none.
	ContentLength int64
}

// Kind is that of the category.
func (e *Event) Kind() Kind { return e.Category.Kind }

// Flags are those of the event's line.
func (e *Event) Flags() Flags { return e.Line.Flags }

// ErrNoService is why a line is no event: each event has its Log4j category.
var ErrNoService = errors.New("the line has no Service")

// Decoder decodes lines. It reuses its memory and is for one goroutine.
type Decoder struct {
	Splitter
	// CreationTimeIsLocal takes TimeZoneOffset from CreationTime, which is UTC
	// otherwise.
	CreationTimeIsLocal bool

	event   Event
	hops    []Hop
	streams []Stream
}

// Decode decodes one line. The event is valid until the next call. With an error,
// ErrNoAttribute or ErrNoService, it holds what could be read.
func (d *Decoder) Decode(text string) (*Event, error) {
	e := &d.event
	*e = Event{}
	e.ContentLength = -1
	err := d.split(text, &e.Line)
	if !utf8.ValidString(e.Line.Text) {
		e.Line.Flags |= InvalidText
	}
	if err != nil {
		return e, err
	}
	e.Service, _ = e.Line.Set(Service)
	e.Category = ParseService(e.Service)
	d.readTime(e)
	e.readTransaction()
	d.readHeaders(e)
	if e.Service == "" {
		return e, ErrNoService
	}
	return e, nil
}

func (e *Event) flag(ok bool, flags Flags) {
	if !ok {
		e.Line.Flags |= flags
	}
}

func (d *Decoder) readTime(e *Event) {
	text, _ := e.Line.Set(CreationTime)
	t, zoned, ok := parseTime(text)
	e.flag(ok, BadCreationTime)
	offset, hasOffset := e.Line.Set(TimeZoneOffset)
	if hasOffset {
		e.Offset, e.HasOffset = parseOffset(offset)
		e.flag(e.HasOffset, BadTimeZoneOffset)
	}
	if !ok {
		return
	}
	if d.CreationTimeIsLocal && !zoned {
		e.flag(e.HasOffset, BadTimeZoneOffset)
		if e.HasOffset {
			t = t.Add(-time.Duration(e.Offset) * time.Minute)
		}
	}
	e.Time = t
}

// readTransaction reads which request or response it is about. Where names
// differ, Method and StatusCode count.
func (e *Event) readTransaction() {
	e.CallID, _ = e.Line.Set(CallID)
	if text, ok := e.Line.Set(CSeq); ok {
		e.CSeq, ok = ParseCSeq(text)
		e.flag(ok, BadCSeq)
	}
	method, _ := e.Line.Set(Method)
	for _, candidate := range [...]string{method, e.Category.Method, e.CSeq.Method} {
		if e.Method == "" {
			e.Method = candidate
		}
		e.flag(candidate == "" || candidate == e.Method, MethodMismatch)
	}
	_, hasURI := e.Line.Set(RequestURI)
	text, hasCode := e.Line.Set(StatusCode)
	if hasCode {
		var ok bool
		e.Code, ok = parseCode(text)
		e.flag(ok, BadStatusCode)
	}
	switch e.Category.Kind {
	case Request:
		e.flag(!hasCode, KindMismatch)
		e.Code = 0
	case Response:
		e.flag(!hasURI, KindMismatch)
		e.flag(e.Code == 0 || e.Category.Code == 0 || e.Code == e.Category.Code, CodeMismatch)
		if e.Code == 0 {
			e.Code = e.Category.Code
		}
	case Generic:
	}
}

func (d *Decoder) readHeaders(e *Event) {
	if text, set := e.Line.Set(From); set {
		e.flag(e.From.parse(text), BadFrom)
	}
	if text, set := e.Line.Set(To); set {
		e.flag(e.To.parse(text), BadTo)
	}
	if text, set := e.Line.Set(RequestURI); set {
		e.flag(e.RequestURI.parse(trimSpace(text)), BadRequestURI)
	}
	var more, ok bool
	if text, set := e.Line.Set(Via); set {
		d.hops, more, ok = ParseVia(text, d.hops[:0])
		e.Via = d.hops
		e.flag(ok, BadVia)
		e.flag(!more, TooManyParts)
	}
	if text, set := e.Line.Set(Media); set {
		d.streams, more, ok = ParseMedia(text, d.streams[:0])
		e.Media = d.streams
		e.flag(ok, BadMedia)
		e.flag(!more, TooManyParts)
	}
	e.ContentType, _ = e.Line.Set(ContentType)
	if text, set := e.Line.Set(ContentLength); set {
		n, ok := parseDigits(text, math.MaxInt64)
		if ok {
			e.ContentLength = int64(n) //nolint:gosec // at most MaxInt64
		}
		e.flag(ok, BadContentLength)
	}
}
