// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// TestConsumeContract runs the Collector's contract checker: for any error of the next
// consumer, each event is delivered or, on a permanent error, counted.
func TestConsumeContract(t *testing.T) {
	config := createDefaultConfig().(*Config)
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	config.Servers = []ServerConfig{serverConfig(listener.Addr().String())}
	generator := &participantGenerator{bridge: newFakeBridge(t, listener.Addr().String(), func() net.Listener { return listener })}
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       contractFactory(),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     generator,
		GenerateCount: 100,
	})
}

// contractFactory returns a factory whose records carry the id that the checker expects.
func contractFactory() receiver.Factory {
	inner := NewFactory()
	return receiver.NewFactory(inner.Type(), inner.CreateDefaultConfig, receiver.WithLogs(
		func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			translated, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
				for _, rl := range logs.ResourceLogs().All() {
					for _, sl := range rl.ScopeLogs().All() {
						sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return lr.EventName() != names.EventEventParticipantAdd })
						for _, lr := range sl.LogRecords().All() {
							lr.Attributes().PutStr(receivertest.UniqueIDAttrName, text(lr, names.ParticipantID))
						}
					}
				}
				if logs.LogRecordCount() == 0 {
					return nil
				}
				return next.ConsumeLogs(ctx, logs)
			}, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
			if err != nil {
				return nil, err
			}
			return inner.CreateLogs(ctx, set, cfg, translated)
		}, metadata.LogsStability,
	))
}

// participantGenerator adds participants to a call. Each run has a new call, so that it
// sees no earlier participants.
type participantGenerator struct {
	bridge *fakeBridge
	next   atomic.Int64
	call   string
}

func (j *participantGenerator) Start() {
	j.call = fmt.Sprintf("call-%d", j.next.Add(1))
	j.bridge.addCall(j.call, callElements(j.call))
}

func (j *participantGenerator) Stop() { j.bridge.removeCall(j.call) }

func (j *participantGenerator) Generate() []receivertest.UniqueIDAttrVal {
	id := fmt.Sprintf("p-%d", j.next.Add(1))
	j.bridge.addParticipant(j.call, id, participantElements("P"))
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(id)}
}
