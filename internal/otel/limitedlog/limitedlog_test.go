// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package limitedlog

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A message comes again after a minute, with the number of those left out.
func TestOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, log := observer.New(zap.WarnLevel)
		l := New(zap.New(core))
		begin := time.Now()
		for i, want := range []struct {
			after      time.Duration
			suppressed int64
			ok         bool
		}{{0, 0, true}, {0, 0, false}, {59 * time.Second, 0, false}, {time.Minute, 2, true}, {61 * time.Second, 0, false}, {3 * time.Minute, 1, true}} {
			time.Sleep(want.after - time.Since(begin))
			l.Warn("a")
			lines := log.TakeAll()
			if !want.ok {
				assert.Empty(t, lines, i)
			} else if assert.Len(t, lines, 1, i) {
				suppressed, _ := lines[0].ContextMap()["suppressed"].(int64)
				assert.Equal(t, want.suppressed, suppressed, i)
			}
		}
		l.Error("b")
		lines := log.TakeAll()
		if assert.Len(t, lines, 1, "messages do not wait for each other") {
			assert.Equal(t, zap.ErrorLevel, lines[0].Level)
		}
	})
}

// A line names the place that logs it, and not this package's code.
func TestCaller(t *testing.T) {
	core, log := observer.New(zap.WarnLevel)
	l := New(zap.New(core, zap.AddCaller()))
	l.Warn("a")
	l.Error("b")
	lines := log.TakeAll()
	require.Len(t, lines, 2)
	for _, line := range lines {
		assert.Equal(t, "limitedlog_test.go", filepath.Base(line.Caller.File))
	}
}
