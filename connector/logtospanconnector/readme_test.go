// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/names"
)

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(content)
}

func TestConfig(t *testing.T) {
	f := func(values map[string]any) error {
		config := createDefaultConfig()
		if err := confmap.NewFromStringMap(values).Unmarshal(config); err != nil {
			return err
		}
		assert.Equal(t, &Config{}, config)
		return confmap.Validate(config)
	}
	assert.NoError(t, f(nil))
	assert.NoError(t, f(map[string]any{}))
	assert.ErrorContains(t, f(map[string]any{"linger": "10s"}), "linger")

	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	assert.False(t, schema.IsSet("properties"))
}

// collector is as much of a Collector's configuration as reports whether the
// pipelines are right.
type collector struct {
	Receivers, Processors, Exporters, Connectors map[string]any
	Service                                      struct {
		Pipelines map[string]struct{ Receivers, Processors, Exporters []string }
	}
}

// The examples are whole: what a pipeline names is there, what is there is
// named, and the connector joins logs to traces.
func TestReadmeExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		var c collector
		require.NoError(t, yaml.Unmarshal([]byte(block[1]), &c), block[1])
		require.Contains(t, c.Connectors, "logtospan")
		settings, _ := c.Connectors["logtospan"].(map[string]any)
		require.NoError(t, confmap.NewFromStringMap(settings).Unmarshal(NewFactory().CreateDefaultConfig()))
		require.Len(t, c.Service.Pipelines, 2)
		assert.Contains(t, c.Service.Pipelines["logs"].Exporters, "logtospan")
		assert.Contains(t, c.Service.Pipelines["traces"].Receivers, "logtospan")
		c.isWhole(t)
	}
}

func (c *collector) isWhole(t *testing.T) {
	t.Helper()
	defined := make(map[string]bool)
	for _, section := range []map[string]any{c.Receivers, c.Processors, c.Exporters, c.Connectors} {
		for id := range section {
			require.NoError(t, new(component.ID).UnmarshalText([]byte(id)))
			defined[id] = true
		}
	}
	used := make(map[string]bool)
	for _, p := range c.Service.Pipelines {
		for _, part := range [][]string{p.Receivers, p.Processors, p.Exporters} {
			for _, id := range part {
				used[id] = true
			}
		}
	}
	assert.Equal(t, defined, used)
}

// The tables of the README name what the code knows, in the order in which it
// looks.
func TestReadmeTables(t *testing.T) {
	text := readme(t)
	var want, got []string
	for _, k := range resultInfo {
		if k.reason != "" {
			want = append(want, k.reason+" "+k.outcome)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z]+) \\|").FindAllStringSubmatch(text, -1) {
		got = append(got, row[1]+" "+row[2])
	}
	assert.Equal(t, want, got)
	for _, key := range []string{names.SpanName, names.SpanKind, names.SpanParentID, names.SpanStart, names.SpanStatus, names.SpanLinks} {
		assert.Contains(t, text, "\n| `"+key+"` | ")
		assert.NotEqual(t, notSpanAttribute, spanAttributeOf(key))
	}
}

// metadata.yaml declares the values that the counter's attributes have.
func TestMetadataNamesAllReasons(t *testing.T) {
	var declared struct {
		Attributes map[string]struct{ Enum []string }
	}
	content, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, &declared))
	var reasons []string
	outcomes := make(map[string]bool)
	for _, k := range resultInfo {
		outcomes[k.outcome] = true
		if k.reason != "" {
			reasons = append(reasons, k.reason)
		}
	}
	assert.Equal(t, reasons, declared.Attributes["reason"].Enum)
	assert.Len(t, declared.Attributes["outcome"].Enum, len(outcomes))
	for _, outcome := range declared.Attributes["outcome"].Enum {
		assert.True(t, outcomes[outcome], "%s", outcome)
	}
	assert.Contains(t, strings.Join(reasons, " "), "link_invalid")
}
