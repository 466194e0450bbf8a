// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(content)
}

// collector is as much of a Collector's configuration as the examples have.
type collector struct {
	Receivers, Processors, Exporters, Connectors, Extensions map[string]any
	Service                                                  struct {
		Extensions []string
		Pipelines  map[string]struct{ Receivers, Processors, Exporters []string }
	}
}

// The examples load, and those with pipelines are whole: what is named is
// there, and what is there is named.
func TestReadmeExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		var c collector
		decoder := yaml.NewDecoder(strings.NewReader(block[1]))
		decoder.KnownFields(true)
		require.NoError(t, decoder.Decode(&c), block[1])
		found := false
		for id, settings := range c.Processors {
			if kind, _, _ := strings.Cut(id, "/"); kind != "callstitch" {
				continue
			}
			found = true
			values, _ := settings.(map[string]any)
			config, err := load(t, values)
			require.NoError(t, err, id)
			assert.NotNil(t, config.Storage)
		}
		assert.True(t, found, block[1])
		if len(c.Service.Pipelines) > 0 {
			c.isWhole(t)
		}
	}
}

func (c *collector) isWhole(t *testing.T) {
	t.Helper()
	defined, used := make(map[string]bool), make(map[string]bool)
	for _, section := range []map[string]any{c.Receivers, c.Processors, c.Exporters, c.Connectors, c.Extensions} {
		for id := range section {
			defined[id] = true
		}
	}
	for _, id := range c.Service.Extensions {
		used[id] = true
	}
	for _, p := range c.Service.Pipelines {
		for _, part := range [][]string{p.Receivers, p.Processors, p.Exporters} {
			for _, id := range part {
				used[id] = true
			}
		}
	}
	assert.Equal(t, defined, used)
}

// Every key stands in the README and in the schema, and the schema has no
// other.
func TestConfigIsDocumented(t *testing.T) {
	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	properties, err := schema.Sub("properties")
	require.NoError(t, err)
	var keys, documented []string
	for field := range reflect.TypeFor[Config]().Fields() {
		if key := field.Tag.Get("mapstructure"); key != "" {
			keys = append(keys, key)
			assert.Contains(t, readme(t), "\n| `"+key+"` | ")
		}
	}
	for key := range properties.ToStringMap() {
		documented = append(documented, key)
	}
	assert.ElementsMatch(t, keys, documented)
}

// The README and the metrics name what the engine knows, in its order, and the
// README names every attribute of a stitched record.
func TestReadmeTables(t *testing.T) {
	text := readme(t)
	var outcomes, kinds []string
	for _, outcome := range stitch.Outcomes() {
		outcomes = append(outcomes, outcome.String())
	}
	for _, kind := range stitch.Kinds() {
		kinds = append(kinds, kind.String())
		assert.Equal(t, kind.Name()+".span", spanEvents[kind])
	}
	_, table, found := strings.Cut(text, "| outcome | condition |")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	var described []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(table, -1) {
		described = append(described, row[1])
	}
	assert.Equal(t, outcomes, described)
	for _, key := range []string{
		names.SpanName, names.SpanKind, names.SpanParentID, names.SpanStart, names.SpanStatus, names.SpanLinks,
		names.CallstitchOutcome, names.CallLegCalls,
	} {
		assert.Contains(t, text, "\n| `"+key+"` | ")
		assert.True(t, isReserved(key), key)
	}
	var declared struct {
		Attributes map[string]struct{ Enum []string }
	}
	content, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, &declared))
	assert.Equal(t, outcomes, declared.Attributes["outcome"].Enum)
	assert.Equal(t, kinds, declared.Attributes["kind"].Enum)
}

// The alerts are about series that there are.
func TestReadmeSeries(t *testing.T) {
	r := newHarness(t, nil)
	known := r.counts()
	found := regexp.MustCompile("otelcol_processor_callstitch_([a-z_]+)").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, found)
	for _, name := range found {
		assert.Contains(t, known, strings.TrimSuffix(name[1], "_total"))
	}
}
