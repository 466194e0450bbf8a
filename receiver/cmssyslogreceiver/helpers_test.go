// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

var update = flag.Bool("update", false, "write the golden files anew")

const waitFor, tick = 10 * time.Second, 5 * time.Millisecond

// harness is a started receiver with sinks, as bridges and a pipeline see it.
type harness struct {
	*receiverkit.Receiver
	config *Config
}

// newHarness starts a receiver that listens by UDP and TCP on free ports; change may alter
// it before.
func newHarness(t *testing.T, change func(*harness)) *harness {
	t.Helper()
	config := createDefaultConfig().(*Config)
	r := &harness{receiverkit.New(t, NewFactory(), config, zap.InfoLevel), config}
	config.FlushInterval = 10 * time.Millisecond
	config.RetryOnFailure.InitialInterval = 5 * time.Millisecond
	config.File.PollInterval = 10 * time.Millisecond
	config.File.StartAt = "beginning"
	config.UDP = &udp.BaseConfig{ListenAddress: loopback.MustAddress(t)}
	config.TCP = &tcp.BaseConfig{ListenAddress: loopback.MustAddress(t)}
	if change != nil {
		change(r)
	}
	r.Start()
	t.Cleanup(r.Stop)
	return r
}

func (r *harness) udp(text string) { r.send("udp", r.config.UDP.ListenAddress, text) }

func (r *harness) tcp(text string) { r.send("tcp", r.config.TCP.ListenAddress, text) }

func (r *harness) send(network, address, text string) {
	r.T.Helper()
	conn, err := net.Dial(network, address)
	require.NoError(r.T, err)
	_, err = conn.Write([]byte(text))
	require.NoError(r.T, err)
	require.NoError(r.T, conn.Close())
}

// file lets the receiver read a file instead of listening.
func (r *harness) file(text string) {
	r.T.Helper()
	path := filepath.Join(r.T.TempDir(), "messages")
	require.NoError(r.T, os.WriteFile(path, []byte(text), 0o600))
	r.config.File.Include = []string{path}
	r.config.UDP, r.config.TCP = nil, nil
}

func fixture(tb testing.TB, path string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", path))
	require.NoError(tb, err)
	return string(text)
}

// wait returns the records of a sink when there are n.
func wait(t *testing.T, sink *consumertest.LogsSink, n int) []plog.LogRecord {
	t.Helper()
	require.Eventually(t, func() bool { return sink.LogRecordCount() >= n }, waitFor, tick)
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, n)
	return all
}

func attributeOf(lr plog.LogRecord, key string) any {
	value, ok := lr.Attributes().Get(key)
	if !ok {
		return nil
	}
	return value.AsRaw()
}

// points returns the data points of a metric, by the text of their attributes.
func points(all []pmetric.Metrics, name string) map[string]float64 {
	found := make(map[string]float64)
	if len(all) == 0 {
		return found
	}
	for _, rm := range all[len(all)-1].ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch {
				case m.Name() != name:
				case m.Type() == pmetric.MetricTypeSum:
					for _, p := range m.Sum().DataPoints().All() {
						found[textOf(p.Attributes().AsRaw())] += float64(p.IntValue())
					}
				case m.Type() == pmetric.MetricTypeHistogram:
					for _, p := range m.Histogram().DataPoints().All() {
						found[textOf(p.Attributes().AsRaw())] += float64(p.Count())
					}
				}
			}
		}
	}
	return found
}

func textOf(attributes map[string]any) string {
	var all []string
	for _, value := range attributes {
		all = append(all, value.(string))
	}
	slices.Sort(all)
	return strings.Join(append(all, ""), " ")
}
