// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// contextSlots is how many calls' contexts are kept ready. Records of one call
// come together; with more calls than slots a context is made for each record.
const contextSlots = 1 << 11

// context is what a call or a session says on everything in it.
type context struct {
	slot   uint32 // 0: none
	fields []Field
}

// contextSlot is where the context of a call or a session is kept. There are fewer
// containers than objects, and their numbers are next to each other.
func (e *Engine) contextSlot(call uint32) *context {
	return &e.contexts[e.objects.at(call).containerIndex%contextSlots]
}

// forgetContext forgets the context of a call or a session that changes.
func (e *Engine) forgetContext(call uint32) {
	if c := e.contextSlot(call); c.slot == call {
		c.slot = 0
	}
}

// contextOf returns a call's context, its id included, in the order of the keys.
// Its texts stay as they are, the slice until the next call of a method of the
// engine.
func (e *Engine) contextOf(call uint32) []Field {
	c := e.contextSlot(call)
	if c.slot == call {
		return c.fields
	}
	f, d := &e.scratch.other, &e.dictionary
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
		for _, entry := range f.statements[i].entries {
			if entry.key.ofContext() {
				put(entry.key, t.value(entry.raw))
			}
		}
	}
	put(ownKey(e.objects.at(call).kind), Text(e.idOf(call)))
	return c.fields
}
