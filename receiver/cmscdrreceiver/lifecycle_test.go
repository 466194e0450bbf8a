// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// startWith creates a receiver for both signals, starts and stops both, and
// returns the error of the first start.
func startWith(t *testing.T, config *Config, host component.Host) error {
	t.Helper()
	set := receivertest.NewNopSettings(metadata.Type)
	logs, err := NewFactory().CreateLogs(t.Context(), set, config, consumertest.NewNop())
	require.NoError(t, err)
	metrics, err := NewFactory().CreateMetrics(t.Context(), set, config, consumertest.NewNop())
	require.NoError(t, err)
	assert.Same(t, logs, metrics, "one listener for both signals")
	err = logs.Start(t.Context(), host)
	assert.Equal(t, err, metrics.Start(t.Context(), host), "both signals learn of a failed start")
	ctx := context.WithoutCancel(t.Context())
	require.NoError(t, logs.Shutdown(ctx))
	require.NoError(t, metrics.Shutdown(ctx))
	return err
}

func TestBusyPortNamesItsAddress(t *testing.T) {
	busy, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer busy.Close()
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = busy.Addr().String()
	err = startWith(t, config, componenttest.NewNopHost())
	require.ErrorContains(t, err, busy.Addr().String())
	assert.ErrorContains(t, err, "address already in use")
}

// A receiver can be created anew from the same configuration after a stop, as
// a Collector does when it reloads.
func TestSameConfigurationTwice(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HTTP.NetAddr.Endpoint = freeAddress(t)
	for range 2 {
		require.NoError(t, startWith(t, config, componenttest.NewNopHost()))
	}
}
