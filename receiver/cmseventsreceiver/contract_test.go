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

// TestConsumeContract runs the ecosystem's checker: whatever the next consumer
// answers, each event is delivered or, if refused for good, counted.
func TestConsumeContract(t *testing.T) {
	config := createDefaultConfig().(*Config)
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	config.Servers = []ServerConfig{serverConfig(listener.Addr().String())}
	generator := &joining{bridge: newBridge(t, listener.Addr().String(), func() net.Listener { return listener })}
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       contractFactory(),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     generator,
		GenerateCount: 100,
	})
}

// contractFactory makes receivers whose records carry the id the checker wants.
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

// joining generates participants that join a call; each run has a call of its
// own, so that none sees what was before.
type joining struct {
	bridge *bridge
	next   atomic.Int64
	call   string
}

func (j *joining) Start() {
	j.call = fmt.Sprintf("call-%d", j.next.Add(1))
	j.bridge.addCall(j.call, board(j.call))
}

func (j *joining) Stop() { j.bridge.removeCall(j.call) }

func (j *joining) Generate() []receivertest.UniqueIDAttrVal {
	id := fmt.Sprintf("p-%d", j.next.Add(1))
	j.bridge.addParticipant(j.call, id, person("P"))
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(id)}
}
