// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/archive/store"
)

const (
	// usageInterval is how old the page's numbers of today's usage may be, and
	// leastUsageInterval how old they are if a run takes no more than a smallUsageShare of
	// that.
	usageInterval      = 5 * time.Minute
	leastUsageInterval = 30 * time.Second
	smallUsageShare    = 300
	// usageShare is how much longer a pause is than the run before it, so that adding up
	// takes a twentieth of the database's time at most.
	usageShare = 20
)

// addUpUsage adds up the usage, and deletes live rows whose legs are gone, at an interval,
// until ctx ends.
func (e *callRecord) addUpUsage(ctx context.Context, archive *store.Store) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		began := time.Now()
		more, err := archive.AddUpUsage(ctx, began)
		if err != nil && ctx.Err() == nil {
			e.settings.Logger.Warn("The usage of past days could not be added up; the next run goes on", zap.Error(err))
		}
		if _, err := archive.ExpireLive(ctx, began.Add(-store.LiveGrace)); err != nil && ctx.Err() == nil {
			e.settings.Logger.Warn("Live rows of legs that are gone could not be deleted; the next run goes on", zap.Error(err))
		}
		timer.Reset(usagePause(time.Since(began), more))
	}
}

// usagePause is how long the next run waits after one; more says that it has days to add up.
func usagePause(took time.Duration, more bool) time.Duration {
	if more {
		return usageShare * took
	}
	return max(usageShare*took, min(max(smallUsageShare*took, leastUsageInterval), usageInterval))
}
