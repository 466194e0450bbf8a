// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlausibleSeconds(t *testing.T) {
	for _, seconds := range []float64{0, 0.001, 98, 86_400, 365 * 86_400, maxSeconds} {
		assert.True(t, PlausibleSeconds(seconds), "%g", seconds)
	}
	for _, seconds := range []float64{-0.001, -100, maxSeconds + 1, 1.7e308, math.Inf(1), math.Inf(-1), math.NaN()} {
		assert.False(t, PlausibleSeconds(seconds), "%g", seconds)
	}
}
