// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// TestConsumeContract runs the ecosystem's checker with a sender that sends again
// until the answer is 200. That MediaSense does so is not known; nothing that a
// sender can do about a 503 makes an event come out twice, or not at all.
func TestConsumeContract(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = loopback.MustAddress(t)
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t,
		Factory: receiverkit.ContractFactory(NewFactory(), func(lr plog.LogRecord) string {
			return receiverkit.Attribute(lr, names.MediaSenseSessionID).Str()
		}),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     &servers{t: t, url: "http://" + config.HTTP.NetAddr.Endpoint + config.Path},
		GenerateCount: 200,
	})
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
