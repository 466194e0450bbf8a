// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// shipped returns the files of configurations, those of config/scale among them.
func shipped(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.yaml", "scale/*.yaml"} {
		found, err := filepath.Glob(filepath.Join(root, "config", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	return files
}

func validate(t *testing.T, file string) (output string, err error) {
	t.Helper()
	command := exec.Command(binary("otelcol-legato"), "validate", "--config", file)
	command.Dir = root
	command.Env = append(os.Environ(), "CMS_PASSWORD=x", "MEDIASENSE_PASSWORD=x", "LEGATO_CLUSTER=east")
	out, err := command.CombinedOutput()
	return string(out), err
}

// Every shipped configuration is accepted by the binary. TestExamplesStart starts
// those of the documents, and test/scale those of config/scale.
func TestShippedConfigurations(t *testing.T) {
	for _, file := range shipped(t) {
		output, err := validate(t, file)
		assert.NoError(t, err, "%s:\n%s", file, output)
	}
}

// commentedKey is a line of YAML that a comment at the indentation of receivers holds.
var commentedKey = regexp.MustCompile("(?m)^  # (( *)[a-z_]+:( .*)?)$")

// The receivers that config/collector.yaml has in comments are accepted when the
// comments are taken away and the pipelines name them.
func TestCommentedReceivers(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "config", "collector.yaml"))
	require.NoError(t, err)
	text := string(content)
	var added []string
	for _, m := range commentedKey.FindAllStringSubmatch(text, -1) {
		if m[2] == "" {
			name, _, _ := strings.Cut(m[1], ":")
			added = append(added, name)
		}
	}
	require.Equal(t, []string{"ocms", "cmssyslog"}, added)
	text = commentedKey.ReplaceAllString(text, "  $1")
	const named = "receivers: [cmscdr, mediasense]"
	require.Equal(t, 2, strings.Count(text, named))
	text = strings.ReplaceAll(text, named, strings.TrimSuffix(named, "]")+", "+strings.Join(added, ", ")+"]")
	file := filepath.Join(t.TempDir(), "collector.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	output, err := validate(t, file)
	require.NoError(t, err, output)
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// complete is what makes a whole of the configuration of one component.
func complete(t *testing.T, text string) string {
	t.Helper()
	var part struct{ Receivers, Processors, Exporters map[string]any }
	require.NoError(t, yaml.Unmarshal([]byte(text), &part), text)
	rest := "\nextensions: { file_storage: { directory: " + t.TempDir() + " } }\n"
	exporters := slices.Sorted(maps.Keys(part.Exporters))
	if len(exporters) == 0 {
		exporters = []string{"nop"}
		rest += "exporters: { nop: {} }\n"
	}
	receivers := slices.Sorted(maps.Keys(part.Receivers))
	if len(receivers) == 0 {
		receivers = []string{"cmscdr"}
		rest += "receivers: { cmscdr: {} }\n"
	}
	pipeline := func(receivers, processors []string) string {
		return "{ receivers: [" + strings.Join(receivers, ", ") + "], processors: [" + strings.Join(processors, ", ") +
			"], exporters: [" + strings.Join(exporters, ", ") + "] }"
	}
	pipelines := "metrics: " + pipeline(receivers, nil)
	if !slices.Equal(receivers, []string{"cmsapi"}) { // which has no logs
		pipelines = "logs: " + pipeline(receivers, slices.Sorted(maps.Keys(part.Processors)))
	}
	return rest + "service: { extensions: [file_storage], pipelines: { " + pipelines + " } }\n"
}

// shippedPages returns the shipped configurations and those of deploy/ and packaging/, by file.
func shippedPages(t *testing.T) map[string]string {
	t.Helper()
	pages := deployedConfigurations(t)
	for _, file := range shipped(t) {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		pages[file] = string(content)
	}
	return pages
}

// An error of a shipped Collector is one line of its log, without the stack of the statement
// that logged it. All pages for Prometheus have the same form: one that accepts exemplars,
// and whose series differ by their resource and not by the version of a component.
func TestShippedConfigurationsAreReadable(t *testing.T) {
	for name, text := range shippedPages(t) {
		var config struct {
			Exporters map[string]map[string]any
			Service   struct {
				Telemetry struct {
					Logs map[string]any
				}
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(text), &config), name)
		assert.Equal(t, true, config.Service.Telemetry.Logs["disable_stacktrace"], "%s: errors have stack traces", name)
		for id, exporter := range config.Exporters {
			if strings.HasPrefix(id, "prometheus") {
				assert.Equal(t, true, exporter["enable_open_metrics"], "%s: %s drops exemplars", name, id)
				assert.Equal(t, true, exporter["without_scope_info"], "%s: %s has labels of versions", name, id)
				assert.Equal(t, map[string]any{"enabled": true}, exporter["resource_to_telemetry_conversion"], "%s: %s has no labels of bridges", name, id)
			}
		}
	}
}

// What a shipped configuration acknowledges is safe: no batch processor, which
// answers before it delivers; exporters with a stored queue that never give up
// and drop nothing for its size, or a file that is not buffered.
func TestShippedConfigurationsAreSafe(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	pages := shippedPages(t)
	for i, block := range yamlBlock.FindAllStringSubmatch(string(readme), -1) {
		if strings.Contains(block[1], "service:") {
			pages["README.md, block "+strconv.Itoa(i)] = block[1]
		}
	}
	for name, text := range pages {
		var config struct {
			Exporters, Processors, Connectors map[string]map[string]any
			Service                           struct {
				Pipelines map[string]struct{ Processors, Exporters []string }
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(text), &config), name)
		logs, traces := config.Service.Pipelines["logs"], config.Service.Pipelines["traces"]
		require.NotEmpty(t, logs.Exporters, name)
		assert.NotContains(t, append(logs.Processors, traces.Processors...), "batch", name)
		if slices.Contains(logs.Processors, "callstitch") {
			assert.Equal(t, "file_storage", config.Processors["callstitch"]["storage"], "%s: callstitch forgets", name)
		}
		for _, id := range append(logs.Exporters, traces.Exporters...) {
			exporter, isExporter := config.Exporters[id]
			if _, isConnector := config.Connectors[id]; isConnector && !isExporter {
				continue
			}
			if strings.HasPrefix(id, "file") {
				assert.Contains(t, exporter, "rotation", "%s: %s buffers", name, id)
				continue
			}
			queue, queued := exporter["sending_queue"].(map[string]any)
			if strings.HasPrefix(id, "callrecord") && !queued {
				continue // stored when it is accepted
			}
			retry, _ := exporter["retry_on_failure"].(map[string]any)
			assert.Equal(t, "0s", retry["max_elapsed_time"], "%s: %s gives up", name, id)
			assert.Equal(t, "file_storage", queue["storage"], "%s: %s forgets", name, id)
			batch, _ := queue["batch"].(map[string]any)
			assert.NotContains(t, batch, "max_size", "%s: %s drops what is larger", name, id)
		}
	}
}

// Errors name the key and the value, through the binary as through the tests.
func TestConfigErrors(t *testing.T) {
	f := func(receiver, want string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(file, []byte("receivers: { cmscdr: "+receiver+" }\nexporters: { nop: {} }\n"+
			"service: { pipelines: { logs: { receivers: [cmscdr], exporters: [nop] } } }\n"), 0o600))
		output, err := validate(t, file)
		require.Error(t, err)
		assert.Contains(t, output, want)
	}
	f("{ metrics: { interval: -1s } }", "interval must be at least 10ms, got -1s")
	f("{ path: cdr }", `path must start with / and have no query or fragment, got "cdr"`)
	// What the Collector itself cannot decode has the path of the key, mostly without the value.
	f("{ endpoit: x }", "'cmscdrreceiver.Config' has invalid keys: endpoit")
	f("{ metrics: { interval: soon } }", "'metrics.interval' time: invalid duration")
}
