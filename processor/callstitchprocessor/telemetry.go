// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/stitch"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// Attribute sets of the metrics, made once.
var (
	kindOption    = make(map[stitch.Kind]metric.MeasurementOption)
	outcomeOption = make(map[stitch.Kind]map[stitch.Outcome]metric.MeasurementOption)
)

func init() {
	for _, kind := range stitch.Kinds() {
		name := attribute.String("kind", kind.String())
		kindOption[kind] = metric.WithAttributeSet(attribute.NewSet(name))
		outcomeOption[kind] = make(map[stitch.Outcome]metric.MeasurementOption)
		for _, outcome := range stitch.Outcomes() {
			outcomeOption[kind][outcome] = metric.WithAttributeSet(attribute.NewSet(name, attribute.String("outcome", outcome.String())))
		}
	}
}

// registerCallbacks reports the engine's counts at each collection. All series exist from the
// start, at zero, because a rate ignores the first value of a series.
func registerCallbacks(telemetry *metadata.TelemetryBuilder, s *state) error {
	observe := func(register func(metric.Int64Callback) error, count func(*stitch.Stats) int64) error {
		return register(func(_ context.Context, to metric.Int64Observer) error {
			stats := s.stats()
			to.Observe(count(&stats))
			return nil
		})
	}
	return errors.Join(
		observe(telemetry.RegisterProcessorCallstitchAttributesDroppedCallback, func(s *stitch.Stats) int64 { return toInt64(s.Dropped) }),
		observe(telemetry.RegisterProcessorCallstitchEvictedCallback, func(s *stitch.Stats) int64 { return toInt64(s.Evicted) }),
		observe(telemetry.RegisterProcessorCallstitchForgottenCallback, func(s *stitch.Stats) int64 { return toInt64(s.Forgotten) }),
		observe(telemetry.RegisterProcessorCallstitchLateCallback, func(s *stitch.Stats) int64 { return toInt64(s.Late) }),
		observe(telemetry.RegisterProcessorCallstitchOwedCallback, func(s *stitch.Stats) int64 { return int64(s.PendingEmit) }),
		observe(telemetry.RegisterProcessorCallstitchRejectedCallback, func(s *stitch.Stats) int64 { return toInt64(s.Rejected) }),
		observe(telemetry.RegisterProcessorCallstitchRememberedCallback, func(s *stitch.Stats) int64 { return int64(s.Remembered) }),
		observe(telemetry.RegisterProcessorCallstitchAsideCallback, func(s *stitch.Stats) int64 { return int64(s.CurrentlySetAside) }),
		observe(telemetry.RegisterProcessorCallstitchSetAsideCallback, func(s *stitch.Stats) int64 { return toInt64(s.SetAside) }),
		observe(telemetry.RegisterProcessorCallstitchSessionsRevivedCallback, func(s *stitch.Stats) int64 { return toInt64(s.ResumedSessions) }),
		telemetry.RegisterProcessorCallstitchOwedAgeCallback(func(_ context.Context, to metric.Int64Observer) error {
			to.Observe(int64(s.pendingAge() / time.Second))
			return nil
		}),
		observe(telemetry.RegisterProcessorCallstitchRestoredCallback, func(s *stitch.Stats) int64 { return toInt64(s.Restored) }),
		observe(telemetry.RegisterProcessorCallstitchUnclaimedCallback, func(s *stitch.Stats) int64 { return toInt64(s.Unclaimed) }),
		observe(telemetry.RegisterProcessorCallstitchStateSizeCallback, func(s *stitch.Stats) int64 { return int64(s.Bytes) }),
		telemetry.RegisterProcessorCallstitchOpenObjectsCallback(func(_ context.Context, to metric.Int64Observer) error {
			stats := s.stats()
			for kind, option := range kindOption {
				to.Observe(int64(stats.Open[kind]), option)
			}
			return nil
		}),
		telemetry.RegisterProcessorCallstitchEmittedCallback(func(_ context.Context, to metric.Int64Observer) error {
			stats := s.stats()
			for kind, outcomes := range outcomeOption {
				for outcome, option := range outcomes {
					to.Observe(toInt64(stats.Emitted[kind][outcome]), option)
				}
			}
			return nil
		}),
	)
}

func toInt64(n uint64) int64 { return int64(n) } //nolint:gosec // no count comes that far
