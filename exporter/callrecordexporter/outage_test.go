// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/exporter/callrecordexporter/internal/metadata"
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

// A database that stays away is logged at once and then at most once a minute, with the
// delay of the next try in a unit.
func TestAwayIsLoggedOnceAMinute(t *testing.T) {
	const away = 10 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		set := exportertest.NewNopSettings(metadata.Type)
		core, log := observer.New(zap.DebugLevel)
		set.Logger = zap.New(core)
		e, err := newExporter(createDefaultConfig().(*Config), set)
		require.NoError(t, err)
		tries := 0
		e.connect = func(context.Context) (*store.Store, error) {
			tries++
			return nil, store.ErrUnreachable
		}
		require.NoError(t, e.start(t.Context(), componenttest.NewNopHost()))
		synctest.Wait()
		lines := func() []observer.LoggedEntry { return log.FilterMessageSnippet("trying again").All() }
		require.Len(t, lines(), 1, "the first failure is logged at once")
		time.Sleep(away)
		require.NoError(t, e.shutdown(t.Context()))
		assert.Greater(t, tries, 15)
		assert.Greater(t, len(lines()), 5)
		for i, line := range lines() {
			if i > 0 {
				assert.GreaterOrEqual(t, line.Time.Sub(lines()[i-1].Time), time.Minute)
			}
			text, err := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()).EncodeEntry(zapcore.Entry{}, line.Context)
			require.NoError(t, err)
			assert.Regexp(t, `"retry_in":"[0-9.]+m?s"`, text.String())
		}
	})
}
