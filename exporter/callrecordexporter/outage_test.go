// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

// A database that is away for an hour disturbs nobody who posts 50 times a second: the
// queue refuses nothing, and all rows are there when the database is back.
func TestOutage(t *testing.T) {
	outage := time.Hour
	if testing.Short() || raceEnabled {
		outage = 5 * time.Minute
	}
	const posts = 50 // a second
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, map[string]any{"sending_queue": map[string]any{}})
		away := r.Logs.(*boundedExporter).exporter.archive.Swap(nil)
		n := int(outage.Seconds()) * posts
		for i := range n {
			require.NoError(t, r.ConsumeLogs(t.Context(), legs(i, i+1)), "post %d", i)
			time.Sleep(time.Second / posts)
		}
		r.Logs.(*boundedExporter).exporter.archive.Store(away)
		count := func() (rows int) {
			found, err := away.Query(t.Context(), "SELECT COUNT(*) FROM "+store.Tables()[2])
			require.NoError(t, err)
			defer found.Close()
			for found.Next() {
				require.NoError(t, found.Scan(&rows))
			}
			return rows
		}
		for range 600 { // the longest pause between two tries is 30 s
			if count() == n {
				break
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		assert.Equal(t, n, count())
	})
}
