// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

// startWith starts a receiver for both signals with a host and stops it again.
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
	config.TCP = &tcp.BaseConfig{ListenAddress: busy.Addr().String()}
	err = startWith(t, config, componenttest.NewNopHost())
	require.ErrorContains(t, err, busy.Addr().String())
	assert.ErrorContains(t, err, "address already in use")
}

func TestSameConfigurationTwice(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.TCP = &tcp.BaseConfig{ListenAddress: loopback.MustAddress(t)}
	for range 2 {
		require.NoError(t, startWith(t, config, componenttest.NewNopHost()))
	}
}

func TestShutdownWithoutStart(t *testing.T) {
	r, err := newReceiver(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestStorageExtensionErrors(t *testing.T) {
	id := component.MustNewID("file_storage")
	f := func(host testkit.Host, want string) {
		t.Helper()
		config := createDefaultConfig().(*Config)
		config.TCP = &tcp.BaseConfig{ListenAddress: "localhost:0"}
		config.Storage = &id
		assert.ErrorContains(t, startWith(t, config, host), want)
	}
	f(testkit.Host{}, `storage: no extension "file_storage"`)
	broken := testkit.NewStorage()
	broken.Fail(errors.New("locked by another process"))
	f(testkit.Host{id: broken}, `storage: open "file_storage": locked by another process`)
}
