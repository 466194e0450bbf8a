// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRangesHoldWhatWasAdded(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var (
			r    Ranges
			want = map[uint64]bool{}
		)
		for range 40 {
			n := dice.Uint64N(60)
			r.Add(n)
			want[n] = true
		}
		for n := range uint64(62) {
			assert.Equal(t, want[n], r.Has(n), "%v %d", r, n)
		}
		assert.EqualValues(t, len(want), r.Len())
		for i := 1; i < len(r); i++ {
			assert.Greater(t, r[i][0], r[i-1][1]+1, "%v", r)
		}
	}
}
