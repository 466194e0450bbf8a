// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// oddBodies leave out what most bodies have: the session, the bridge, the record's
// index, its object, or XML.
var oddBodies = []string{
	"", " ", "a", "<", "\x00\xff", "{}", "<html><body>Not found</body></html>",
	"<records/>", "<records></records>", `<records session="s"/>`, `<records session=""/>`, `<records callBridge="b"/>`,
	"<records><record/></records>", `<records session="s"><record/></records>`, `<records session="s"><record type="callStart"/></records>`,
	`<records session="s" callBridge="b"><record type="callLegEnd" time="x" recordIndex="-1"/></records>`,
	`<records><record type="callStart" time="2026-01-02T03:04:05Z" recordIndex="1" correlatorIndex="0"><call id="c"/></record></records>`,
	`<records session="s"><record type="callLegUpdate" recordIndex="18446744073709551615"><callLeg id=""/></record></records>`,
	`<records session="s"><record type="unheardOf" time="2026-01-02T03:04:05Z" recordIndex="1"><thing/></record></records>`,
	`<records session="s"><record type="callLegEnd" time="2026-01-02T03:04:05Z" recordIndex="1"><callLeg id="l"><alarm type="packetLoss" durationPercentage="x"/></callLeg></record>`,
}

// An answer, and what is passed on, does not depend on which pipelines there are.
func TestEachBodyWithEachSignal(t *testing.T) {
	bodies := slices.Clone(oddBodies)
	for _, dir := range []string{fixtures, filepath.Join("..", "..", "testdata", "field", "cms-cdr")} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".xml") {
				return err
			}
			body, err := os.ReadFile(path)
			bodies = append(bodies, string(body))
			return err
		}))
	}
	require.Greater(t, len(bodies), 60)
	type outcome struct {
		statuses []int
		events   []string
		series   int
	}
	run := func(withLogs, withMetrics, stored bool) (o outcome) {
		logs, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
		r := newHarness(t, func(r *harness) {
			if withLogs {
				r.Logs = logs
			}
			if withMetrics {
				r.Metrics = metrics
			}
			if stored {
				id := component.MustNewID("file_storage")
				r.config.Storage = &id
				r.Host = testkit.Host{id: testkit.NewStorage()}
			}
		})
		for _, body := range bodies {
			o.statuses = append(o.statuses, r.Post(body))
		}
		r.Stop() // the metrics are sent at the latest now
		o.events, o.series = receiverkit.EventNames(logs), metrics.DataPointCount()
		return o
	}
	want := run(true, true, false)
	assert.NotEmpty(t, want.events)
	assert.Positive(t, want.series)
	for i := range 8 {
		withLogs, withMetrics, stored := i&1 != 0, i&2 != 0, i&4 != 0
		if !withLogs && !withMetrics {
			continue
		}
		t.Run(fmt.Sprintf("logs=%t,metrics=%t,storage=%t", withLogs, withMetrics, stored), func(t *testing.T) {
			got := run(withLogs, withMetrics, stored)
			for i, status := range got.statuses {
				assert.Equal(t, want.statuses[i], status, bodies[i])
			}
			if withLogs {
				assert.Equal(t, want.events, got.events)
			}
			if withMetrics {
				assert.Positive(t, got.series)
			}
		})
	}
}
