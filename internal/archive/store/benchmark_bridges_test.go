// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package store

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// BenchmarkBridges writes what many bridges say of a meeting each, in transactions of
// some statements, hardly two of which are about the same meeting: the load of a
// Collector without a queue. It reports the CPU time of a statement.
func BenchmarkBridges(b *testing.B) {
	const bridges = 300
	for _, size := range []int{4, 16, 64} {
		for _, driver := range Drivers() {
			b.Run(fmt.Sprintf("%s/%d", driver, size), func(b *testing.B) {
				source := b.TempDir() + "/calls.db"
				if driver == PostgreSQL {
					source = postgres.Shared(b).Database(b)
				}
				s := openTest(b, driver, source)
				// An export has a timeout.
				ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
				defer cancel()
				queues := make([][]*Batch, bridges)
				meeting, turn, statements := 0, 0, 0
				next := func() *Batch {
					batch := &Batch{}
					for range size {
						queue := &queues[turn%bridges]
						if len(*queue) == 0 {
							*queue = runningMeeting(meeting)
							// The bridges are not all at the same point of their meetings.
							if meeting < bridges {
								*queue = (*queue)[meeting%len(*queue):]
							}
							meeting++
						}
						first := (*queue)[0]
						batch.Calls, batch.Legs = append(batch.Calls, first.Calls...), append(batch.Legs, first.Legs...)
						*queue = (*queue)[1:]
						turn++
					}
					return batch
				}
				for range 4000 / size {
					if _, err := s.Write(ctx, next()); err != nil {
						b.Fatal(err)
					}
				}
				var used time.Duration
				for b.Loop() {
					b.StopTimer()
					batch := next()
					statements += size
					before := processTime(b)
					b.StartTimer()
					if result, err := s.Write(ctx, batch); err != nil || len(result.Rejected) > 0 {
						b.Fatal(err, result)
					}
					b.StopTimer()
					used += processTime(b) - before
					b.StartTimer()
				}
				b.ReportMetric(float64(used.Nanoseconds())/1e3/float64(statements), "cpu-µs/statement")
			})
		}
	}
}

// processTime is the CPU time that the process has used.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// runningMeeting are the statements of a meeting's call and eight legs, one by one.
func runningMeeting(n int) (statements []*Batch) {
	batch, _ := meetings(n, 9)
	call := batch.Calls[0]
	call.Phase, call.State, call.Outcome, call.EndedAt, call.DurationSeconds = Started, StateRunning, "", time.Time{}, nil
	statements = append(statements, &Batch{Calls: []Call{call}})
	for i, phase := range []Phase{Started, Updated, Updated, Updated, Ended, Stitched} {
		for _, leg := range batch.Legs {
			heard := leg.StartedAt.Add(time.Duration(i*100) * time.Second)
			leg.Phase, leg.Revision = phase, Revision{Index: uint64(len(statements) + 1), Time: heard}
			if phase < Stitched {
				// A record names the leg, and says what has changed.
				leg.Outcome, leg.DurationSeconds, leg.SetupSeconds, leg.IVRSeconds, leg.LobbySeconds = "", nil, nil, nil, nil
				leg.LastHeardAt, leg.PacketLossPercent, leg.Role, leg.ParticipantID = heard, nil, "", ""
			}
			if phase < Ended {
				leg.State, leg.Reason, leg.RemoteTeardown, leg.ActivatedSeconds, leg.EndedAt = StateRunning, "", nil, nil, time.Time{}
				leg.RxAudioCodec, leg.TxAudioCodec, leg.RxVideoCodec, leg.TxVideoCodec, leg.EncryptedMedia = "", "", "", "", nil
				leg.Details = fmt.Appendf(nil, `{"cisco.meeting_server.call_leg.state":"connected","cisco.meeting_server.record.index":%d,"event.name":"cisco.meeting_server.call_leg.update"}`, i)
			}
			if phase == Started {
				leg.Role = "participant"
			}
			if phase == Updated {
				leg.StartedAt, leg.Activity = time.Time{}, ActivityConnected
			}
			statements = append(statements, &Batch{Legs: []Leg{leg}})
		}
	}
	return append(statements, &Batch{Calls: batch.Calls})
}
