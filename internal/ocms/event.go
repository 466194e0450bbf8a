// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"errors"
	"math"
	"time"
	"unicode/utf8"
)

// Event is a line whose documented attributes are decoded. A value that cannot be
// decoded leaves its field zero and sets a flag; Line still has its text.
type Event struct {
	Line Line
	// Category is the decoded Service.
	Category Category
	Service  string

	// Time is CreationTime in UTC, zero if it could not be decoded.
	Time time.Time
	// Offset is TimeZoneOffset, in minutes east of Greenwich.
	Offset    int
	HasOffset bool

	// Method is the SIP method of the request, or of the request that the response
	// answers: the attribute Method, else the method in Service, else the one in CSeq.
	Method string
	// Code is the status code of a response, 100 to 699, or 0.
	Code   int
	CallID string
	CSeq   Sequence

	From, To   Address
	RequestURI URI
	Via        []Hop
	// Branch is that of the topmost hop. It identifies the transaction (RFC 3261,
	// 8.1.1.7).
	Branch string
	Media  []Stream

	ContentType string
	// ContentLength is in bytes, -1 if absent.
	ContentLength int64
}

// Kind returns the kind of the category.
func (e *Event) Kind() Kind { return e.Category.Kind }

// Flags returns the flags of the line.
func (e *Event) Flags() Flags { return e.Line.Flags }

// ErrNoService means that a line has no Service. OCMS writes the Log4j category of each
// event there.
var ErrNoService = errors.New("the line has no Service")

// Decoder decodes lines. It reuses its memory; one goroutine may use it at a time.
type Decoder struct {
	Splitter
	// CreationTimeIsLocal means that CreationTime is local time, from which
	// TimeZoneOffset is subtracted. Otherwise CreationTime is UTC.
	CreationTimeIsLocal bool

	event   Event
	hops    []Hop
	streams []Stream
}

// Decode decodes one line. The event is valid until the next call. The errors are
// ErrNoAttribute and ErrNoService; the event then holds all that could be decoded.
func (d *Decoder) Decode(text string) (*Event, error) {
	e := &d.event
	*e = Event{}
	e.ContentLength = -1
	err := d.split(text, &e.Line)
	if !isASCII(e.Line.Text) && !utf8.ValidString(e.Line.Text) {
		e.Line.Flags |= InvalidText
	}
	if err != nil {
		return e, err
	}
	e.Service, _ = e.Line.NonEmptyValue(Service)
	e.Category.parse(e.Service)
	d.decodeTime(e)
	e.decodeTransaction()
	d.decodeHeaders(e)
	if e.Service == "" {
		return e, ErrNoService
	}
	return e, nil
}

func (e *Event) flagUnless(ok bool, flags Flags) {
	if !ok {
		e.Line.Flags |= flags
	}
}

func (d *Decoder) decodeTime(e *Event) {
	text, _ := e.Line.NonEmptyValue(CreationTime)
	t, zoned, ok := parseCreationTime(text)
	e.flagUnless(ok, BadCreationTime)
	offset, hasOffset := e.Line.NonEmptyValue(TimeZoneOffset)
	if hasOffset {
		e.Offset, e.HasOffset = parseOffset(offset)
		e.flagUnless(e.HasOffset, BadTimeZoneOffset)
	}
	if !ok {
		return
	}
	if d.CreationTimeIsLocal && !zoned {
		e.flagUnless(e.HasOffset, BadTimeZoneOffset)
		if e.HasOffset {
			t = t.Add(-time.Duration(e.Offset) * time.Minute)
		}
	}
	e.Time = t
}

// decodeTransaction decodes Call-ID, CSeq, method and status code. Where they contradict
// Service, the attributes Method and StatusCode win.
func (e *Event) decodeTransaction() {
	e.CallID, _ = e.Line.NonEmptyValue(CallID)
	if text, ok := e.Line.NonEmptyValue(CSeq); ok {
		e.CSeq, ok = ParseCSeq(text)
		e.flagUnless(ok, BadCSeq)
	}
	e.decodeMethod()
	_, hasURI := e.Line.NonEmptyValue(RequestURI)
	text, hasCode := e.Line.NonEmptyValue(StatusCode)
	if hasCode {
		var ok bool
		e.Code, ok = parseCode(text)
		e.flagUnless(ok, BadStatusCode)
	}
	switch e.Category.Kind {
	case Request:
		e.flagUnless(!hasCode, KindMismatch)
		e.Code = 0
	case Response:
		e.flagUnless(!hasURI, KindMismatch)
		e.flagUnless(e.Code == 0 || e.Category.Code == 0 || e.Code == e.Category.Code, CodeMismatch)
		if e.Code == 0 {
			e.Code = e.Category.Code
		}
	case Generic:
	}
}

// decodeMethod decodes the method, which is in three places.
func (e *Event) decodeMethod() {
	e.Method, _ = e.Line.NonEmptyValue(Method)
	if e.Method == "" {
		e.Method = e.Category.Method
	}
	if e.Method == "" {
		e.Method = e.CSeq.Method
	}
	agrees := func(method string) bool { return method == e.Method || method == "" }
	e.flagUnless(agrees(e.Category.Method) && agrees(e.CSeq.Method), MethodMismatch)
}

// decodeAddress decodes From or To, whose brackets the splitter may have found.
func (e *Event) decodeAddress(a *Address, key Key, brackets bracketOffsets) (ok bool) {
	if brackets.closing > 0 {
		start := e.Line.first[key].start
		text, _ := e.Line.Value(key)
		return a.parseNameAddr(text, int(brackets.opening-start), int(brackets.closing-start))
	}
	text, set := e.Line.NonEmptyValue(key)
	return !set || a.parse(text)
}

func (d *Decoder) decodeHeaders(e *Event) {
	e.flagUnless(e.decodeAddress(&e.From, From, e.Line.fromBrackets), BadFrom)
	e.flagUnless(e.decodeAddress(&e.To, To, e.Line.toBrackets), BadTo)
	if text, set := e.Line.NonEmptyValue(RequestURI); set {
		e.flagUnless(e.RequestURI.parse(trimSpace(text)), BadRequestURI)
	}
	var truncated, ok bool
	if text, set := e.Line.NonEmptyValue(Via); set {
		d.hops, truncated, ok = ParseVia(text, d.hops[:0])
		e.Via = d.hops
		if len(e.Via) > 0 {
			e.Branch = e.Via[0].branch()
		}
		e.flagUnless(ok, BadVia)
		e.flagUnless(!truncated, TooManyParts)
	}
	if text, set := e.Line.NonEmptyValue(Media); set {
		d.streams, truncated, ok = ParseMedia(text, d.streams[:0])
		e.Media = d.streams
		e.flagUnless(ok, BadMedia)
		e.flagUnless(!truncated, TooManyParts)
	}
	e.ContentType, _ = e.Line.NonEmptyValue(ContentType)
	if text, set := e.Line.NonEmptyValue(ContentLength); set {
		n, ok := parseDigits(text, math.MaxInt64)
		if ok {
			e.ContentLength = int64(n) //nolint:gosec // at most MaxInt64
		}
		e.flagUnless(ok, BadContentLength)
	}
}
