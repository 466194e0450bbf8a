// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package dropin

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/test/otlpsink"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	waitFor = time.Minute
	tick    = 20 * time.Millisecond
)

// root of the repository, relative to this folder.
const root = "../.."

// manifest is a builder manifest, as far as it lists components.
type manifest map[string][]map[string]string

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// documented returns the builder manifest that a document shows.
func documented(t *testing.T, document string) manifest {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, document))
	require.NoError(t, err)
	for _, block := range yamlBlock.FindAllStringSubmatch(string(content), -1) {
		if strings.Contains(block[1], "gomod:") {
			var m manifest
			require.NoError(t, yaml.Unmarshal([]byte(block[1]), &m), document)
			return m
		}
	}
	require.Fail(t, "no builder manifest", "%s shows none", document)
	return nil
}

// The README's manifest is the tested one, and has every component.
func TestDocumentedManifests(t *testing.T) {
	all := documented(t, "docs/existing-collector.md")
	assert.Equal(t, all, documented(t, "README.md"))
	var imports []string
	for _, class := range slices.Sorted(maps.Keys(all)) {
		for _, entry := range all[class] {
			imports = append(imports, strings.TrimPrefix(entry["import"], "github.com/legato-otel/legato/"))
		}
	}
	var folders []string
	for _, class := range []string{"connector", "exporter", "processor", "receiver"} {
		found, err := filepath.Glob(filepath.Join(root, class, "*"+class))
		require.NoError(t, err)
		for _, folder := range found {
			folders = append(folders, class+"/"+filepath.Base(folder))
		}
	}
	assert.ElementsMatch(t, folders, imports)
}

// TestDropIn builds, starts, posts and compares, with each Collector.
func TestDropIn(t *testing.T) {
	for _, core := range []string{"floor", "newest"} {
		t.Run(core, func(t *testing.T) {
			binary := build(t, core)
			spans := spansOfTheFlow(t, binary)
			golden := filepath.Join("testdata", "spans.golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(spans), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), spans)
		})
	}
}

// build makes a Collector of the core's own components and the documented ones,
// with the builder of the core's release, and returns the binary.
func build(t *testing.T, core string) string {
	t.Helper()
	var beside struct {
		Builder  string
		Manifest manifest `yaml:",inline"`
	}
	content, err := os.ReadFile(filepath.Join("testdata", core+".yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, &beside))
	for class, entries := range documented(t, "docs/existing-collector.md") {
		beside.Manifest[class] = append(beside.Manifest[class], entries...)
	}
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	directory := filepath.Join(here, "build", "dropin")
	require.NoError(t, os.MkdirAll(directory, 0o750))
	whole := map[string]any{
		"dist": map[string]string{
			"module": "example.com/dropin", "name": "otelcol-" + core, "version": "0.0.0", "output_path": filepath.Join(directory, core),
		},
		// The only thing that a user would not write: the components come from here.
		"replaces": []string{"github.com/legato-otel/legato => " + here},
	}
	for class, entries := range beside.Manifest {
		whole[class] = entries
	}
	content, err = yaml.Marshal(whole)
	require.NoError(t, err)
	file := filepath.Join(directory, core+".yaml")
	require.NoError(t, os.WriteFile(file, content, 0o600))

	started := time.Now()
	builder := exec.CommandContext(t.Context(), "go", "run", "go.opentelemetry.io/collector/cmd/builder@"+beside.Builder, "--config", file)
	builder.Dir = directory
	output, err := builder.CombinedOutput()
	require.NoError(t, err, "%s", output)
	t.Logf("built with ocb %s in %s", beside.Builder, time.Since(started).Round(time.Second))
	return filepath.Join(directory, core, "otelcol-"+core)
}

// spansOfTheFlow runs the Collector on testdata/config.yaml, posts
// testdata/cms-cdr/flow to it, and returns the spans, one a line.
func spansOfTheFlow(t *testing.T, binary string) string {
	t.Helper()
	sink, directory, cdr := otlpsink.NewTraces(t), t.TempDir(), loopback.MustAddress(t)
	content, err := os.ReadFile(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	config := strings.NewReplacer("%DIR%", directory, "%SINK%", sink.URL, "%CDR%", cdr, "%MEDIASENSE%", loopback.MustAddress(t),
		"%OTLP%", loopback.MustAddress(t), "%PAGE%", loopback.MustAddress(t), "%NOBODY%", loopback.MustAddress(t)).Replace(string(content))
	file := filepath.Join(directory, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))

	var log lockedBuffer
	collector := exec.CommandContext(t.Context(), binary, "--config", file)
	collector.Stderr = &log
	require.NoError(t, collector.Start())
	defer func() {
		assert.NoError(t, collector.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, collector.Wait(), "%s", &log)
	}()
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "Everything is ready") }, waitFor, tick, "%s", &log)

	for post := 1; post <= 6; post++ {
		body, err := os.ReadFile(filepath.Join(root, "testdata", "cms-cdr", "flow", fmt.Sprintf("post-%d.xml", post)))
		require.NoError(t, err)
		response, err := http.Post("http://"+cdr+"/cdr", "text/xml", bytes.NewReader(body))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode, "%s", &log)
	}
	require.Eventually(t, func() bool { spans, _ := sink.Received(); return len(spans) >= 3 }, waitFor, tick, "%s", &log)

	spans, _ := sink.Received()
	lines := make([]string, 0, len(spans))
	for _, s := range spans {
		attributes, err := yaml.Marshal(s.Attributes().AsRaw())
		require.NoError(t, err)
		lines = append(lines, fmt.Sprintf("%s trace=%s span=%s parent=%s kind=%s status=%s start=%s end=%s\n  %s\n", s.Name(),
			s.TraceID(), s.SpanID(), s.ParentSpanID(), s.Kind(), s.Status().Code(), s.StartTimestamp().AsTime().Format(time.RFC3339Nano),
			s.EndTimestamp().AsTime().Format(time.RFC3339Nano), strings.ReplaceAll(strings.TrimSpace(string(attributes)), "\n", "\n  ")))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// lockedBuffer is the output of a process, readable meanwhile.
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
