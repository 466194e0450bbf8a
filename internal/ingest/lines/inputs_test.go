// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/loopback"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type taken struct {
	from  Origin
	lines []string
}

func collect(into chan taken) Sink {
	return func(_ context.Context, from Origin, lines []string) error {
		into <- taken{from, lines}
		return nil
	}
}

func send(t *testing.T, network, address, text string) {
	t.Helper()
	conn, err := net.Dial(network, address)
	require.NoError(t, err)
	_, err = conn.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func TestInputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages")
	require.NoError(t, os.WriteFile(path, []byte("one\ntwo \xff\n"), 0o600))
	config := &Config{
		UDP: &udp.BaseConfig{ListenAddress: loopback.MustAddress(t)}, TCP: &tcp.BaseConfig{ListenAddress: loopback.MustAddress(t)},
		File: *fileconsumer.NewConfig(),
	}
	config.File.Include, config.File.StartAt, config.File.PollInterval = []string{path}, "beginning", 10*time.Millisecond
	got := make(chan taken, 10)
	inputs, err := Build(config, componenttest.NewNopTelemetrySettings(), collect(got))
	require.NoError(t, err)
	require.NoError(t, inputs.Start(nil))
	file := <-got
	assert.Equal(t, Origin{File: "messages", Transport: "file", RereadAfterRestart: true}, file.from)
	assert.Equal(t, []string{"one", "two \xff"}, file.lines)
	send(t, "udp", config.UDP.ListenAddress, "three\nfour\xff")
	assert.Equal(t, taken{Origin{Transport: "udp"}, []string{"three"}}, <-got)
	assert.Equal(t, taken{Origin{Transport: "udp"}, []string{"four\xff"}}, <-got)
	send(t, "tcp", config.TCP.ListenAddress, "7 <14>a\nbfive")
	assert.Equal(t, taken{Origin{Transport: "tcp"}, []string{"<14>a", "b"}}, <-got)
	assert.Equal(t, taken{Origin{Transport: "tcp"}, []string{"five"}}, <-got)
	require.NoError(t, inputs.Stop())
	require.NoError(t, inputs.Stop())
}

// Each failed TLS handshake is an error of the input; the log has one a minute.
func TestFailedHandshakesAreLimited(t *testing.T) {
	_, certFile, keyFile := testkit.Certificate(t)
	tls := configtls.NewDefaultServerConfig()
	tls.CertFile, tls.KeyFile = certFile, keyFile
	config := &Config{TCP: &tcp.BaseConfig{ListenAddress: loopback.MustAddress(t), TLS: &tls}}
	core, log := observer.New(zap.WarnLevel)
	set := componenttest.NewNopTelemetrySettings()
	set.Logger = zap.New(core)
	inputs, err := Build(config, set, collect(make(chan taken, 1)))
	require.NoError(t, err)
	require.NoError(t, inputs.Start(nil))
	for range 3 {
		conn, err := net.Dial("tcp", config.TCP.ListenAddress)
		require.NoError(t, err)
		_, err = conn.Write([]byte("in clear\n"))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, conn) // until the input has closed it
		require.NoError(t, conn.Close())
	}
	require.NoError(t, inputs.Stop())
	assert.Equal(t, 1, log.FilterMessage("Scanner error").Len())
}

func TestBuildErrors(t *testing.T) {
	set := componenttest.NewNopTelemetrySettings()
	_, err := Build(&Config{UDP: &udp.BaseConfig{ListenAddress: "x"}}, set, nil)
	require.ErrorContains(t, err, "udp: ")
	_, err = Build(&Config{TCP: &tcp.BaseConfig{ListenAddress: "x"}}, set, nil)
	require.ErrorContains(t, err, "tcp: ")
	busy, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer busy.Close()
	inputs, err := Build(&Config{TCP: &tcp.BaseConfig{ListenAddress: busy.Addr().String()}}, set, nil)
	require.NoError(t, err)
	require.ErrorContains(t, inputs.Start(nil), busy.Addr().String())
	require.NoError(t, inputs.Stop())
}

func TestOffsetsAreAbandoned(t *testing.T) {
	store := testkit.NewStorage()
	client, err := store.GetClient(t.Context(), component.KindReceiver, component.MustNewID("x"), "")
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close(t.Context())) }()
	offsets := NewOffsets(client)
	require.NoError(t, offsets.Set(t.Context(), "a", []byte("1")))
	offsets.StopStoring()
	require.NoError(t, offsets.Set(t.Context(), "a", []byte("2")))
	require.NoError(t, offsets.Delete(t.Context(), "a"))
	read := storage.GetOperation("a")
	require.NoError(t, offsets.Batch(t.Context(), storage.SetOperation("a", []byte("3")), read))
	assert.Equal(t, "1", string(read.Value))
	value, err := offsets.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, "1", string(value))
	(*Offsets)(nil).StopStoring()
}
