// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "slices"

// renderFields returns the attributes of a stitched object in key order: those of its records,
// those of its container's context, and the derived ones.
func (e *Engine) renderFields(o *object, context []Field, out *Stitched, derived []derivedField, t *valueDecoder) []Field {
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
		if k := d.keys[context[i].Key]; !e.scratch.isSet[d.position[k]] {
			e.setField(k, context[i].Value)
		}
	}
	for i := range derived {
		e.setField(derived[i].key, derived[i].value)
	}
	if out.ErrorType != "" {
		e.setField(keyErrorType, Text(out.ErrorType))
	}
	return e.endFields()
}

func seconds(nanoseconds int64) Value { return Double(float64(nanoseconds) / second) }

func (e *Engine) beginFields() {
	if n := len(e.dictionary.texts); len(e.scratch.sortedFields) < n {
		e.scratch.sortedFields = make([]Field, n)
		e.scratch.isSet = make([]bool, n)
	}
}

func (e *Engine) setField(k key, v Value) {
	position := e.dictionary.position[k]
	e.scratch.sortedFields[position] = Field{Key: e.dictionary.texts[k], Value: v}
	e.scratch.isSet[position] = true
}

func (e *Engine) endFields() []Field {
	fields := e.scratch.fields[:0]
	for position, present := range e.scratch.isSet {
		if present {
			fields = append(fields, e.scratch.sortedFields[position])
			e.scratch.isSet[position] = false
		}
	}
	e.scratch.fields = fields
	return fields
}
