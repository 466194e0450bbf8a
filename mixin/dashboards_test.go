// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// grafana holds of a dashboard what the test is about.
type grafana struct {
	UID, Title string
	Panels     []struct {
		Type, Title, Description string
		Datasource               struct{ UID string }
		FieldConfig              struct{ Defaults struct{ Unit string } }
		Targets                  []struct{ Expr, RefID string }
	}
	Templating struct{ List []struct{ Name, Type string } }
}

// variables stand for what Grafana puts into a query.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$cluster", ".*", "$bridge", ".*", "$job", ".*")

// Dashboards are committed as they are made. Each panel has a title, a description, a unit
// and a chosen datasource, and each query selects what exists and keeps the cluster.
func TestDashboards(t *testing.T) {
	for name, c := range map[string]Config{"default": DefaultConfig(), "other": otherConfig()} {
		l := newLinter(t, c)
		seen := make(map[string]bool)
		for _, board := range Boards(c) {
			content, err := board.JSON(c)
			require.NoError(t, err, board.Title)
			if name == "default" {
				committed, err := os.ReadFile(filepath.Join("out", "dashboards", board.UID+".json"))
				require.NoError(t, err)
				assert.Equal(t, string(content), string(committed), "%s is not current: run make generate", board.UID)
			}
			var made grafana
			require.NoError(t, json.Unmarshal(content, &made))
			assert.False(t, seen[made.UID], made.UID)
			seen[made.UID] = true
			require.NotEmpty(t, made.Templating.List)
			assert.Equal(t, "datasource", made.Templating.List[0].Name)
			titles, panels := make(map[string]bool), 0
			for _, p := range made.Panels {
				if p.Type == "row" {
					continue
				}
				panels++
				assert.NotEmpty(t, p.Title, made.Title)
				assert.False(t, titles[p.Title], "%s: two panels are called %s", made.Title, p.Title)
				titles[p.Title] = true
				assert.NotEmpty(t, p.Description, p.Title)
				assert.True(t, strings.HasPrefix(p.Datasource.UID, "${"), p.Title)
				require.NotEmpty(t, p.Targets, p.Title)
				if p.Type == "traces" || p.Type == "logs" {
					continue
				}
				assert.NotEmpty(t, p.FieldConfig.Defaults.Unit, p.Title)
				for _, target := range p.Targets {
					assert.Empty(t, l.Check(variables.Replace(target.Expr)), "%s: %s: %s", made.Title, p.Title, target.Expr)
					if strings.Contains(target.Expr, "rate(") {
						assert.Contains(t, target.Expr, "$__rate_interval", p.Title)
					}
				}
			}
			assert.Positive(t, panels, made.Title)
		}
		assert.Len(t, seen, 7)
	}
}
