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

// What can be wrong with an object besides its JSON, which is
// jsonscan.ErrSyntax.
var (
	ErrManyMembers = errors.New("an object has too many elements")
	ErrManyValues  = errors.New("the body has too many values")
)

// Caps on what a body may cost.
const (
	// maxMembers of one object; a documented one has at most 11. Who looks them
	// up by name pays for their square.
	maxMembers = 128
	// maxValues of one body: 80 bytes each.
	maxValues = 1 << 17
)

// reader reads JSON into a tree.
type reader struct {
	scan   jsonscan.Scanner
	body   string
	values int
	// lenient reads on where strict reading fails, if it knows how.
	lenient bool
	// damage is the first thing that was passed over.
	damage error
}

// reset begins with a part of a body, up to end.
func (r *reader) reset(body string, end int, lenient bool) {
	r.body, r.lenient, r.damage = body, lenient, nil
	r.scan.Reset(unsafe.Slice(unsafe.StringData(body), len(body))[:end:end]) //nolint:gosec // the scanner only reads
}

// errLeftOut says that a value is not kept, and that reading can go on behind it.
var errLeftOut = errors.New("a line break or another control character in a text")

// value reads one value. Of a list or map with an error in it, what was complete
// before is returned too.
func (r *reader) value(depth int) (v Value, err error) {
	if r.values++; r.values > maxValues {
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
		v.setText() // more digits, or a larger exponent, than there is room for
		return v
	}
	v.setDouble(x)
	return v
}

// text reads a string as a part of the body, or as a copy where there are
// escapes or what is no UTF-8.
func (r *reader) text() (string, error) {
	begin := r.scan.Pos() + 1
	text, err := r.scan.Text()
	if err != nil {
		if r.lenient && r.passText(begin) {
			return "", errLeftOut
		}
		return "", err
	}
	if plain := r.body[begin : r.scan.Pos()-1]; plain == string(text) {
		return plain, nil
	}
	return string(text), nil
}

// passText goes behind the quote that ends a text whose content begins at
// begin and cannot be read.
func (r *reader) passText(begin int) bool {
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

// passOver notes damage that reading goes on behind; it does so in lenient
// reading only.
func (r *reader) passOver(err error) bool {
	if r.lenient && r.damage == nil {
		r.damage = err
	}
	return r.lenient
}

// object reads from the brace on.
func (r *reader) object(depth int) (members []Member, err error) {
	if depth >= jsonscan.MaxDepth || !r.scan.Take('{') {
		return nil, jsonscan.ErrSyntax
	}
	if r.scan.Take('}') {
		return nil, nil
	}
	members = make([]Member, 0, 8)
	leftOut := false
	for {
		if r.scan.Next() == '}' && r.passOver(jsonscan.ErrSyntax) { // behind a comma
			r.scan.Take('}')
			return members, emptied(leftOut, len(members))
		}
		name, err := r.name()
		if err != nil {
			return members, err
		}
		if !r.scan.Take(':') {
			return members, jsonscan.ErrSyntax
		}
		v, err := r.value(depth + 1)
		kept := len(members)
		if err == nil || !v.scalar() && (len(v.Items) > 0 || len(v.Members) > 0) {
			if members, err = put(members, Member{Name: name, Value: v}, err); err != nil {
				return members, err
			}
		} else if leftOut = true; !errors.Is(err, errLeftOut) || !r.passOver(err) {
			return members, err
		}
		more, closed := r.separator('}')
		switch {
		case closed:
			return members, emptied(leftOut, len(members))
		case !more:
			if !r.whole(&v) {
				members = members[:min(kept, len(members))]
			}
			return members, jsonscan.ErrSyntax
		}
	}
}

// emptied leaves out what is empty only because something in it was left out:
// an empty list would say that there is none.
func emptied(leftOut bool, kept int) error {
	if leftOut && kept == 0 {
		return errLeftOut
	}
	return nil
}

// name reads an element's name. One that cannot be read ends the reading: there
// is no telling what its value is.
func (r *reader) name() (string, error) {
	if r.scan.Next() != '"' {
		return "", jsonscan.ErrSyntax
	}
	name, err := r.text()
	if errors.Is(err, errLeftOut) {
		err = jsonscan.ErrSyntax
	}
	return name, err
}

// put adds a member, or replaces the one of the same name. It returns the error
// of the member's own value, if there is one.
func put(members []Member, m Member, err error) ([]Member, error) {
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

// list reads from the bracket on.
func (r *reader) list(depth int) (items []Value, err error) {
	if depth >= jsonscan.MaxDepth || !r.scan.Take('[') {
		return nil, jsonscan.ErrSyntax
	}
	if r.scan.Take(']') {
		return nil, nil
	}
	leftOut := false
	for {
		if r.scan.Next() == ']' && r.passOver(jsonscan.ErrSyntax) { // behind a comma
			r.scan.Take(']')
			return items, emptied(leftOut, len(items))
		}
		v, err := r.value(depth + 1)
		kept := len(items)
		switch {
		case err == nil:
			items = append(items, v)
		case len(v.Items) > 0 || len(v.Members) > 0:
			return append(items, v), err
		case !errors.Is(err, errLeftOut) || !r.passOver(err):
			return items, err
		default:
			leftOut = true
		}
		more, closed := r.separator(']')
		switch {
		case closed:
			return items, emptied(leftOut, len(items))
		case !more:
			if !r.whole(&v) {
				items = items[:min(kept, len(items))]
			}
			return items, jsonscan.ErrSyntax
		}
	}
}

// separator reads what stands behind a member or an item.
func (r *reader) separator(end byte) (more, closed bool) {
	switch {
	case r.scan.Take(','):
		return true, false
	case r.scan.Take(end):
		return false, true
	}
	// The comma is missing if another member or item begins.
	switch c := r.scan.Next(); {
	case c == '"', end == ']' && (c == '{' || c == '['):
		return r.passOver(jsonscan.ErrSyntax), false
	default:
		return false, false
	}
}

// whole tells whether a value behind which reading stopped is all of it. A
// number at the end may be cut, and before something that belongs nowhere any
// scalar may be only what was left of it.
func (r *reader) whole(v *Value) bool {
	if !v.scalar() {
		return true
	}
	return r.scan.Pos() == r.end() && v.Kind != KindInt && v.Kind != KindDouble
}
