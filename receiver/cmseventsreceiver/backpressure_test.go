// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
)

// While the next consumer refuses or blocks, acknowledgements and gauges continue. After it
// accepts records again, its records add up to the truth.
func TestBackPressure(t *testing.T) {
	for _, way := range []string{"refuses", "stuck"} {
		t.Run(way, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			var refuse atomic.Bool
			gate := make(chan struct{})
			runInBubble(t, 1, func(r *harness) {
				r.config.QueueSize = 50
				gate = make(chan struct{})
				if way == "refuses" {
					close(gate)
					refuse.Store(true)
				}
				var err error
				r.Logs, err = consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
					<-gate
					if refuse.Load() {
						return errors.New("later")
					}
					return sink.ConsumeLogs(ctx, logs)
				})
				require.NoError(t, err)
			}, func(r *harness) {
				b := r.bridges[0]
				addCalls(b, 4, 50)
				awaitGauges(r, 10*time.Second, gauges{calls: 4, participants: 200})
				for p := range 20 {
					b.removeParticipant("call-000", fmt.Sprintf("call-000-person-%03d", p), "remoteTeardown")
					b.updateParticipant("call-001", fmt.Sprintf("call-001-person-%03d", p), elements{"audioMuted": true})
				}
				b.removeCall("call-003")
				awaitGauges(r, 10*time.Second, gauges{calls: 3, participants: 130})
				r.wait(time.Minute)
				assert.Equal(t, 1, b.count("socket"), "the socket does not feel it")
				assert.NotZero(t, r.Counter("otelcol_receiver_cmsevents_records", "overflow"))
				assert.LessOrEqual(t, r.Counter("otelcol_receiver_cmsevents_queue_size"), int64(50))
				assert.Zero(t, sink.LogRecordCount())

				if way == "refuses" {
					refuse.Store(false)
				} else {
					close(gate)
				}
				r.wait(time.Minute)
				people := participantsOf(t, sink.AllLogs())
				assert.Len(t, people, 130)
				muted := 0
				for _, e := range people {
					if e["cisco.meeting_server.participant.audio_muted"] == true {
						muted++
					}
				}
				assert.Equal(t, 20, muted)
				assert.NotZero(t, r.Counter("otelcol_receiver_cmsevents_resyncs", "overflow"))
			})
		})
	}
}

// Records refused with a permanent error are counted and not retried.
func TestPermanentRefusal(t *testing.T) {
	offered := 0
	runInBubble(t, 1, func(r *harness) {
		var err error
		r.Logs, err = consumer.NewLogs(func(context.Context, plog.Logs) error {
			offered++
			return consumererror.NewPermanent(errors.New("no"))
		})
		require.NoError(t, err)
	}, func(r *harness) {
		addCalls(r.bridges[0], 1, 1)
		r.wait(time.Minute)
		assert.Equal(t, int64(3), r.Counter("otelcol_receiver_cmsevents_records", "refused"))
		assert.LessOrEqual(t, offered, 3)
	})
}
