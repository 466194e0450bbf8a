// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/legato-otel/legato/internal/redact"
)

// readField reads an element's value into the object whose fields begin at from.
func (d *Decoder) readField(name []byte, depth, from int) error {
	v := Field{Element: elementByName[string(name)]}
	if v.Element == Unknown {
		v.Name = name
	}
	want := elements[v.Element].value
	s := &d.scan
	var err error
	switch s.Next() {
	case '"':
		if v.Text, err = s.Text(); err == nil {
			v.Text = limitText(v.Text)
			v.setKind(want)
		}
	case 'n':
		err = s.Word("null")
	case 't':
		v.Text = trueText
		err = s.Word("true")
		v.setKind(want)
	case 'f':
		v.Text = falseText
		err = s.Word("false")
		v.setKind(want)
	case '{', '[':
		begin := s.Pos()
		if err = s.Skip(depth + 1); err == nil {
			// These raw bytes may hold invalid UTF-8.
			v.Text, v.Kind = limitText(s.Valid(s.Since(begin))), Text
		}
	default:
		if v.Text, err = s.Number(); err == nil {
			v.setKind(want)
		}
	}
	if err != nil {
		return err
	}
	d.putField(v, from)
	return nil
}

var trueText, falseText = []byte("true"), []byte("false")

// putField replaces the element if the object has it already; otherwise it appends the
// element.
func (d *Decoder) putField(v Field, from int) {
	f := d.frame
	first := v.Element != Unknown && d.seenElements&(1<<v.Element) == 0
	d.seenElements |= 1 << v.Element
	for i := from; i < len(f.fields) && !first; i++ {
		if known := &f.fields[i]; known.Element == v.Element && (v.Element != Unknown || string(known.Name) == string(v.Name)) {
			*known = v
			return
		}
	}
	if len(v.Name) <= maxName && len(f.fields)-from < maxFields {
		f.fields = append(f.fields, v)
	}
}

// setKind converts the text to the documented type of the element. Text of another type
// stays Text.
func (v *Field) setKind(want ValueKind) {
	v.Kind = Text
	switch want {
	case Bool:
		switch string(v.Text) {
		case "true", "1":
			v.Kind, v.Number = Bool, 1
		case "false", "0":
			v.Kind, v.Number = Bool, 0
		default:
			v.setBoolInAnyCase()
		}
	case Int:
		if n, err := strconv.ParseInt(string(v.Text), 10, 64); err == nil {
			v.Kind, v.Number = Int, uint64(n) //nolint:gosec // the bits, read back as an int64
		} else if x, err := strconv.ParseFloat(string(v.Text), 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
			v.Kind, v.Number = Double, math.Float64bits(x)
		}
	}
}

func (v *Field) setBoolInAnyCase() {
	if bytes.EqualFold(v.Text, trueText) {
		v.Kind, v.Number = Bool, 1
	} else if bytes.EqualFold(v.Text, falseText) {
		v.Kind, v.Number = Bool, 0
	}
}

// limitText returns at most maxText bytes of an element's text. It redacts secrets before
// it cuts, because half a secret may not be recognizable. Shorter text stays as it is, and
// its readers redact it.
func limitText(text []byte) []byte {
	if len(text) <= maxText || !slices.ContainsFunc(text, redact.Sign) {
		return clipText(text)
	}
	return []byte(redact.Prefix(string(text), maxText))
}

// clipText cuts an id or a word at maxText bytes, between characters.
func clipText(text []byte) []byte {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end:end]
}

// readString reads a string; it returns nil for any other value.
func (d *Decoder) readString() ([]byte, error) {
	if d.scan.Next() != '"' {
		return nil, d.scan.Skip(3)
	}
	text, err := d.scan.Text()
	return clipText(text), err
}

// readInteger reads a whole number, quoted or not; ok is false for any other value.
func (d *Decoder) readInteger() (n int64, ok bool, err error) {
	var text []byte
	switch c := d.scan.Next(); {
	case c == '"':
		text, err = d.scan.Text()
	case c == '-' || c >= '0' && c <= '9':
		text, err = d.scan.Number()
	default:
		return 0, false, d.scan.Skip(3)
	}
	if err != nil {
		return 0, false, err
	}
	n, err = strconv.ParseInt(string(text), 10, 64)
	return n, err == nil, nil
}
