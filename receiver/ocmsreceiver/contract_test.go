// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// TestConsumeContract runs the ecosystem's checker over both inputs: whatever the next
// consumer answers, each line is delivered once or, if refused permanently,
// quarantined.
func TestConsumeContract(t *testing.T) {
	file, address := filepath.Join(t.TempDir(), "event.log"), loopback.MustAddress(t)
	for name, input := range map[string]struct {
		configure func(*Config)
		write     func(*testing.T, string)
	}{
		"file": {
			func(c *Config) {
				c.File.Include, c.File.StartAt, c.File.PollInterval = []string{file}, "beginning", 10*time.Millisecond
			},
			func(t *testing.T, lines string) {
				t.Helper()
				to, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
				require.NoError(t, err)
				_, err = to.WriteString(lines)
				require.NoError(t, err)
				require.NoError(t, to.Close())
			},
		},
		"syslog by TCP": {
			func(c *Config) {
				c.Syslog = configoptional.Some(SyslogConfig{TCP: &tcp.BaseConfig{
					ListenAddress: address, MaxConnections: 1000, // each line has its own, and the input closes those beyond
				}})
			},
			func(t *testing.T, lines string) {
				t.Helper()
				conn, err := net.Dial("tcp", address)
				require.NoError(t, err)
				_, err = conn.Write([]byte(lines))
				require.NoError(t, err)
				require.NoError(t, conn.Close())
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := createDefaultConfig().(*Config)
			config.RetryOnFailure.InitialInterval, config.RetryOnFailure.MaxInterval = time.Millisecond, 10*time.Millisecond
			input.configure(config)
			receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
				T: t,
				Factory: receiverkit.ContractFactory(NewFactory(), func(lr plog.LogRecord) string {
					return receiverkit.Attribute(lr, names.SIPCallID).Str()
				}),
				Signal:        pipeline.SignalLogs,
				Config:        config,
				Generator:     &proxy{t: t, write: input.write, file: file},
				GenerateCount: 100,
			})
		})
	}
}

// proxy generates three accounting events at a time.
type proxy struct {
	t     *testing.T
	write func(*testing.T, string)
	file  string

	mu   sync.Mutex
	next int
}

func (*proxy) Start() {}

// Stop removes the file: the next run of the checker does not know its lines.
func (p *proxy) Stop() { _ = os.Remove(p.file) }

func (p *proxy) Generate() (ids []receivertest.UniqueIDAttrVal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines strings.Builder
	for range 3 {
		p.next++
		ids = append(ids, receivertest.UniqueIDAttrVal(fmt.Sprintf("call-%d@192.0.2.33", p.next)))
		lines.WriteString(event(p.next))
	}
	p.write(p.t, lines.String())
	return ids
}
