// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// TestConsumeContract runs the ecosystem's checker with the real sender's rule:
// a bridge sends a record again until the answer is exactly 200.
func TestConsumeContract(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = loopback.MustAddress(t)
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       contractFactory(),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     &bridges{t: t, url: "http://" + config.HTTP.NetAddr.Endpoint + config.Path},
		GenerateCount: 200,
	})
}

// contractFactory makes receivers whose records carry the id the checker wants.
// The checker counts permanently refused records as dropped; their quarantine has no
// id and is not shown to it.
func contractFactory() receiver.Factory {
	inner := NewFactory()
	return receiver.NewFactory(inner.Type(), inner.CreateDefaultConfig, receiver.WithLogs(
		func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			translated, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
				for _, lr := range receiverkit.Records([]plog.Logs{logs}) {
					id, ok := lr.Attributes().Get(names.CallLegID)
					if !ok {
						return nil
					}
					lr.Attributes().PutStr(receivertest.UniqueIDAttrName, id.Str())
				}
				return next.ConsumeLogs(ctx, logs)
			})
			if err != nil {
				return nil, err
			}
			return inner.CreateLogs(ctx, set, cfg, translated)
		}, metadata.LogsStability,
	))
}

// bridges generates posts of three records, each from a session of its own, so
// that the checker's goroutines do not wait for each other.
type bridges struct {
	t    *testing.T
	url  string
	next atomic.Int64
}

func (*bridges) Start() {}
func (*bridges) Stop()  { http.DefaultClient.CloseIdleConnections() }

func (b *bridges) Generate() []receivertest.UniqueIDAttrVal {
	session := b.next.Add(1)
	var body strings.Builder
	var ids []receivertest.UniqueIDAttrVal
	fmt.Fprintf(&body, `<records session="s%d">`, session)
	for index := range 3 {
		id := fmt.Sprintf("leg-%d-%d", session, index)
		ids = append(ids, receivertest.UniqueIDAttrVal(id))
		fmt.Fprintf(&body, `<record type="callLegEnd" time="2024-03-05T09:14:12Z" correlatorIndex="%d"><callLeg id="%s"/></record>`, index, id)
	}
	body.WriteString("</records>")
	assert.Eventually(b.t, func() bool {
		response, err := http.Post(b.url, "text/xml", strings.NewReader(body.String()))
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitFor, time.Millisecond)
	return ids
}
