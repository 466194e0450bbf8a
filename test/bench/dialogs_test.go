// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// A dialog is of the generation of its leg: both name one Call-ID, and it comes
// behind the leg.
func TestDialogsAreOfTheirLegs(t *testing.T) {
	w, err := readCorpus(testCorpus(t).file, true)
	require.NoError(t, err)
	require.Positive(t, w.dialogs)
	without, err := readCorpus(testCorpus(t).file, false)
	require.NoError(t, err)
	assert.Len(t, w.lives, len(without.lives)+w.dialogs)
	assert.Equal(t, without.legs, w.legs)

	callIDOf := func(record int, generation uint32) string {
		log := plog.NewLogRecord()
		r := &w.records[record]
		r.put(log, 0, string(r.appendText(nil, tag(generation))))
		return textOf(log, names.SIPCallID)
	}
	dialogs := 0
	for i, l := range w.lives {
		if !l.isDialog {
			continue
		}
		dialogs++
		for _, record := range append([]int{l.start, l.end}, l.updates...) {
			require.True(t, w.records[record].fromProxy)
			for _, generation := range []uint32{0, 7} {
				require.Equal(t, callIDOf(w.lives[i-1].start, generation), callIDOf(record, generation))
			}
		}
		assert.NotEqual(t, callIDOf(l.start, 1), callIDOf(l.start, 2))
	}
	assert.Equal(t, w.dialogs, dialogs)
	t.Logf("%d dialogs of %d legs, %d lives", w.dialogs, w.legs, len(w.lives))

	s := newStream(w, few, 0, 1)
	assert.GreaterOrEqual(t, s.legs(), few)
	assert.InDelta(t, float64(few*w.dialogs)/float64(w.legs), s.dialogs(), 10)
}
