// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// lateness sees a standstill of the monotonic clock, of the wall clock, or of both.
func TestLateness(t *testing.T) {
	due := time.Now()
	assert.Equal(t, 7*time.Second, lateness(due, due.Add(7*time.Second)))
	assert.Negative(t, lateness(due, due.Add(-time.Second)))
	wall := due.Round(0)
	assert.Equal(t, time.Minute, lateness(wall, wall.Add(time.Minute)))
}
