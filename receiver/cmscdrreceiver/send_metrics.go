// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// sendMetrics sends what was counted at each interval, and once more when ctx
// ends. The metrics are cumulative, so a refused sending is made good by the next.
func (r *cdrReceiver) sendMetrics(ctx context.Context, from *measures) {
	ticker := time.NewTicker(r.config.Metrics.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.sendMetricsOnce(ctx, from)
		case <-ctx.Done():
			r.sendMetricsOnce(context.WithoutCancel(ctx), from)
			return
		}
	}
}

func (r *cdrReceiver) sendMetricsOnce(ctx context.Context, from *measures) {
	data, err := from.bridges.Collect(ctx)
	if err != nil {
		r.settings.Logger.Error("Metrics cannot be read", zap.Error(err))
	}
	points := data.DataPointCount()
	if points == 0 {
		return
	}
	ctx = r.obsreport.StartMetricsOp(ctx)
	err = r.metrics.ConsumeMetrics(ctx, data)
	r.obsreport.EndMetricsOp(ctx, metadata.Type.String(), points, err)
	if err != nil {
		r.settings.Logger.Warn("Metrics refused, they go with the next interval", zap.Error(err))
	}
}

// measuresOrNil is nil unless there is somebody to send metrics to.
func measuresOrNil(m *measures, next consumer.Metrics) *measures {
	if next == nil {
		return nil
	}
	return m
}
