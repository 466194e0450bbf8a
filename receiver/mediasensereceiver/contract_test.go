// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

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
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// TestConsumeContract runs the ecosystem's checker with a sender that sends again
// until the answer is 200. That MediaSense does so is not known; nothing that a
// sender can do about a 503 makes an event come out twice, or not at all.
func TestConsumeContract(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = loopback.MustAddress(t)
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       contractFactory(),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     &servers{t: t, url: "http://" + config.HTTP.NetAddr.Endpoint + config.Path},
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
					id, ok := lr.Attributes().Get(names.MediaSenseSessionID)
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

// servers generates posts of three events each.
type servers struct {
	t    *testing.T
	url  string
	next atomic.Int64
}

func (*servers) Start() {}
func (*servers) Stop()  { http.DefaultClient.CloseIdleConnections() }

func (s *servers) Generate() []receivertest.UniqueIDAttrVal {
	var body strings.Builder
	var ids []receivertest.UniqueIDAttrVal
	for range 3 {
		id := fmt.Sprintf("session-%d", s.next.Add(1))
		ids = append(ids, receivertest.UniqueIDAttrVal(id))
		fmt.Fprintf(&body, `{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":{"sessionId":"%s"}}`, id)
	}
	assert.Eventually(s.t, func() bool {
		response, err := http.Post(s.url, "application/json", strings.NewReader(body.String()))
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitFor, time.Millisecond)
	return ids
}
