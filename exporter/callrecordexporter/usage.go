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
	// usageInterval is how old the page's numbers of today's usage may be.
	usageInterval = 5 * time.Minute
	// usageShare is how much longer a pause is than the run before it, so that adding up
	// takes a twentieth of the database's time at most.
	usageShare = 20
)

// addUpUsage adds up what was used, and deletes live rows whose legs are gone, now and
// then, until ctx ends.
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
		pause := usageShare * time.Since(began)
		if !more {
			pause = max(pause, usageInterval)
		}
		timer.Reset(pause)
	}
}
