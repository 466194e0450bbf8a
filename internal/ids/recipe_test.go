// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ids

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

const recipe = "../../docs/ids.md"

var vectorRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\| `([0-9a-f]{32})` \\| `([0-9a-f]{16})` \\|$")

// vector is a row of the published table.
type vector struct{ kind, id, trace, span string }

func vectors(t *testing.T) (all []vector) {
	t.Helper()
	content, err := os.ReadFile(recipe)
	require.NoError(t, err)
	for _, row := range vectorRow.FindAllStringSubmatch(string(content), -1) {
		all = append(all, vector{row[1], row[2], row[3], row[4]})
	}
	require.GreaterOrEqual(t, len(all), 10)
	return all
}

func TestPublishedTable(t *testing.T) {
	seen := make(map[string]bool)
	for _, v := range vectors(t) {
		assert.Equal(t, v.trace, traceHex(v.kind, v.id), "%s %s", v.kind, v.id)
		assert.Equal(t, v.span, spanHex(v.kind, v.id), "%s %s", v.kind, v.id)
		seen[v.kind] = true
	}
	content, err := os.ReadFile(recipe)
	require.NoError(t, err)
	for _, kind := range names.Kinds() {
		assert.True(t, seen[kind], "no vector of %s", kind)
		assert.Contains(t, string(content), "\n| `"+kind+"` | a ", "%s is not in the table of kinds", kind)
		delete(seen, kind)
	}
	assert.Empty(t, seen, "kinds nobody knows")
}

// The scripts run as published.
func TestPublishedPython(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	testScript(t, "python3", "python")
}

func TestPublishedShell(t *testing.T) { testScript(t, "sh", "sh") }

func testScript(t *testing.T, interpreter, language string) {
	t.Helper()
	content, err := os.ReadFile(recipe)
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)\n```"+language+"\n(.*?)```").FindAllStringSubmatch(string(content), -1)
	require.Len(t, blocks, 1)
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte(blocks[0][1]), 0o600))
	for _, v := range vectors(t) {
		out, err := exec.CommandContext(t.Context(), interpreter, script, v.kind, v.id).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, "trace "+v.trace+"\nspan "+v.span+"\n", string(out), "%s %s", v.kind, v.id)
	}
}
