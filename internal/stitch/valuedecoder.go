// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "strings"

// texts makes values of the bytes of one object. Their texts share a copy of all
// its bytes, and its GUIDs a second one, instead of one copy each.
type valueDecoder struct {
	from  []byte // the facts' bytes
	copy  string // of from
	guids strings.Builder
}

// of makes it serve the facts that were just read.
func (t *valueDecoder) reset(f *factsCodec) {
	t.from, t.copy = f.in, string(f.in)
	guids := 0
	for _, e := range f.entries {
		if e.raw[0] == tagGUID {
			guids++
		}
	}
	t.guids.Grow(guids * guidText)
}

// value makes a value of bytes that were read from the facts.
func (t *valueDecoder) value(raw []byte) Value {
	switch raw[0] & tagMask {
	case tagText, tagOpaque:
		content := textOf(raw)
		// Both are slices of one array, so what is behind them tells where they are.
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
