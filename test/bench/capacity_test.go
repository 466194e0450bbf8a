// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both installed configurations carry a small load over TLS, and the report says what
// the process used.
func TestCapacityPart(t *testing.T) {
	p := capacityPlan{
		pipelinePlan: pipelinePlan{bridges: []int{4}, warmUp: 200 * time.Millisecond, time: time.Second, directory: t.TempDir()},
		rates:        []int{40, 60},
	}
	steps, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	require.Len(t, steps, 4)
	for _, s := range steps {
		assert.Zero(t, s.refused)
		assert.Zero(t, s.left, s.deployment)
		assert.Positive(t, s.records)
		assert.Positive(t, s.used)
		assert.Greater(t, s.peak, int64(10<<20))
		assert.Positive(t, s.wall)
	}
	text := p.report(steps)
	assert.Contains(t, text, "| `packaging/config.yaml` | 4 | 40 | ")
	assert.Contains(t, text, "| `config/collector.yaml` | 4 | 60 | ")
}

// The knee is below the first rate that was not carried, though a higher one was.
func TestKnee(t *testing.T) {
	step := func(rate int, p99 time.Duration, refused int) (s capacityStep) {
		s.rate, s.due, s.reached, s.p99, s.refused = rate, float64(rate), float64(rate), p99, refused
		return s
	}
	steps := []capacityStep{
		step(100, time.Millisecond, 0), step(200, 60*time.Millisecond, 0), step(300, time.Millisecond, 1), step(400, time.Millisecond, 0),
	}
	f := func(holds func(*capacityStep) bool, want string) {
		t.Helper()
		assert.Equal(t, want, upTo(knee(steps, holds)))
	}
	f((*capacityStep).prompt, "100/s (not 200/s)")
	f((*capacityStep).carried, "200/s (not 300/s)")
	f(func(*capacityStep) bool { return true }, "400/s and more")

	slow := step(100, time.Millisecond, 0)
	slow.reached = 94
	assert.False(t, slow.carried(), "it did not reach the rate")
	late := step(100, time.Millisecond, 0)
	late.took = latestBehind + time.Second
	assert.False(t, late.carried(), "the backend was behind")
}

// A Collector that does not answer ends its run, and not the others.
func TestStuckStep(t *testing.T) {
	s := capacityStep{deployment: "d", bridges: 4, rate: 100, stuck: true}
	assert.False(t, s.carried())
	assert.Equal(t, "| `d` | 4 | 100 | an answer took longer than 10s | | | | | | | | |\n", s.row())
	columns := strings.Count(strings.SplitN(capacityHead, "\n", 2)[0], "|")
	assert.Equal(t, columns, strings.Count(s.row(), "|"))
}

func TestWrittenBy(t *testing.T) {
	assert.Zero(t, writtenBy(-1))
}

// The Collector has the garbage collector's setting of the packages, unless the environment has
// another.
func TestShippedCollection(t *testing.T) {
	t.Setenv("GOGC", "")
	setting, err := shippedCollection(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "GOGC=200", setting)

	t.Setenv("GOGC", "50")
	setting, err = shippedCollection(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "GOGC=50", setting)
}
