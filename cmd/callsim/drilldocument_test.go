// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/drill"
)

// docs/drills.md lists the drills as they are, and each leads to a runbook.
func TestDrillDocument(t *testing.T) {
	document, err := os.ReadFile("../../docs/drills.md")
	require.NoError(t, err)
	for _, d := range drill.All {
		assert.Contains(t, string(document), fmt.Sprintf("| `%s` | [%s](runbooks/%[2]s.md) | %s | %s |\n", d.Name, d.Alert, d.Severity, d.What))
		assert.FileExists(t, "../../docs/runbooks/"+d.Alert+".md")
	}
	for _, d := range drill.AllByHand {
		var row strings.Builder
		fmt.Fprintf(&row, "| `%s` | [%s](runbooks/%[2]s.md) | %s | ", d.Name, d.Alert, d.Severity)
		for i, step := range d.Steps {
			fmt.Fprintf(&row, "%d. %s. ", i+1, step)
		}
		assert.Contains(t, string(document), row.String()+"|\n")
		assert.FileExists(t, "../../docs/runbooks/"+d.Alert+".md")
		_, posted := drill.Find(d.Name)
		assert.False(t, posted, d.Name)
	}
}
