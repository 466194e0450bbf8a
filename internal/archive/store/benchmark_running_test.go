// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// BenchmarkRunning writes what is heard of meetings while they run: for each leg
// a start, two updates, an end and the stitched record, in transactions of some
// posts each, and reports how long a transaction takes.
func BenchmarkRunning(b *testing.B) {
	for _, size := range []int{4, 32} {
		for _, driver := range Drivers() {
			b.Run(fmt.Sprintf("%s/%d", driver, size), func(b *testing.B) {
				source := b.TempDir() + "/calls.db"
				if driver == PostgreSQL {
					source = postgres.Shared(b).Database(b)
				}
				s := openTest(b, driver, source)
				var legs []Leg
				n, statements := 0, 0
				var writes []time.Duration
				for b.Loop() {
					b.StopTimer()
					for len(legs) < size {
						legs = append(legs, runningLegs(n)...)
						n++
					}
					batch := &Batch{Legs: legs[:size:size]}
					legs = legs[size:]
					statements += size
					b.StartTimer()
					began := time.Now()
					if result, err := s.Write(context.Background(), batch); err != nil || len(result.Rejected) > 0 {
						b.Fatal(err, result)
					}
					writes = append(writes, time.Since(began))
				}
				slices.Sort(writes)
				for _, quantile := range []int{50, 99} {
					b.ReportMetric(float64(writes[len(writes)*quantile/100].Microseconds())/1e3, fmt.Sprintf("p%d-ms/op", quantile))
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(statements), "µs/statement")
			})
		}
	}
}

// runningLegs are the statements of a meeting's eight legs, phase by phase.
func runningLegs(n int) []Leg {
	batch, _ := meetings(n, 9)
	var all []Leg
	for _, phase := range []Phase{Started, Updated, Updated, Ended, Stitched} {
		for i, leg := range batch.Legs {
			leg.Phase, leg.Revision = phase, Revision{Index: uint64(len(all) + 1), Time: leg.StartedAt}
			if phase != Stitched {
				leg.Outcome, leg.Role, leg.DurationSeconds = "", "", nil
			}
			if phase < Ended {
				leg.State, leg.Reason = StateRunning, ""
				leg.EndedAt = Leg{}.EndedAt
			}
			if phase == Updated {
				leg.DisplayName = fmt.Sprintf("Person %d of %d", i, len(all))
			}
			all = append(all, leg)
		}
	}
	return all
}
