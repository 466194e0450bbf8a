// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

// TestMetricsTable holds the README's table of metrics against the instruments.
func TestMetricsTable(t *testing.T) {
	const begin, end = "<!-- metrics table -->\n", "<!-- end metrics table -->"
	var table strings.Builder
	table.WriteString("\n| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n")
	for _, d := range definitions {
		kind := "histogram"
		switch {
		case d.counter != nil:
			kind = "counter"
		case d.gauge != nil:
			kind = "gauge"
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
	f(RegistrationConfig{}, "registration.", "$defs::registration_config::properties")
	f(RegistrationServer{}, "", "$defs::registration_server::properties")
}
