// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The dashboards of vmui are those of Grafana: every panel that asks for metrics, with queries
// that need no variable.
func TestVMUI(t *testing.T) {
	for name, c := range map[string]Config{"default": DefaultConfig(), "other": otherConfig()} {
		l := newLinter(t, c)
		boards := 0
		for _, board := range Boards(c) {
			content, err := board.VMUI()
			require.NoError(t, err)
			path := filepath.Join("out", "vmui", board.UID+".json")
			if content == nil {
				assert.True(t, board.trace, board.Title)
				assert.NoFileExists(t, path)
				continue
			}
			boards++
			if name == "default" {
				committed, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, string(content), string(committed), "%s is not current: run make generate", path)
			}
			var made vmuiBoard
			require.NoError(t, json.Unmarshal(content, &made))
			want, panels := 0, 0
			for _, row := range board.Rows {
				want += len(row.Panels)
			}
			for _, row := range made.Rows {
				for _, panel := range row.Panels {
					panels++
					require.NotEmpty(t, panel.Expr, panel.Title)
					assert.Len(t, panel.Alias, len(panel.Expr))
					for _, query := range panel.Expr {
						assert.NotContains(t, query, "$", panel.Title)
						assert.Empty(t, l.Check(query), "%s: %s: %s", made.Title, panel.Title, query)
					}
				}
			}
			assert.Equal(t, want, panels, made.Title)
		}
		assert.Equal(t, 6, boards)
	}
}
