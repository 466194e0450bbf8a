// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// collector is a running otelcol-legato with cmscdr, a file exporter that does
// not buffer (rotation switches the buffer off), and a metrics page.
type collector struct {
	t         *testing.T
	directory string
	wrapper   []string // a program and its arguments that executes the Collector, if any
	arguments []string
	address   string // of cmscdr
	page      string // URL of the metrics page
	health    string

	process *exec.Cmd
	log     lockedBuffer
}

// configuration with the ledger in storage. %DIR%, %RECEIVER% and the addresses
// are filled in by newCollector.
const configuration = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
  basicauth: { htpasswd: { inline: "cms:secret" } }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage, metrics: { interval: 100ms }%RECEIVER% }
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  prometheus: { endpoint: %PAGE%, metric_expiration: 10m }
  nop: {}
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check, basicauth]
  pipelines:
    logs: { receivers: [cmscdr], exporters: [file] }
    metrics: { receivers: [cmscdr], exporters: [prometheus] }
`

// newCollector starts a Collector that is stopped with the test. receiver is
// added to the receiver's configuration.
func newCollector(t *testing.T, receiver ...string) *collector {
	t.Helper()
	return newCollectorFrom(t, strings.Replace(configuration, "%RECEIVER%", strings.Join(receiver, ""), 1))
}

// newCollectorFrom does so from a configuration of the test's own, and with
// arguments beside it.
func newCollectorFrom(t *testing.T, configuration string, arguments ...string) *collector {
	t.Helper()
	return newWrappedCollector(t, nil, configuration, arguments...)
}

// newWrappedCollector does so through another program, which must execute the Collector
// in its own process.
func newWrappedCollector(t *testing.T, wrapper []string, configuration string, arguments ...string) *collector {
	t.Helper()
	c := &collector{t: t, directory: t.TempDir(), address: loopback.MustAddress(t)}
	page, health := loopback.MustAddress(t), loopback.MustAddress(t)
	c.page, c.health = "http://"+page+"/metrics", "http://"+health
	fill := strings.NewReplacer("%DIR%", c.directory, "%CDR%", c.address, "%PAGE%", page, "%HEALTH%", health)
	file := filepath.Join(c.directory, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fill.Replace(configuration)), 0o600))
	c.arguments = []string{"--config", file}
	for _, argument := range wrapper {
		c.wrapper = append(c.wrapper, fill.Replace(argument))
	}
	for _, argument := range arguments {
		c.arguments = append(c.arguments, fill.Replace(argument))
	}
	c.start()
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Logf("log of the Collector:\n%s", &c.log)
		}
	})
	return c
}

// start starts the process and waits until it is ready.
func (c *collector) start() {
	c.t.Helper()
	command := slices.Concat(c.wrapper, []string{binary("otelcol-legato")}, c.arguments)
	c.process = exec.Command(command[0], command[1:]...)
	c.process.Dir = c.directory
	c.process.Stderr = &c.log
	require.NoError(c.t, c.process.Start())
	require.Eventually(c.t, func() bool {
		response, err := http.Get(c.health)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitFor, tick, "the Collector is not ready:\n%s", &c.log)
}

// kill ends the process as a power cut of the process would.
func (c *collector) kill() {
	c.t.Helper()
	require.NoError(c.t, c.process.Process.Kill())
	_ = c.process.Wait() // its error says that it was killed
}

// stop ends the process the orderly way, if it runs.
func (c *collector) stop() {
	if c.process == nil || c.process.ProcessState != nil {
		return
	}
	require.NoError(c.t, c.process.Process.Signal(syscall.SIGTERM))
	require.NoError(c.t, c.process.Wait(), "log:\n%s", &c.log)
}

func (c *collector) url() string { return "http://" + c.address + "/cdr" }

func (c *collector) post(body string) int {
	c.t.Helper()
	response, err := http.Post(c.url(), "text/xml", strings.NewReader(body))
	require.NoError(c.t, err)
	defer response.Body.Close()
	return response.StatusCode
}

// metrics returns the metrics page.
func (c *collector) metrics() string {
	response, err := http.Get(c.page)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(page)
}

// lockedBuffer is what a process writes, readable meanwhile.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
