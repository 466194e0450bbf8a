// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package readme holds a component's README.md against its code: the table of
// metrics, the configuration's keys, the examples. The tests run in the component's
// directory, where README.md and config.schema.yaml are.
package readme

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
)

const file = "README.md"

// Text is the README.
func Text(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content)
}

// Metric is a row of the table of metrics.
type Metric struct {
	Name, Kind, Unit string
	Labels           []string
	Description      string
}

// HoldMetrics holds the table between the comments "metrics table" and "end metrics
// table" against the metrics. With update it writes the table.
func HoldMetrics(t *testing.T, metrics []Metric, update bool) {
	t.Helper()
	const begin, end = "<!-- metrics table -->\n", "<!-- end metrics table -->"
	var table strings.Builder
	table.WriteString("\n| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n")
	for _, m := range metrics {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | `%s` | %s | %s |\n", m.Name, m.Kind, m.Unit, labels, m.Description)
	}
	table.WriteString("\n")
	before, rest, found := strings.Cut(Text(t), begin)
	require.True(t, found, "%s has no line %q", file, begin)
	got, after, found := strings.Cut(rest, end)
	require.True(t, found, "%s has no line %q", file, end)
	if update {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o600))
		return
	}
	assert.Equal(t, table.String(), got, "run the test with -update")
}

// HoldConfig compares the keys of a configuration's struct with the README and with a section
// of config.schema.yaml. The README has each key in backquotes behind the prefix; the schema
// has these keys and no others.
func HoldConfig(t *testing.T, config any, prefix, section string) {
	t.Helper()
	text := Text(t)
	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	var keys []string
	for field := range reflect.TypeOf(config).Fields() {
		key := field.Tag.Get("mapstructure")
		if key == "" || key == ",squash" {
			continue
		}
		keys = append(keys, key)
		assert.True(t, strings.Contains(text, "`"+prefix+key+"`") || strings.Contains(text, "`"+prefix+key+"."), "%s%s is not in %s", prefix, key, file)
	}
	properties, err := schema.Sub(section)
	require.NoError(t, err)
	var documented []string
	for key := range properties.ToStringMap() {
		documented = append(documented, key)
	}
	assert.ElementsMatch(t, keys, documented, section)
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Examples returns the README's blocks of YAML. There must be at least one.
func Examples(t *testing.T) (blocks []string) {
	t.Helper()
	for _, block := range yamlBlock.FindAllStringSubmatch(Text(t), -1) {
		blocks = append(blocks, block[1])
	}
	require.NotEmpty(t, blocks)
	return blocks
}
