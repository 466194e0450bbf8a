// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/legato-otel/legato/internal/meetingserver/events"
)

// blockingConsumer blocks until its context ends.
type blockingConsumer struct{}

func (blockingConsumer) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (blockingConsumer) ConsumeLogs(ctx context.Context, _ plog.Logs) error {
	<-ctx.Done()
	return ctx.Err()
}

func (blockingConsumer) ConsumeMetrics(ctx context.Context, _ pmetric.Metrics) error {
	<-ctx.Done()
	return ctx.Err()
}

// Shutdown without a deadline ends within shutdown_timeout, whatever blocks.
func TestShutdownIsBounded(t *testing.T) {
	hangs := map[string]func(*harness){
		"nothing":  func(*harness) {},
		"consumer": func(r *harness) { r.Logs, r.Metrics = blockingConsumer{}, blockingConsumer{} },
		"token":    func(r *harness) { r.bridges[0].setFaults(func(f *faults) { f.tokenHangs = true }) },
		"status": func(r *harness) {
			r.bridges[0].setFaults(func(f *faults) { f.statusHangs, f.sendNothing = true, true })
		},
		"deaf":    func(r *harness) { r.bridges[0].setFaults(func(f *faults) { f.readNothing = true }) },
		"quiet":   func(r *harness) { r.bridges[0].setFaults(func(f *faults) { f.sendNothing = true }) },
		"account": func(r *harness) { r.bridges[0].password = "other" },
	}
	for name, change := range hangs {
		for _, timeout := range []time.Duration{5 * time.Second, 500 * time.Millisecond} {
			t.Run(name+" "+timeout.String(), func(t *testing.T) {
				runInBubble(t, 1, func(r *harness) {
					r.config.ShutdownTimeout = timeout
					change(r)
				}, func(r *harness) {
					addCalls(r.bridges[0], 2, 2)
					for _, after := range []time.Duration{time.Second, 65 * time.Second} {
						r.wait(after)
						began := time.Now()
						for _, part := range r.Parts {
							require.NoError(t, part.Shutdown(context.WithoutCancel(t.Context())))
						}
						assert.LessOrEqual(t, time.Since(began), timeout+100*time.Millisecond)
						r.Start()
					}
				})
			})
		}
	}
}

// If one branch of a fan-out refuses records permanently and another one is only busy, the
// busy branch gets them later.
func TestJoinedErrors(t *testing.T) {
	tries, busyBranch := 0, 3
	runInBubble(t, 1, func(r *harness) {
		var err error
		r.Logs, err = consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
			if tries++; tries <= busyBranch {
				return errors.Join(consumererror.NewPermanent(errors.New("no")), errors.New("later"))
			}
			return r.sink.ConsumeLogs(ctx, logs)
		})
		require.NoError(t, err)
	}, func(r *harness) {
		addCalls(r.bridges[0], 1, 1)
		r.wait(time.Minute)
		assert.Equal(t, 3, r.sink.LogRecordCount())
		assert.Zero(t, r.Counter("otelcol_receiver_cmsevents_records", "refused"))
		assert.Greater(t, tries, busyBranch)
	})
}

// A consumer that is busy when the stop begins, and accepts records within
// shutdown_timeout, gets all of them.
func TestStopTriesAgain(t *testing.T) {
	var takesFrom atomic.Int64 // in nanoseconds; 0: never
	runInBubble(t, 1, func(r *harness) {
		var err error
		r.Logs, err = consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
			if from := takesFrom.Load(); from == 0 || time.Now().UnixNano() < from {
				return errors.New("later")
			}
			return r.sink.ConsumeLogs(ctx, logs)
		})
		require.NoError(t, err)
	}, func(r *harness) {
		addCalls(r.bridges[0], 1, 1)
		r.wait(time.Minute)
		takesFrom.Store(time.Now().Add(2 * time.Second).UnixNano())
		for _, part := range r.Parts {
			require.NoError(t, part.Shutdown(context.WithoutCancel(t.Context())))
		}
		assert.Equal(t, 3, r.sink.LogRecordCount())
		r.Start()
	})
}

// Batches stay below the default limit of gRPC, however long the texts are.
func TestBatchesAreBounded(t *testing.T) {
	const grpcLimit = 4 << 20
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 0)
		r.wait(time.Second)
		e := participantElements("P")
		for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			e[key] = string(make([]byte, 160)) // six times as long in JSON
		}
		for i := range 1200 {
			b.addParticipant("call-000", fmt.Sprintf("p%04d", i), e)
		}
		awaitGauges(r, 30*time.Second, gauges{calls: 1, participants: 1200})
		size := plog.ProtoMarshaler{}
		for _, batch := range r.sink.AllLogs() {
			assert.Less(t, size.LogsSize(batch), grpcLimit)
		}
	})
}

// estimateBytes is at least the heap of a record.
func TestSizeOf(t *testing.T) {
	const n = 2000
	f := func(name string, more int, text string) {
		t.Helper()
		e := participantElements("Firstname Lastname")
		for i := range more {
			e[fmt.Sprintf("element%02d", i)] = text
		}
		frame := fmt.Sprintf(`{"message":{"messageId":1,"type":"rosterUpdate","updates":[%s]}}`, updateJSON("participant", "383e2b95-73ef-4a8d-84ca-189e795009b8", "add", e))
		var d events.Decoder
		var fr events.Frame
		require.NoError(t, d.Decode([]byte(frame), &fr))
		change := events.Change{
			Kind: events.ParticipantAdded, Call: "50f204d0-0981-49b4-8035-12dbaff5e80b", Correlator: "40667441-9b70-41c0-839c-a8ce6dc7dbf1",
			CallName: []byte("Weekly sync"), Participant: "383e2b95-73ef-4a8d-84ca-189e795009b8", ParticipantName: []byte("Firstname Lastname"), Fields: fr.Fields(&fr.Updates[0]),
		}
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := heap()
		records := plog.NewLogRecordSlice()
		for range n {
			putRecord(records.AppendEmpty(), &change)
		}
		each := float64(heap()-before) / n
		t.Logf("%s: %.0f bytes, counted as %d", name, each, estimateBytes(&change))
		assert.LessOrEqual(t, each, float64(estimateBytes(&change)))
		runtime.KeepAlive(records)
	}
	f("usual", 0, "")
	f("many elements", 50, "x")
	f("long elements", 40, strings.Repeat("x", 1000))
}
