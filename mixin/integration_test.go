// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/mixin/catalogue"
)

var update = flag.Bool("update", false, "write the table of metrics and the number of alerts in docs/integration.md anew")

// metricsTable lists what the components measure, the Collector's own metrics last.
func metricsTable(all []catalogue.Metric) string {
	slices.SortFunc(all, func(a, b catalogue.Metric) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Name, b.Name))
	})
	var b strings.Builder
	b.WriteString("| metric | type | unit | labels | component |\n|---|---|---|---|---|\n")
	for _, own := range []bool{false, true} {
		for _, m := range all {
			if m.Own != own {
				continue
			}
			var labels []string
			for _, l := range m.Labels {
				labels = append(labels, "`"+l.Name+"`")
			}
			fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s | %s |\n", m.Name, m.Kind, m.Unit, strings.Join(labels, " "), m.Component)
		}
	}
	return b.String()
}

var (
	metricsBlock = regexp.MustCompile(`(?s)(<!-- metrics,[^>]*-->\n)(.*?)(<!-- end of metrics -->)`)
	alertsCount  = regexp.MustCompile(`(<!-- number of alerts -->)\d*( alerts)`)
)

// TestIntegrationPage holds docs/integration.md against the catalogue and the alerts.
func TestIntegrationPage(t *testing.T) {
	all, err := catalogue.Load("..")
	require.NoError(t, err)
	alerts := map[string]bool{}
	for _, group := range Alerts(DefaultConfig()) {
		for _, rule := range group.Rules {
			alerts[rule.Alert] = true
		}
	}
	path := filepath.Join("..", "docs", "integration.md")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	page := string(content)
	require.Regexp(t, metricsBlock, page)
	require.Regexp(t, alertsCount, page)
	current := metricsBlock.ReplaceAllString(page, "${1}"+strings.ReplaceAll(metricsTable(all), "$", "$$")+"${3}")
	current = alertsCount.ReplaceAllString(current, fmt.Sprintf("${1}%d${2}", len(alerts)))
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(current), 0o600))
		return
	}
	assert.Equal(t, current, page, "run go -C mixin test . -run IntegrationPage -update")

	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(page, -1) {
		_, err := os.Stat(filepath.Join("..", "docs", link[1]))
		assert.NoError(t, err, "the page links to %s", link[1])
	}
	dashboards, err := filepath.Glob(filepath.Join("out", "dashboards", "*.json"))
	require.NoError(t, err)
	for _, d := range dashboards {
		assert.Contains(t, page, filepath.Base(d), "a dashboard is not on the page")
	}
}
