// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
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
	config.HTTP.NetAddr.Endpoint = loopback.MustAddress(t)
	for range 2 {
		require.NoError(t, startWith(t, config, componenttest.NewNopHost()))
	}
}

// A shutdown whose time is up cuts off requests, and nothing is consumed or
// acknowledged after it.
func TestShutdownOutOfTime(t *testing.T) {
	store := testkit.NewStorage()
	waiting := make(chan struct{})
	stuck, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
		close(waiting)
		<-ctx.Done()
		return ctx.Err()
	})
	require.NoError(t, err)
	r := newHarness(t, func(r *harness) { r.Logs = stuck; withStorage(store)(r) })
	body := fixture(t, "session-ended.json")
	refused := make(chan bool)
	go func() {
		response, err := r.Client.Post(r.URL, "application/json", strings.NewReader(body))
		if err == nil {
			_ = response.Body.Close()
		}
		refused <- err != nil || response.StatusCode != http.StatusOK
	}()
	<-waiting
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Parts[0].Shutdown(expired), context.Canceled)
	assert.True(t, <-refused)
	assert.Zero(t, store.Open())
	assert.Empty(t, store.Values())
	r.Parts = nil
}

func TestStorageExtensionErrors(t *testing.T) {
	f := func(host testkit.Host, want string) {
		t.Helper()
		id := storageID
		config := createDefaultConfig().(*Config)
		config.HTTP.NetAddr.Endpoint = "localhost:0"
		config.Storage = &id
		assert.ErrorContains(t, startWith(t, config, host), want)
	}
	f(testkit.Host{}, `storage: no extension "file_storage"`)
	f(testkit.Host{storageID: notStorage{}}, `extension "file_storage" is not a storage extension`)
	broken := testkit.NewStorage()
	broken.Fail(errors.New("locked by another process"))
	f(testkit.Host{storageID: broken}, `storage: open "file_storage": locked by another process`)
}

type notStorage struct {
	component.StartFunc
	component.ShutdownFunc
}
