// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "strings"

// valueDecoder decodes the values of one object. The texts share one copy of the object's
// bytes, and the GUIDs share another, which saves an allocation for each.
type valueDecoder struct {
	from  []byte // the facts' bytes
	copy  string // a copy of from
	guids strings.Builder
}

// reset prepares the decoder for the facts that f has read.
func (t *valueDecoder) reset(f *factsCodec) {
	t.from, t.copy = f.in, string(f.in)
	guids := 0
	for _, e := range f.attributes {
		if e.raw[0] == tagGUID {
			guids++
		}
	}
	t.guids.Grow(guids * guidText)
}

// value decodes a value of the facts.
func (t *valueDecoder) value(raw []byte) Value {
	switch raw[0] & tagMask {
	case tagText, tagOpaque:
		content := textOf(raw)
		// Both slices share one array, so their capacities tell the offset.
		start := cap(t.from) - cap(content)
		shared := t.copy[start : start+len(content)]
		if raw[0]&tagMask == tagOpaque {
			return Opaque(shared)
		}
		return Text(shared)
	case tagGUID:
		start := t.guids.Len()
		var room [guidText]byte
		t.guids.Write(appendGUID(room[:0], (*[16]byte)(raw[1:])))
		return Text(t.guids.String()[start:])
	default:
		return value(raw)
	}
}
