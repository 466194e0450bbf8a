// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/archive/store"
)

// How often the archive is looked through: a hundredth of the retention, within
// these bounds.
const (
	minExpiryInterval = time.Minute
	maxExpiryInterval = time.Hour
)

// expire deletes rows older than the retention at an interval, until ctx ends.
func (e *callRecord) expire(ctx context.Context, archive *store.Store) {
	interval := min(max(e.config.Retention/100, minExpiryInterval), maxExpiryInterval)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		e.expireOnce(ctx, archive, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (e *callRecord) expireOnce(ctx context.Context, archive *store.Store, now time.Time) {
	deleted, err := archive.Expire(ctx, now.Add(-e.config.Retention))
	for table, rows := range deleted {
		e.telemetry.ExporterCallrecordExpired.Add(ctx, rows, metric.WithAttributes(attribute.String("table", table)))
	}
	if err != nil && ctx.Err() == nil {
		e.telemetry.ExporterCallrecordRetentionFailures.Add(ctx, 1)
		e.settings.Logger.Warn("Old rows could not be deleted; the next run goes on", zap.Error(err))
	}
}
