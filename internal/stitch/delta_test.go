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

// update is one that says most of what a leg's updates say.
func (s *story) update(id string, second int) {
	s.tell("a", CallLeg, id, Update, second, textField(names.CallID, guid(1, 1)), textField(legKey("state"), "connected"),
		Field{legKey("deactivated"), Bool(second%2 == 0)}, textField(legKey("displayName"), "Jana Novak"))
}

// TestUpdatesAreStoredAlone: of an update only its own content is stored, however
// much is known before it; its call has nothing to be stored.
func TestUpdatesAreStoredAlone(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", Call, guid(1, 1), Start, 0)
	s.tell("a", CallLeg, guid(4, 1), Start, 0, textField("remote", fmt.Sprintf("%200d", 0)), textField(names.CallID, guid(1, 1)))
	stored := changes(s.e)
	for second := range 50 {
		s.update(guid(4, 1), second+1)
		changed := changes(s.e)
		assert.LessOrEqual(t, len(changed), 120+100*max(0, 1-second), "update %d, the first one with its keys", second)
		stored = append(stored, changed...)
	}
	again := restore(t, s.now, stored)
	require.Equal(t, dump(s.e), dump(again))
	require.Equal(t, finish(t, s.e, s.now), finish(t, again, s.now))
}

// TestDeltasMayComeTwice: an entry that is loaded again, or after one that has what
// it says, makes no difference, and one without its object is left out.
func TestDeltasMayComeTwice(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, guid(4, 1), Start, 0)
	begin := changes(s.e)
	s.update(guid(4, 1), 1)
	s.update(guid(4, 1), 2)
	updates := changes(s.e)
	s.e.BeginSnapshot()
	whole, _ := s.e.AppendSnapshot(nil, 1<<20)
	want := dump(s.e)
	assert.Equal(t, want, dump(restore(t, s.now, begin, updates)))
	assert.Equal(t, want, dump(restore(t, s.now, begin, updates, updates)))
	assert.Equal(t, want, dump(restore(t, s.now, whole, updates)))
	assert.Equal(t, want, dump(restore(t, s.now, begin, updates, whole, updates)))
	_, found := restore(t, s.now, updates).Find(CallLeg, guid(4, 1))
	assert.False(t, found)
}

// TestAppendedFactsAreBounded: a leg's updates do not make it larger than what it
// has to keep of them, and a few hundred bytes.
func TestAppendedFactsAreBounded(t *testing.T) {
	s := newStory(t, options)
	for second := range 2000 {
		s.tell("a", CallLeg, guid(4, 1), Update, second+1, textField("remote", fmt.Sprintf("%50d", second)))
	}
	assert.LessOrEqual(t, s.e.arena.bytes(), maxAppended/cellRoom*cellSize)
	s.tell("a", CallLeg, guid(4, 1), End, 3000, textField("remote", "x"))
	s.wait(options.Linger)
	o := s.out()[guid(4, 1)]
	assert.Equal(t, `"x"`, field(o, "remote"))
}
