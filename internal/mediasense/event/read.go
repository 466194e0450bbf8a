// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"errors"
	"strconv"
	"strings"
	"unsafe"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// Errors of an object with valid JSON. Invalid JSON is jsonscan.ErrSyntax.
var (
	ErrManyMembers = errors.New("an object has too many elements")
	ErrManyValues  = errors.New("the body has too many values")
)

// Bounds of the cost of a body.
const (
	// maxMembers of one object, because looking up all of them by name takes quadratic
	// time. A documented object has at most 11.
	maxMembers = 128
	// maxValues of one body, of 80 bytes each.
	maxValues = 1 << 17
)

// reader reads JSON into a tree.
type reader struct {
	scan       jsonscan.Scanner
	body       string
	valueCount int
	// isLenient continues after some faults.
	isLenient bool
	// damage is the first fault that lenient reading skipped.
	damage error
}

// reset starts reading a part of a body, up to end.
func (r *reader) reset(body string, end int, lenient bool) {
	r.body, r.isLenient, r.damage = body, lenient, nil
	r.scan.Reset(unsafe.Slice(unsafe.StringData(body), len(body))[:end:end]) //nolint:gosec // the scanner only reads
}

// errTextOmitted reports that lenient reading omits a value and can continue after it.
var errTextOmitted = errors.New("a line break or another control character in a text")

// value reads one value. With an error in a list or map it also returns the complete elements
// before the error.
func (r *reader) value(depth int) (v Value, err error) {
	if r.valueCount++; r.valueCount > maxValues {
		return v, ErrManyValues
	}
	switch c := r.scan.Next(); c {
	case '{':
		v.Kind = KindMap
		v.Members, err = r.object(depth)
	case '[':
		v.Kind = KindList
		v.Items, err = r.list(depth)
	case '"':
		v.setText()
		v.Text, err = r.text()
	case 't':
		v.Text = "true"
		v.setBool(true)
		err = r.scan.Word(v.Text)
	case 'f':
		v.Text = "false"
		v.setBool(false)
		err = r.scan.Word(v.Text)
	case 'n':
		err = r.scan.Word("null")
	default:
		begin := r.scan.Pos()
		if _, err = r.scan.Number(); err == nil {
			v = number(r.body[begin:r.scan.Pos()])
		}
	}
	return v, err
}

func number(text string) (v Value) {
	v.Text = text
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		v.setInt(n)
		return v
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !strings.ContainsAny(text, ".eE") {
		v.setText() // it does not fit an int64 or a float64
		return v
	}
	v.setDouble(x)
	return v
}

// text reads a string. It is a substring of the body or, with escapes or invalid UTF-8, a
// copy.
func (r *reader) text() (string, error) {
	begin := r.scan.Pos() + 1
	text, err := r.scan.Text()
	if err != nil {
		if r.isLenient && r.skipText(begin) {
			return "", errTextOmitted
		}
		return "", err
	}
	if plain := r.body[begin : r.scan.Pos()-1]; plain == string(text) {
		return plain, nil
	}
	return string(text), nil
}

// skipText skips to the position after the end quote of an invalid text that begins at begin.
func (r *reader) skipText(begin int) bool {
	r.scan.Seek(begin)
	for r.scan.Pos() < r.end() {
		switch r.body[r.scan.Pos()] {
		case '"':
			r.scan.Seek(r.scan.Pos() + 1)
			return true
		case '\\':
			r.scan.Seek(min(r.scan.Pos()+2, r.end()))
		default:
			r.scan.Seek(r.scan.Pos() + 1)
		}
	}
	return false
}

func (r *reader) end() int { return r.scan.Len() }

// canSkip reports whether reading can continue after a fault: only lenient reading can. It
// remembers the first fault.
func (r *reader) canSkip(err error) bool {
	if r.isLenient && r.damage == nil {
		r.damage = err
	}
	return r.isLenient
}

// object reads an object from its opening brace.
func (r *reader) object(depth int) (members []Member, err error) {
	if depth >= jsonscan.MaxDepth || !r.scan.Take('{') {
		return nil, jsonscan.ErrSyntax
	}
	if r.scan.Take('}') {
		return nil, nil
	}
	members = make([]Member, 0, 8)
	omittedAny := false
	for {
		if r.scan.Next() == '}' && r.canSkip(jsonscan.ErrSyntax) { // after a comma
			r.scan.Take('}')
			return members, omittedError(omittedAny, len(members))
		}
		name, err := r.name()
		if err != nil {
			return members, err
		}
		if !r.scan.Take(':') {
			return members, jsonscan.ErrSyntax
		}
		v, err := r.value(depth + 1)
		keptCount := len(members)
		if err == nil || !v.isScalar() && (len(v.Items) > 0 || len(v.Members) > 0) {
			if members, err = setMember(members, Member{Name: name, Value: v}, err); err != nil {
				return members, err
			}
		} else if omittedAny = true; !errors.Is(err, errTextOmitted) || !r.canSkip(err) {
			return members, err
		}
		more, closed := r.readSeparator('}')
		switch {
		case closed:
			return members, omittedError(omittedAny, len(members))
		case !more:
			if !r.isComplete(&v) {
				members = members[:min(keptCount, len(members))]
			}
			return members, jsonscan.ErrSyntax
		}
	}
}

// omittedError omits an object or list that is empty only because its elements were omitted: an
// empty list would mean that there are none.
func omittedError(omittedAny bool, keptCount int) error {
	if omittedAny && keptCount == 0 {
		return errTextOmitted
	}
	return nil
}

// name reads an element's name. Without a readable name the element's value has no meaning,
// so reading stops.
func (r *reader) name() (string, error) {
	if r.scan.Next() != '"' {
		return "", jsonscan.ErrSyntax
	}
	name, err := r.text()
	if errors.Is(err, errTextOmitted) {
		err = jsonscan.ErrSyntax
	}
	return name, err
}

// setMember adds a member or replaces the one with the same name. It returns the error of the
// member's value, if there is one.
func setMember(members []Member, m Member, err error) ([]Member, error) {
	for i := range members {
		if members[i].Name == m.Name {
			members[i] = m
			return members, err
		}
	}
	if len(members) == maxMembers {
		return members, ErrManyMembers
	}
	return append(members, m), err
}

// list reads a list from its opening bracket.
func (r *reader) list(depth int) (items []Value, err error) {
	if depth >= jsonscan.MaxDepth || !r.scan.Take('[') {
		return nil, jsonscan.ErrSyntax
	}
	if r.scan.Take(']') {
		return nil, nil
	}
	omittedAny := false
	for {
		if r.scan.Next() == ']' && r.canSkip(jsonscan.ErrSyntax) { // after a comma
			r.scan.Take(']')
			return items, omittedError(omittedAny, len(items))
		}
		v, err := r.value(depth + 1)
		keptCount := len(items)
		switch {
		case err == nil:
			items = append(items, v)
		case len(v.Items) > 0 || len(v.Members) > 0:
			return append(items, v), err
		case !errors.Is(err, errTextOmitted) || !r.canSkip(err):
			return items, err
		default:
			omittedAny = true
		}
		more, closed := r.readSeparator(']')
		switch {
		case closed:
			return items, omittedError(omittedAny, len(items))
		case !more:
			if !r.isComplete(&v) {
				items = items[:min(keptCount, len(items))]
			}
			return items, jsonscan.ErrSyntax
		}
	}
}

// readSeparator reads the separator or the end after a member or an item.
func (r *reader) readSeparator(end byte) (more, closed bool) {
	switch {
	case r.scan.Take(','):
		return true, false
	case r.scan.Take(end):
		return false, true
	}
	// The comma is missing if another member or item begins.
	switch c := r.scan.Next(); {
	case c == '"', end == ']' && (c == '{' || c == '['):
		return r.canSkip(jsonscan.ErrSyntax), false
	default:
		return false, false
	}
}

// isComplete reports whether the last value before a fault is complete. A number at the end may
// be cut, and any scalar before an unexpected character may be a fragment.
func (r *reader) isComplete(v *Value) bool {
	if !v.isScalar() {
		return true
	}
	return r.scan.Pos() == r.end() && v.Kind != KindInt && v.Kind != KindDouble
}
