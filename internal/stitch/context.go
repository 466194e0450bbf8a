// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"cmp"
	"slices"
)

// contextSlots is how many contexts are cached. Records of one call arrive together; with more
// open calls than slots, contexts are rebuilt more often.
const contextSlots = 1 << 11

// callContext holds the attributes of a call or a session that its objects' records get.
type callContext struct {
	slot   uint32 // slot of the call; 0 if the entry is empty
	fields []Field
}

// contextSlot returns the cache entry of a call or a session. Containers are numbered without
// gaps, so their entries seldom collide.
func (e *Engine) contextSlot(call uint32) *callContext {
	return &e.callContexts[e.objects.at(call).containerIndex%contextSlots]
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
	f := &e.scratch.codec
	e.readFacts(f, call)
	var t valueDecoder
	t.reset(f)
	var values [len(contextKeys)]Value
	var present [len(contextKeys)]bool
	for i := range f.statements {
		for _, entry := range f.statements[i].attributes {
			if entry.key.ofContext() {
				place := contextPlaces[entry.key]
				values[place], present[place] = t.value(entry.raw), true
			}
		}
	}
	place := contextPlaces[idKeyOf(e.objects.at(call).kind)]
	values[place], present[place] = Text(e.idOf(call)), true
	c.slot, c.fields = call, c.fields[:0]
	for place, k := range contextKeys {
		if present[place] {
			c.fields = append(c.fields, Field{Key: wellKnownTexts[k], Value: values[place]})
		}
	}
	return c.fields
}

// contextKeys are the attributes of contexts in the order of their names: the ids of calls,
// recorded sessions and dialogs, and those of key.ofContext.
var contextKeys = func() [11]key {
	keys := [...]key{
		keyCall, keyRecordedSession, keySIPCallID,
		keyCallName, keyCallType, keyCallTag, keyCorrelator, keyCoSpace, keyTenant, keyCCID, keySessionStart,
	}
	slices.SortFunc(keys[:], func(a, b key) int { return cmp.Compare(wellKnownTexts[a], wellKnownTexts[b]) })
	return keys
}()

// contextPlaces are the indices of contextKeys by key.
var contextPlaces = func() (places [wellKnown]uint8) {
	for place, k := range contextKeys {
		places[k] = uint8(place)
	}
	return places
}()
