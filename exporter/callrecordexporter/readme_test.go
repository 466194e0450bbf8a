// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

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

	"github.com/legato-otel/legato/internal/archive/store"
)

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(content)
}

// The examples load; test/e2e has the binary validate them.
func TestReadmeExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		var c struct{ Exporters map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(block[1]), &c), block[1])
		values, found := c.Exporters["callrecord"].(map[string]any)
		require.True(t, found, block[1])
		_, err := load(t, values)
		require.NoError(t, err, block[1])
	}
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
		key := field.Tag.Get("mapstructure")
		if key == ",squash" { // exporterhelper's, with one key
			key = "timeout"
		}
		if key != "" {
			keys = append(keys, key)
			assert.Contains(t, readme(t), "\n| `"+key+"` | ")
		}
	}
	for key := range properties.ToStringMap() {
		documented = append(documented, key)
	}
	assert.ElementsMatch(t, keys, documented)
}

// The alerts are about series that there are, and the metrics know all tables
// and outcomes.
func TestReadmeSeries(t *testing.T) {
	known := newHarness(t, nil).counts()
	found := regexp.MustCompile(`otelcol_exporter_callrecord_([a-z_]+?)\(_total\)\?"(?:, outcome="([a-z]+)")?\}`).FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, found)
	for _, name := range found {
		assert.Contains(t, known, strings.TrimSpace("otelcol_exporter_callrecord_"+name[1]+" "+name[2]))
	}
	var declared struct {
		Attributes map[string]struct{ Enum []string }
	}
	content, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, &declared))
	assert.Equal(t, store.Tables(), declared.Attributes["table"].Enum)
	for _, outcome := range declared.Attributes["outcome"].Enum {
		assert.Contains(t, ofOutcome, outcome)
		assert.Contains(t, readme(t), "`"+outcome+"`")
	}
	assert.Len(t, declared.Attributes["outcome"].Enum, len(ofOutcome))
}
