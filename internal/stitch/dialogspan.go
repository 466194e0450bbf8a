// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/legato-otel/legato/internal/names"
)

// resourceOf returns the resource of an object, "" if it has none.
func (e *Engine) resourceOf(slot uint32) string {
	if resource := e.objects.at(slot).resource; resource != 0 {
		return e.resources.texts[resource]
	}
	return ""
}

// maxForkFacts bounds the call's attributes that the span of a fork repeats, in bytes. A call
// may have hundreds of forks, so repeating long attributes in each would multiply the input.
const maxForkFacts = 2 << 10

// sizeOfResponse is the approximate size of an element of the list of responses, in bytes.
const sizeOfResponse = 64

// boundForkFacts reduces the facts of a call with more than maxForkFacts to those that the
// span of a fork needs, and to short party addresses.
func (e *Engine) boundForkFacts(f *factsCodec) {
	size := 0
	for i := range f.statements {
		for _, a := range f.statements[i].attributes {
			size += len(e.dictionary.texts[a.key]) + len(a.raw)
		}
	}
	for i := range f.items {
		if f.items[i].list == keyResponses {
			size += sizeOfResponse
		}
	}
	if size <= maxForkFacts {
		return
	}
	items := slices.DeleteFunc(slices.Clone(f.items), func(it item) bool {
		return it.list == keyBranches || it.list == keyResponses && it.at != ringing
	})
	f.retainKeys(func(k key) bool { return k == idKeyOf(Dialog) || k == keySIPFrom || k == keySIPTo })
	for i := range f.statements {
		s := &f.statements[i]
		s.attributes = slices.DeleteFunc(s.attributes, func(a attribute) bool { return len(a.raw) > maxShortValue })
	}
	f.items = append(f.items, items...)
}

// forkBranch returns the branch item of a fork's own facts, nil if they are damaged.
func (e *Engine) forkBranch(o *object) *item {
	f := &e.scratch.fork
	f.in = e.arena.appendTo(f.in[:0], o.facts, o.factsSize)
	f.parse()
	return f.firstBranch()
}

// startOfCall returns the start of a fork's call, 0 if unknown.
func (e *Engine) startOfCall(fork *object) int64 {
	if fork.containerSlot == 0 {
		return 0
	}
	return e.infoOf(fork.containerSlot).start
}

// timesOfDialog returns the start and the end of a dialog's span. The first and the last
// message stand in for an unknown start and end.
func timesOfDialog(s timeRange) (start, end int64) {
	start, end = s.start, s.end
	if start == 0 {
		start = s.first
	}
	if end == 0 {
		end = s.last
	}
	if start == 0 || start > end {
		start = end
	}
	return start, end
}

// deriveDialog sets the fields of out that only SIP dialogs have, and returns the derived
// attributes. e.codec holds the call's facts; o is the call or a fork of it.
func (e *Engine) deriveDialog(o *object, out *Stitched) []derivedField {
	c := e.codec.sipCall()
	if o.kind == DialogFork {
		c.first = e.forkBranch(o)
	}
	derived := e.scratch.derived[:0]
	add := func(k key, v Value) { derived = append(derived, derivedField{k, v}) }
	addDuration := func(k key, from, to int64) {
		if from != 0 && to >= from {
			add(k, seconds(to-from))
		}
	}
	call := out.Ref.slot
	if o.kind == DialogFork && o.containerSlot != 0 {
		call = o.containerSlot
	}
	id := e.idOf(call)
	if o.kind == Dialog {
		out.ID = lowerASCII(id)
	}
	add(keySIPCallID, Text(id))
	add(keySIPMethod, Text(methodInvite))
	code := c.code
	if c.first != nil {
		var from, to string
		if code, from, to = answerOf(c.first); code != 0 {
			add(keySIPFromTag, Text(from))
			add(keySIPToTag, Text(to))
		}
	}
	if code != 0 {
		add(keySIPCode, Int(code))
	}
	result := c.result()
	if result != "" {
		add(keyDialogResult, Text(result))
	}
	if result == names.DialogFailed {
		out.ErrorType = strconv.FormatInt(code, 10)
	}
	answered := c.answered()
	addDuration(keyDialogSetup, c.invited, answered)
	addDuration(keyDialogRingDelay, c.invited, c.ringing)
	addDuration(keyDialogRing, c.ringing, cmp.Or(answered, c.end()))
	addDuration(keyDialogAnswered, answered, c.end())
	if list := e.codec.responses(out.Start); len(list.Maps) > 0 {
		out.Lists = []List{list}
	}
	e.scratch.derived = derived
	return derived
}

// responses lists the responses to the call's INVITEs in time order, each with its offset from
// start.
func (f *factsCodec) responses(start int64) List {
	type response struct{ at, code int64 }
	var all []response
	for i := range f.items {
		if it := &f.items[i]; it.list == keyResponses {
			all = append(all, response{timeOfMark(it.value(keyFirst)), it.at})
		}
	}
	slices.SortFunc(all, func(a, b response) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.code, b.code)) })
	list := List{Key: names.DialogResponses}
	for _, r := range all {
		list.Maps = append(list.Maps, []Field{
			{names.ElementCode, Int(r.code)}, {names.ElementOffset, Int(max(0, r.at-start) / millisecond)},
		})
	}
	return list
}
