// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// TestPreload: Preload finds the objects that exist, by kind and id, and changes no state.
func TestPreload(t *testing.T) {
	e := New(options)
	source := NewSource("r", "session")
	apply := func(r *Record) Ref {
		r.Source = source
		ref, err := e.Apply(noon, r)
		require.NoError(t, err)
		return ref
	}
	call := apply(&Record{Kind: Call, ID: guidOf(1, 1), Phase: Start, Time: at(1), Index: 1})
	long := textField(legKey("displayName"), fmt.Sprintf("%01000d", 1)) // more cells than Preload loads
	leg := apply(&Record{Kind: CallLeg, ID: guidOf(1, 1), Phase: Start, Time: at(2), Index: 2, Fields: []Field{textField(names.CallID, guidOf(1, 1)), long}})
	named := apply(&Record{Kind: Recording, ID: "a name", Phase: Start, Time: at(3), Index: 3})
	before := e.AppendChanges(nil)

	all := []Expected{
		{Kind: Call, ID: guidOf(1, 1)},
		{Kind: CallLeg, ID: guidOf(1, 1), Ends: true},
		{Kind: Recording, ID: "A NAME"},
		{Kind: Streaming, ID: guidOf(1, 1)},
		{Kind: CallLeg},
	}
	e.Preload(all)
	var known []Ref
	for i := range all {
		known = append(known, all[i].Known)
	}
	assert.Equal(t, []Ref{call, leg, named, {}, {}}, known)
	assert.NotEmpty(t, before)
	assert.False(t, e.HasChanges())

	many := make([]Expected, 2*MaxExpected)
	for i := range many {
		many[i] = Expected{Kind: Call, ID: guidOf(1, 1)}
	}
	e.Preload(many)
	assert.Equal(t, call, many[MaxExpected-1].Known)
	assert.Zero(t, many[MaxExpected].Known)
}

// TestStaleKnown: a record whose preloaded object was forgotten since is merged into the object
// of its own id, even if another object has the slot now.
func TestStaleKnown(t *testing.T) {
	e := New(options)
	apply := func(r *Record) Ref {
		ref, err := e.Apply(noon, r)
		require.NoError(t, err)
		return ref
	}
	former := apply(&Record{Kind: CallLeg, ID: guidOf(1, 1), Phase: Start, Time: at(1), Index: 1})
	all := []Expected{{Kind: CallLeg, ID: guidOf(1, 1)}}
	e.Preload(all)
	require.Equal(t, former, all[0].Known)
	require.True(t, e.forget(former.slot))
	other := apply(&Record{Kind: CallLeg, ID: guidOf(1, 2), Phase: Start, Time: at(1), Index: 1})
	require.Equal(t, former.slot, other.slot)

	now := apply(&Record{Kind: CallLeg, ID: guidOf(1, 1), Known: all[0].Known, Phase: Update, Time: at(2), Index: 2})
	found, ok := e.Find(CallLeg, guidOf(1, 1))
	require.True(t, ok)
	assert.Equal(t, found, now)
	assert.NotEqual(t, other, now)
}

// TestCommonTexts: every common text is found, and no other text.
func TestCommonTexts(t *testing.T) {
	for i, text := range commonTexts[1:] {
		assert.Equal(t, byte(i+1), commonTextNumber(text), text)
		assert.Zero(t, commonTextNumber(text+"x"), text)
	}
	for _, text := range []string{"", "x", "inComing", "a text that is longer than all common ones"} {
		assert.Zero(t, commonTextNumber(text), text)
	}
}
