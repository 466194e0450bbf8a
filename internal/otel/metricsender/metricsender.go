// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricsender sends the metrics that a receiver aggregates to the next
// consumer: at an interval, and once more at the receiver's shutdown.
//
// [Sender.Run] waits for the interval, and in the consumer. [Sender.Finish] bounds each
// wait of a shutdown. The tests of the receivers cover both.
package metricsender

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
)

// Sender sends metrics. A nil Sender sends none.
type Sender struct {
	// Collect returns all series, cumulative since their start.
	Collect  func(context.Context) (pmetric.Metrics, error)
	Next     consumer.Metrics
	Interval time.Duration
	// ObsReport counts the data points, as Format.
	ObsReport *receiverhelper.ObsReport
	Format    string
	Logger    *zap.Logger

	finished bool
}

// Run sends the metrics at each interval until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	ticker := time.NewTicker(s.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.Send(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Send sends the metrics once. Because they are cumulative, the next interval makes up
// for metrics that the consumer refused.
func (s *Sender) Send(ctx context.Context) {
	metrics, err := s.Collect(ctx)
	if err != nil {
		s.Logger.Error("Metrics cannot be read", zap.Error(err))
	}
	points := metrics.DataPointCount()
	if points == 0 {
		return
	}
	ctx = s.ObsReport.StartMetricsOp(ctx)
	err = s.Next.ConsumeMetrics(ctx, metrics)
	s.ObsReport.EndMetricsOp(ctx, s.Format, points, err)
	if err != nil {
		s.Logger.Warn("Metrics refused by the pipeline; the next interval sends them again", zap.Error(err))
	}
}

// Finish waits for a receiver's goroutines, Run among them, and then sends the last
// metrics, once. grace is the context of the shutdown; each wait ends shortly after it.
// If a goroutine is still running then, Run may be sending: Finish sends nothing.
func (s *Sender) Finish(grace context.Context, goroutines *sync.WaitGroup) error {
	end, cancel := bounded.Extend(grace, bounded.CancelTimeout)
	defer cancel()
	if err := bounded.Wait(end, goroutines); err != nil || s == nil || s.finished {
		return err
	}
	s.finished = true
	last, cancel := bounded.Extend(grace, 2*bounded.CancelTimeout)
	defer cancel()
	return bounded.Call(last, func(ctx context.Context) error {
		s.Send(ctx)
		return nil
	})
}
