// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// contextSlots is how many contexts are cached. Records of one call arrive together; with more
// open calls than slots, contexts are rebuilt more often.
const contextSlots = 1 << 11

// context holds the attributes of a call or a session that its objects' records get.
type context struct {
	slot   uint32 // slot of the call; 0 if the entry is empty
	fields []Field
}

// contextSlot returns the cache entry of a call or a session. Containers are numbered without
// gaps, so their entries seldom collide.
func (e *Engine) contextSlot(call uint32) *context {
	return &e.contexts[e.objects.at(call).containerIndex%contextSlots]
}

// forgetContext drops the cached context of a call or a session that changed.
func (e *Engine) forgetContext(call uint32) {
	if c := e.contextSlot(call); c.slot == call {
		c.slot = 0
	}
}

// contextOf returns a call's context, its id included, in key order. The texts stay valid, the
// slice only until the next method call.
func (e *Engine) contextOf(call uint32) []Field {
	c := e.contextSlot(call)
	if c.slot == call {
		return c.fields
	}
	f, d := &e.scratch.codec, &e.dictionary
	e.readFacts(f, call)
	d.sortKeys()
	var t valueDecoder
	t.reset(f)
	c.slot, c.fields = call, c.fields[:0]
	put := func(k key, v Value) {
		at := len(c.fields)
		for at > 0 && c.fields[at-1].Key > d.texts[k] {
			at--
		}
		c.fields = append(c.fields, Field{})
		copy(c.fields[at+1:], c.fields[at:])
		c.fields[at] = Field{Key: d.texts[k], Value: v}
	}
	for i := range f.statements {
		for _, entry := range f.statements[i].attributes {
			if entry.key.ofContext() {
				put(entry.key, t.value(entry.raw))
			}
		}
	}
	put(idKeyOf(e.objects.at(call).kind), Text(e.idOf(call)))
	return c.fields
}
