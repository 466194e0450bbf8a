// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "slices"

// fields returns the attributes of a stitched object in key order: those of its records, of
// its call's or session's context, and the derived ones.
func (e *Engine) fields(o *object, context []Field, out *Stitched, found []derivedField, t *valueDecoder) []Field {
	d := &e.dictionary
	d.sortKeys()
	e.beginFields()
	f := &e.codec
	f.beginKeyScan(d)
	for _, s := range slices.Backward(f.statements) {
		for _, entry := range s.attributes {
			if f.markKey(entry.key) || entry.key == idKeyOf(o.kind) || entry.key == keyIVR {
				continue
			}
			e.setField(entry.key, t.value(entry.raw))
		}
	}
	for i := range context {
		if k := d.keys[context[i].Key]; !e.scratch.present[d.rank[k]] {
			e.setField(k, context[i].Value)
		}
	}
	for i := range found {
		e.setField(found[i].key, found[i].value)
	}
	if out.ErrorType != "" {
		e.setField(keyErrorType, Text(out.ErrorType))
	}
	return e.endFields()
}

func seconds(nanoseconds int64) Value { return Double(float64(nanoseconds) / second) }

func (e *Engine) beginFields() {
	if n := len(e.dictionary.texts); len(e.scratch.placed) < n {
		e.scratch.placed = make([]Field, n)
		e.scratch.present = make([]bool, n)
	}
}

func (e *Engine) setField(k key, v Value) {
	place := e.dictionary.rank[k]
	e.scratch.placed[place] = Field{Key: e.dictionary.texts[k], Value: v}
	e.scratch.present[place] = true
}

func (e *Engine) endFields() []Field {
	fields := e.scratch.fields[:0]
	for place, present := range e.scratch.present {
		if present {
			fields = append(fields, e.scratch.placed[place])
			e.scratch.present[place] = false
		}
	}
	e.scratch.fields = fields
	return fields
}
