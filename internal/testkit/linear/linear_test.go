// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

var sum int

func steps(n int) {
	for i := range n {
		sum += i ^ sum
	}
}

func TestAssert(t *testing.T) {
	const many = 2_000_000
	r := &recorder{TB: t}
	Assert(r, many, steps)
	assert.False(t, r.failed, "linear work")

	r = &recorder{TB: t}
	Assert(r, 2_000, func(n int) { steps(n * n / 4) })
	assert.True(t, r.failed, "quadratic work")
}
