// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

// sendMetrics sends the metrics at each interval until ctx ends. They are cumulative: the
// next export makes up for a refused one.
func (r *syslogReceiver) sendMetrics(ctx context.Context) {
	ticker := time.NewTicker(r.config.Metrics.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.sendMetricsOnce(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (r *syslogReceiver) sendMetricsOnce(ctx context.Context) {
	data, err := r.recordMetrics.collect(ctx)
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
