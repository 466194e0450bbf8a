// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// TestConsumeContract runs the ecosystem's checker: whatever the next consumer
// answers, each line is delivered once or, if refused permanently, counted. Payloads
// have one record here, because halves of a larger one that was refused permanently
// are tried alone (intake.go), which the checker takes for sending it again.
func TestConsumeContract(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.TCP = &tcp.BaseConfig{ListenAddress: loopback.MustAddress(t), MaxConnections: 1000} // each line has its own
	config.MaxBatchRecords = 1
	config.FlushInterval = 5 * time.Millisecond
	config.RetryOnFailure.InitialInterval, config.RetryOnFailure.MaxInterval = time.Millisecond, 10*time.Millisecond
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       receiverkit.ContractFactory(NewFactory(), func(lr plog.LogRecord) string { return lr.Body().Str() }),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     &bridges{t: t, address: config.TCP.ListenAddress},
		GenerateCount: 100,
	})
}

// bridges generate three lines at a time.
type bridges struct {
	t       *testing.T
	address string
	next    atomic.Int64
}

func (*bridges) Start() {}
func (*bridges) Stop()  {}

func (b *bridges) Generate() (ids []receivertest.UniqueIDAttrVal) {
	var text strings.Builder
	for range 3 {
		id := fmt.Sprintf("call %d: connected", b.next.Add(1))
		ids = append(ids, receivertest.UniqueIDAttrVal(id))
		text.WriteString(head + id + "\n")
	}
	conn, err := net.Dial("tcp", b.address)
	require.NoError(b.t, err)
	_, err = conn.Write([]byte(text.String()))
	require.NoError(b.t, err)
	require.NoError(b.t, conn.Close())
	return ids
}
