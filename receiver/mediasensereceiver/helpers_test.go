// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

const fixtures = "../../testdata/mediasense"

// harness is a started receiver with sinks, as MediaSense and a pipeline see it.
type harness struct {
	*receiverkit.Posted
	config *Config
}

// newHarness starts a receiver on a free port; change may alter it before.
func newHarness(t *testing.T, change func(*harness)) *harness {
	t.Helper()
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = loopback.MustAddress(t)
	r := &harness{receiverkit.NewPosted(receiverkit.New(t, NewFactory(), config, zap.InfoLevel), "application/json"), config}
	if change != nil {
		change(r)
	}
	r.Start()
	return r
}

// Start creates and starts the receiver for each consumer that is set.
func (r *harness) Start() {
	r.T.Helper()
	r.URL = "http://" + r.config.HTTP.NetAddr.Endpoint + r.config.Path
	r.Posted.Start()
}

func fixture(tb testing.TB, name string) string {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join(fixtures, name))
	require.NoError(tb, err)
	return string(body)
}

const waitFor, tick = 10 * time.Second, 5 * time.Millisecond

func marshal(t *testing.T, logs plog.Logs) string {
	t.Helper()
	line, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return string(line)
}
