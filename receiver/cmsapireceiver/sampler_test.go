// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Legs with an alarm come first, and then those that were not looked at for
// longest.
func TestSampler(t *testing.T) {
	var s sampler
	all := []string{"a", "b", "c", "d", "e"}
	assert.Equal(t, []string{"d", "a"}, s.pick(2, []string{"d"}, all))
	assert.Equal(t, []string{"b", "c"}, s.pick(2, nil, all))
	assert.Equal(t, []string{"e", "a"}, s.pick(2, nil, all))
	assert.Equal(t, []string{"e", "d"}, s.pick(2, []string{"e"}, all))
	assert.Equal(t, []string{"f", "b", "c"}, s.pick(3, nil, append(all, "f")))
	assert.Empty(t, s.pick(0, []string{"a"}, all))
	assert.Equal(t, []string{"a", "b"}, s.pick(2, []string{"a", "b", "c"}, nil), "of many alarms the oldest too")
	assert.Equal(t, []string{"c"}, s.pick(1, []string{"a", "b", "c"}, nil))
}

// What a sampler remembers is bounded, in legs and bytes, and ends with the legs.
func TestSamplerForgets(t *testing.T) {
	var s sampler
	var many []string
	for i := range 2 * maxSampledLegs {
		many = append(many, strconv.Itoa(i))
	}
	s.pick(20, nil, many)
	assert.Len(t, s.legs, maxSampledLegs)
	for range forgetAfterRounds + 1 {
		s.pick(20, nil, nil)
	}
	assert.Empty(t, s.legs)
	assert.Empty(t, s.pick(20, []string{"", strings.Repeat("x", maxLegID+1)}, nil))
	assert.Empty(t, s.legs)
}
