// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"
)

// TestMetricsTable holds the README's table of metrics against the instruments.
func TestMetricsTable(t *testing.T) {
	const begin, end = "<!-- metrics table -->\n", "<!-- end metrics table -->"
	var table strings.Builder
	table.WriteString("\n| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n")
	for _, d := range definitions {
		kind := "counter"
		if d.histogram != nil {
			kind = "histogram"
		}
		labels := ""
		if len(d.attributes) > 0 {
			labels = "`" + strings.Join(d.attributes, "`, `") + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | `%s` | %s | %s |\n", d.name, kind, d.unit, labels, d.description)
	}
	table.WriteString("\n")

	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(content), begin)
	require.True(t, found)
	got, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begin+table.String()+end+after), 0o600))
		return
	}
	assert.Equal(t, table.String(), got, "run the test with -update")
}

// Every key of the configuration's own stands in the README and in the schema,
// and the schema has no other.
func TestConfigIsDocumented(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	f := func(config any, prefix, section string) {
		var keys []string
		for field := range reflect.TypeOf(config).Fields() {
			if key := field.Tag.Get("mapstructure"); key != "" && key != ",squash" {
				keys = append(keys, key)
				assert.True(t, strings.Contains(string(readme), "`"+prefix+key+"`") || strings.Contains(string(readme), "`"+prefix+key+"."), "%s is not in the README", key)
			}
		}
		properties, err := schema.Sub(section)
		require.NoError(t, err)
		var documented []string
		for key := range properties.ToStringMap() {
			documented = append(documented, key)
		}
		assert.ElementsMatch(t, keys, documented)
	}
	f(Config{}, "", "properties")
	f(MetricsConfig{}, "metrics.", "$defs::metrics_config::properties")
	f(RequestsConfig{}, "requests.", "$defs::requests_config::properties")
	f(ServerConfig{}, "", "$defs::server_config::properties")
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// What the README shows loads and is valid.
func TestReadmeExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := yamlBlock.FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		var shown struct{ Receivers map[string]map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(block[1]), &shown))
		_, err := load(t, shown.Receivers["cmssyslog"])
		assert.NoError(t, err, block[1])
	}
}
