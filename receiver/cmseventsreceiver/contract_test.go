// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
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
		T: t,
		Factory: receiverkit.ContractFactory(NewFactory(), func(lr plog.LogRecord) string {
			if lr.EventName() != names.EventEventParticipantAdd {
				return ""
			}
			return receiverkit.Attribute(lr, names.ParticipantID).Str()
		}),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     generator,
		GenerateCount: 100,
	})
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
