// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// decodeDraft reads the text of a draft. The documents in it alias the text.
func (t *table[T]) decodeDraft(text []byte) (d draft[T], err error) {
	r := draftReader{}
	r.Reset(text)
	if readPlainDraft(&r, t.draftFields(), &d) {
		return d, nil
	}
	d = draft[T]{}
	err = json.Unmarshal(text, &d)
	return d, err
}

// draftReader reads the form that appendPlainDraft writes: each object has its fields in
// their order.
type draftReader struct{ jsonscan.Scanner }

// readPlainDraft returns false for any other form, or a value that needs encoding/json.
func readPlainDraft[T any](r *draftReader, fields []draftField[T], d *draft[T]) bool {
	if !r.Take('{') {
		return false
	}
	isFirst := true
	if r.takeKey(`"statements":`, &isFirst) && !readStatements(r, fields, &d.Statements) {
		return false
	}
	if r.takeKey(`"flags":`, &isFirst) {
		flags, ok := r.unsigned(8)
		if !ok {
			return false
		}
		d.Flags = uint8(flags) //nolint:gosec // it has 8 bits
	}
	if r.takeKey(`"first":`, &isFirst) && !r.instant(&d.FirstHeardAt) {
		return false
	}
	if r.takeKey(`"last":`, &isFirst) && !r.instant(&d.LastHeardAt) {
		return false
	}
	return r.Take('}') && r.Next() == 0 && r.Pos() == r.Len()
}

func readStatements[T any](r *draftReader, fields []draftField[T], to *[]*T) bool {
	if !r.Take('[') {
		return false
	}
	for {
		statement := new(T)
		if !r.Take('{') {
			return false
		}
		isFirst := true
		for i := range fields {
			if r.takeKey(fields[i].key, &isFirst) && !r.value(fields[i].field(statement)) {
				return false
			}
		}
		if !r.Take('}') {
			return false
		}
		*to = append(*to, statement)
		if !r.Take(',') {
			return r.Take(']')
		}
	}
}

// takeKey consumes a key, and the comma before it, if it is the next one of its object.
func (r *draftReader) takeKey(key string, isFirst *bool) bool {
	start := r.Pos()
	if !*isFirst && !r.Take(',') || r.Word(key) != nil {
		r.Seek(start)
		return false
	}
	*isFirst = false
	return true
}

// value reads the value of a field.
func (r *draftReader) value(field any) bool {
	switch v := field.(type) {
	case *string:
		text, err := r.Text()
		*v = string(text)
		return err == nil
	case *time.Time:
		return r.instant(v)
	case **int64:
		*v = new(int64)
		return r.integer(*v)
	case **float64:
		return r.number(v)
	case **bool:
		is := r.Word("true") == nil
		*v = &is
		return is || r.Word("false") == nil
	case *json.RawMessage:
		return r.document(v)
	case *Phase:
		phase, ok := r.unsigned(8)
		*v = Phase(phase) //nolint:gosec // it has 8 bits
		return ok
	case *Revision:
		return r.revision(v)
	default:
		return false
	}
}

func (r *draftReader) revision(to *Revision) bool {
	if !r.Take('{') {
		return false
	}
	isFirst, ok := true, true
	if r.takeKey(`"index":`, &isFirst) {
		to.Index, ok = r.unsigned(64)
	}
	if ok && r.takeKey(`"time":`, &isFirst) {
		ok = r.instant(&to.Time)
	}
	if ok && r.takeKey(`"digest":`, &isFirst) {
		ok = r.integer(&to.Digest)
	}
	return ok && r.Take('}')
}

func (r *draftReader) unsigned(bits int) (uint64, bool) {
	text, err := r.Number()
	if err != nil {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text), 10, bits)
	return v, err == nil
}

func (r *draftReader) integer(to *int64) bool {
	text, err := r.Number()
	if err != nil {
		return false
	}
	*to, err = strconv.ParseInt(string(text), 10, 64)
	return err == nil
}

func (r *draftReader) number(to **float64) bool {
	text, err := r.Number()
	if err != nil {
		return false
	}
	v, err := strconv.ParseFloat(string(text), 64)
	*to = &v
	return err == nil
}

// instant reads a time. encoding/json refuses a time with an escape.
func (r *draftReader) instant(to *time.Time) bool {
	start := r.Pos()
	text, err := r.Text()
	return err == nil && !bytes.Contains(r.Since(start), []byte{'\\'}) && to.UnmarshalText(text) == nil
}

// document reads any value.
func (r *draftReader) document(to *json.RawMessage) bool {
	r.Next()
	start := r.Pos()
	if r.Skip(1) != nil {
		return false
	}
	text := r.Since(start)
	*to = slices.Clip(text)
	return true
}
