// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

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

// TestConsumeContract runs the ecosystem's checker with the real sender's rule:
// a bridge sends a record again until the answer is exactly 200.
func TestConsumeContract(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = loopback.MustAddress(t)
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t,
		Factory: receiverkit.ContractFactory(NewFactory(), func(lr plog.LogRecord) string {
			return receiverkit.Attribute(lr, names.CallLegID).Str()
		}),
		Signal:        pipeline.SignalLogs,
		Config:        config,
		Generator:     &bridges{t: t, url: "http://" + config.HTTP.NetAddr.Endpoint + config.Path},
		GenerateCount: 200,
	})
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
