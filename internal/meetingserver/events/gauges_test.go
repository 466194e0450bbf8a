// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A label ignores the case of letters, and its String is the wire name.
func TestLabelsFoldCase(t *testing.T) {
	state := func(text string, want StateLabel) {
		t.Helper()
		assert.Equal(t, want, stateLabel(&Field{Element: State, Kind: Text, Text: []byte(text)}), text)
	}
	for want := Initial; want < OtherParticipantState; want++ {
		state(want.String(), want)
	}
	state("Connected", Connected)
	state("ONHOLD", OnHold)
	state("", NoState)
	state("waiting", OtherParticipantState)

	direction := func(text string, want DirectionLabel) {
		t.Helper()
		assert.Equal(t, want, directionLabel(&Field{Element: Direction, Kind: Text, Text: []byte(text)}), text)
	}
	direction("incoming", Incoming)
	direction("Incoming", Incoming)
	direction("OUTGOING", Outgoing)
	direction("", NoDirection)
	direction("sideways", OtherDirection)
}

// The state Active counts like active.
func TestGaugesFoldCase(t *testing.T) {
	held, _ := packedElements(nil).merge([]Field{
		{Element: Recording, Kind: Text, Text: []byte("Active")},
		{Element: LockState, Kind: Text, Text: []byte("LOCKED")},
	}, nil)
	m := &meeting{calls: []*call{{listFields: held}}}
	assert.True(t, m.hasValue(Recording, "active"))
	assert.True(t, m.hasValue(LockState, "locked"))
	assert.False(t, m.hasValue(Streaming, "active"))
	assert.False(t, m.hasValue(LockState, "unlocked"))
}
