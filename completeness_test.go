// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package legato_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The alerts of docs/completeness.md ring for each way in which records are lost and
// for none in which they are not: promtool plays the scenarios.
func TestCompletenessAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("LEGATO_REQUIRE_PROMETHEUS") != "" {
			require.NoError(t, err, "promtool comes with Prometheus, which LEGATO_REQUIRE_PROMETHEUS asks for")
		}
		t.Skip("promtool is not installed")
	}
	directory := t.TempDir()
	var rules strings.Builder
	for _, block := range yamlBlock.FindAllStringSubmatch(read(t, "docs/completeness.md"), -1) {
		if strings.HasPrefix(block[1], "groups:") {
			rules.WriteString(block[1])
		}
	}
	require.NotZero(t, rules.Len())
	require.NoError(t, os.WriteFile(filepath.Join(directory, "rules.yaml"), []byte(rules.String()), 0o600))
	scenarios := filepath.Join(directory, "scenarios.yaml")
	require.NoError(t, os.WriteFile(scenarios, []byte(read(t, "testdata/promtool/completeness.yaml")), 0o600))
	out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", scenarios).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
