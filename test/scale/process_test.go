// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"bytes"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// process is a Collector with a file of config/scale. It keeps its addresses and its
// directory over a restart, as a member of a StatefulSet does.
type process struct {
	t           *testing.T
	name        string
	configs     []string
	environment map[string]string

	running *exec.Cmd
	log     lockedBuffer
	// cpu is what the processes took that have ended.
	cpu time.Duration
}

// noTelemetry keeps the Collectors of one machine from the same port.
const noTelemetry = "service: { telemetry: { metrics: { level: none } } }\n"

// newProcess makes a process that is stopped with the test. overrides are YAML that is
// merged over the file.
func newProcess(t *testing.T, name, config, overrides string, environment map[string]string) *process {
	t.Helper()
	directory := t.TempDir()
	p := &process{t: t, name: name, environment: maps.Clone(environment)}
	p.configs = []string{filepath.Join(root, "config", "scale", config), filepath.Join(directory, "overrides.yaml")}
	p.override(overrides)
	p.environment["LEGATO_STORAGE"] = filepath.Join(directory, "storage")
	p.environment["LEGATO_HEALTH"] = loopback.MustAddress(t)
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, &p.log)
		}
	})
	return p
}

// override replaces the YAML that is merged over the file. It says nothing of the
// Collector's own metrics, which are switched off.
func (p *process) override(overrides string) { p.write(noTelemetry + overrides) }

// write does so with the whole of that YAML.
func (p *process) write(overrides string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(p.configs[1], []byte(overrides), 0o600))
}

// start starts the process and waits until it is ready.
func (p *process) start() {
	p.t.Helper()
	p.launch()
	require.Eventually(p.t, func() bool {
		response, err := http.Get("http://" + p.environment["LEGATO_HEALTH"] + "/status")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitFor, tick, "%s is not ready:\n%s", p.name, &p.log)
}

// launch starts the process.
func (p *process) launch() {
	p.t.Helper()
	var arguments []string
	for _, config := range p.configs {
		arguments = append(arguments, "--config", config)
	}
	p.running = exec.Command(binary("otelcol-legato"), arguments...)
	p.running.Env = os.Environ()
	for _, key := range slices.Sorted(maps.Keys(p.environment)) {
		p.running.Env = append(p.running.Env, key+"="+p.environment[key])
	}
	p.running.Stderr = &p.log
	require.NoError(p.t, p.running.Start())
}

// kill ends the process as a power cut of the process would.
func (p *process) kill() {
	p.t.Helper()
	require.NoError(p.t, p.running.Process.Kill())
	p.reap() // its error says that it was killed
}

// reap waits until the process has ended.
func (p *process) reap() {
	_ = p.running.Wait()
	p.cpu += p.running.ProcessState.UserTime() + p.running.ProcessState.SystemTime()
}

// stop ends the process the orderly way, if it runs.
func (p *process) stop() {
	if p.running == nil || p.running.ProcessState != nil {
		return
	}
	_ = p.running.Process.Signal(syscall.SIGTERM)
	p.reap()
}

// move gives the process another directory with the same content, as a volume that is
// attached to another machine has.
func (p *process) move() {
	p.t.Helper()
	to := filepath.Join(p.t.TempDir(), "storage")
	require.NoError(p.t, os.Rename(p.environment["LEGATO_STORAGE"], to))
	p.environment["LEGATO_STORAGE"] = to
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
