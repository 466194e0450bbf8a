// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// Most records change a draft, so that every write decodes and encodes some. encoding/json
// takes several times as long as this codec, which writes exactly the bytes that json.Marshal
// writes, and reads exactly that form. Any other text and value is left to encoding/json
// (TestDraftText, FuzzDraft).

// draftField is a field of a statement as a draft has it.
type draftField[T any] struct {
	// key is the name with quotes and the colon.
	key string
	// isAlways reports that a zero value is written too.
	isAlways bool
	// field is that of column, or returns a *Phase or a *Revision.
	field func(*T) any
}

// draftFieldsOf returns the fields of a type of rows in the order of encoding/json.
func draftFieldsOf[T any]() (fields []draftField[T]) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous || name == "" || name == "-" {
			continue
		}
		fields = append(fields, draftField[T]{`"` + name + `":`, options == "", accessor[T](field.Index)})
	}
	return fields
}

func (t *table[T]) draftFields() []draftField[T] {
	t.draftOnce.Do(func() { t.fields = draftFieldsOf[T]() })
	return t.fields
}

// encodeDraft appends a draft as JSON.
func (t *table[T]) encodeDraft(to []byte, d *draft[T]) ([]byte, error) {
	text, ok := t.appendPlainDraft(to, d)
	if ok {
		return text, nil
	}
	slow, err := json.Marshal(d)
	return append(to, slow...), err
}

// appendPlainDraft returns false if the draft has a value that only encoding/json writes, or
// refuses.
func (t *table[T]) appendPlainDraft(to []byte, d *draft[T]) (_ []byte, ok bool) {
	if d.Start != nil || d.Update != nil || d.End != nil {
		return nil, false
	}
	to = append(to, '{')
	for i, statement := range d.Statements {
		switch {
		case statement == nil:
			return nil, false
		case i == 0:
			to = append(to, `"statements":[`...)
		default:
			to = append(to, ',')
		}
		to = append(to, '{')
		for _, f := range t.draftFields() {
			if to, ok = appendField(to, f.key, f.isAlways, f.field(statement)); !ok {
				return nil, false
			}
		}
		to = append(to, '}')
	}
	if len(d.Statements) > 0 {
		to = append(to, ']')
	}
	if d.Flags != 0 {
		to = strconv.AppendUint(appendKey(to, `"flags":`), uint64(d.Flags), 10)
	}
	if to, ok = appendField(to, `"first":`, false, &d.FirstHeardAt); !ok {
		return nil, false
	}
	if to, ok = appendField(to, `"last":`, false, &d.LastHeardAt); !ok {
		return nil, false
	}
	return append(to, '}'), true
}

// appendKey appends a key, behind a comma unless it is the first one of its object.
func appendKey(to []byte, key string) []byte {
	if to[len(to)-1] != '{' {
		to = append(to, ',')
	}
	return append(to, key...)
}

// appendField appends a field that has a value, or that is always written.
func appendField(to []byte, key string, isAlways bool, field any) (_ []byte, ok bool) {
	if !isAlways && isZero(field) {
		phase, isPhase := field.(*Phase)
		if !isPhase || *phase == 0 {
			return to, true
		}
	}
	to = appendKey(to, key)
	switch v := field.(type) {
	case *string:
		return appendText(to, *v)
	case *time.Time:
		return appendTime(to, *v)
	case **int64:
		return strconv.AppendInt(to, **v, 10), true
	case **float64:
		return appendFloat(to, **v)
	case **bool:
		return strconv.AppendBool(to, **v), true
	case *json.RawMessage:
		return append(to, *v...), isPlainDocument(*v)
	case *Phase:
		return strconv.AppendUint(to, uint64(*v), 10), true
	case *Revision:
		return appendRevision(to, v)
	default:
		return nil, false
	}
}

func appendRevision(to []byte, r *Revision) (_ []byte, ok bool) {
	to = append(to, '{')
	if r.Index != 0 {
		to = strconv.AppendUint(appendKey(to, `"index":`), r.Index, 10)
	}
	if to, ok = appendField(to, `"time":`, false, &r.Time); !ok {
		return nil, false
	}
	if r.Digest != 0 {
		to = strconv.AppendInt(appendKey(to, `"digest":`), r.Digest, 10)
	}
	return append(to, '}'), true
}

func appendTime(to []byte, t time.Time) ([]byte, bool) {
	to, err := t.AppendText(append(to, '"'))
	return append(to, '"'), err == nil
}

// appendFloat appends a number that JSON has and writes without an exponent.
func appendFloat(to []byte, v float64) ([]byte, bool) {
	if size := math.Abs(v); size != 0 && !(size >= 1e-6 && size < 1e21) {
		return nil, false
	}
	return strconv.AppendFloat(to, v, 'f', -1, 64), true
}

// appendText appends a text as a JSON string.
func appendText(to []byte, text string) ([]byte, bool) {
	if isPlainText(text) {
		to = append(to, '"')
		to = append(to, text...)
		return append(to, '"'), true
	}
	escaped, err := json.Marshal(text)
	return append(to, escaped...), err == nil
}

// escapedBytes are the ASCII characters that json.Marshal escapes in a string.
var escapedBytes = func() (table [utf8.RuneSelf]bool) {
	for c := range table {
		table[c] = c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&'
	}
	return table
}()

// isPlainText reports whether a text is its own content in a JSON string.
func isPlainText(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf {
			return isPlainUnicode(text[i:])
		} else if escapedBytes[c] {
			return false
		}
	}
	return true
}

func isPlainUnicode(text string) bool {
	for i, r := range text {
		switch {
		case r < utf8.RuneSelf && escapedBytes[r], r == '\u2028', r == '\u2029':
			return false
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			return false
		}
	}
	return true
}

// isPlainDocument reports whether json.Marshal copies a document: it is valid JSON without
// white space and without characters that are escaped to be safe in HTML.
func isPlainDocument(text []byte) bool {
	isString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c <= ' ' && !isString, c == '<', c == '>', c == '&':
			return false
		case c == 0xe2 && i+2 < len(text) && text[i+1] == 0x80 && text[i+2]&^1 == 0xa8:
			return false // U+2028 or U+2029
		case c == '"':
			isString = !isString
		case c == '\\':
			i++
		}
	}
	var s jsonscan.Scanner
	s.Reset(text)
	return s.Skip(0) == nil && s.Pos() == len(text)
}
