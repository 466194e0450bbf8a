// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// withSyslog lets a receiver listen instead of read files.
func withSyslog(r *harness, config SyslogConfig) {
	r.config.File.Include = nil
	r.config.ResourceAttributes = nil
	r.config.Syslog = configoptional.Some(config)
}

// send opens a connection, and writes each message.
func send(t *testing.T, network, address string, messages ...string) {
	t.Helper()
	connection, err := net.Dial(network, address)
	require.NoError(t, err)
	for _, message := range messages {
		_, err = io.WriteString(connection, message)
		require.NoError(t, err)
	}
	require.NoError(t, connection.Close())
}

// Events come by TCP, one a line, with the headers that appenders and relays write
// and without; a refused one is tried until it is taken.
func TestTCP(t *testing.T) {
	sink := new(consumertest.LogsSink)
	address := loopback.MustAddress(t)
	r := newHarness(t, func(r *harness) {
		r.Logs = &receiverkit.Failing{Next: sink, Err: errBusy, Times: 3}
		withSyslog(r, SyslogConfig{TCP: &tcp.BaseConfig{ListenAddress: address}})
	})
	send(t, "tcp", address, "<134>Jun 10 09:00:03 ocms1 "+event(0), "<134>"+event(1), event(2), "<134>1 2024-06-10T09:00:03Z ocms2 log4j - - - "+event(3))
	r.eventually(sink, callIDsOf(0, 4))
	var hosts []any
	for _, logs := range sink.AllLogs() {
		resource := logs.ResourceLogs().At(0).Resource().Attributes().AsRaw()
		assert.Equal(t, "oracle-ocms", resource[names.ServiceName])
		assert.Equal(t, resource[names.HostName], resource[names.ServiceInstanceID])
		hosts = append(hosts, resource[names.HostName])
	}
	assert.Equal(t, []any{"ocms1", nil, nil, "ocms2"}, hosts)
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		_, hasUID := lr.Attributes().Get(names.LogRecordUID)
		assert.False(t, hasUID, "only lines of files are read again")
	}
}

// Events come by TCP in frames that are counted as well, several in one, and as long as
// a line of many hops.
func TestFrames(t *testing.T) {
	sink := new(consumertest.LogsSink)
	address := loopback.MustAddress(t)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		withSyslog(r, SyslogConfig{TCP: &tcp.BaseConfig{ListenAddress: address}})
	})
	framed := func(text string) string { return fmt.Sprintf("%d %s", len(text), text) }
	long := strings.TrimSuffix(event(3), "\n") + ",note=" + strings.Repeat("x", 200<<10) + "\n"
	send(t, "tcp", address, framed("<134>"+event(0)), framed("<134>Jun 10 09:00:03 ocms1 "+event(1)+event(2)), long, framed("<134>"+event(4)))
	r.eventually(sink, callIDsOf(0, 5))
}

// Events come by UDP, one or several in a packet.
func TestUDP(t *testing.T) {
	sink := new(consumertest.LogsSink)
	address := loopback.MustAddress(t)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		withSyslog(r, SyslogConfig{UDP: &udp.BaseConfig{ListenAddress: address}})
	})
	send(t, "udp", address, "<134>"+strings.TrimSuffix(event(0), "\n"), event(1)+event(2))
	r.eventually(sink, callIDsOf(0, 3))
}

// A second appender for syslog beside the file: each event comes out once.
func TestFileAndSyslog(t *testing.T) {
	sink := new(consumertest.LogsSink)
	address := loopback.MustAddress(t)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.Syslog = configoptional.Some(SyslogConfig{TCP: &tcp.BaseConfig{ListenAddress: address}})
		r.write("events.log", events(0, 20))
	})
	send(t, "tcp", address, events(0, 25))
	require.Eventually(t, func() bool { return r.outcome("duplicate") == 20 }, waitFor, tick)
	r.eventually(sink, callIDsOf(0, 25))
}

// A message that a stop found is lost, and is counted as that.
func TestStopWithSyslog(t *testing.T) {
	address := loopback.MustAddress(t)
	r := newHarness(t, func(r *harness) {
		r.Logs = &receiverkit.Failing{Next: new(consumertest.LogsSink), Err: errBusy}
		withSyslog(r, SyslogConfig{TCP: &tcp.BaseConfig{ListenAddress: address}})
	})
	send(t, "tcp", address, event(0))
	require.Eventually(t, func() bool { return r.outcome("refused") > 0 }, waitFor, tick)
	r.Stop()
	assert.NotEmpty(t, r.Log.FilterMessageSnippet("its events are lost").All())
}

func TestBusyPort(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	config := createDefaultConfig().(*Config)
	config.Syslog = configoptional.Some(SyslogConfig{TCP: &tcp.BaseConfig{ListenAddress: busy.Addr().String()}})
	err = startWith(t, config)
	assert.ErrorContains(t, err, busy.Addr().String())
}
