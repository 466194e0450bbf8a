// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package outage

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/exporter/callrecordexporter"
	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

const (
	// posts are how many bridges post in a second of the outage.
	posts = 50
	// posters post at once, as fast as they are answered: the outage's posts come in a
	// part of its time.
	posters = 4
	// patience is how long the archive may take for the rows of a minute of outage.
	patience = 20 * time.Second
)

// outageLength is an hour if LEGATO_OUTAGE says so.
func outageLength(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("LEGATO_OUTAGE")
	if text == "" {
		return 2 * time.Minute
	}
	length, err := time.ParseDuration(text)
	require.NoError(t, err, "LEGATO_OUTAGE")
	return length
}

// host has one extension.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// newStorage starts a file_storage in a directory.
func newStorage(t *testing.T, directory string) (h host, stop func()) {
	t.Helper()
	factory := filestorage.NewFactory()
	config := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"directory": directory, "fsync": true}).Unmarshal(config))
	id := component.NewID(factory.Type())
	e, err := factory.Create(t.Context(), extension.Settings{ID: id, TelemetrySettings: componenttest.NewNopTelemetrySettings()}, config)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	return host{id: e}, func() { require.NoError(t, e.Shutdown(context.WithoutCancel(t.Context()))) }
}

// newExporter starts callrecord with a queue in the storage, as the README recommends.
func newExporter(t *testing.T, source string, h host) (e exporter.Logs, stop func()) {
	t.Helper()
	factory := callrecordexporter.NewFactory()
	config := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"driver": store.PostgreSQL, "datasource": source, "timeout": "5s",
		"sending_queue":    map[string]any{"storage": "file_storage"},
		"retry_on_failure": map[string]any{"initial_interval": "100ms", "max_interval": "1s"},
	}).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	set := exportertest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type()) // by which the next one finds the queue
	e, err := factory.CreateLogs(t.Context(), set, config)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), h))
	return e, func() { require.NoError(t, e.Shutdown(context.WithoutCancel(t.Context()))) }
}

// leg is the stitched record of one leg.
func leg(n int) plog.Logs {
	logs := plog.NewLogs()
	lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(names.EventCallLegSpan)
	end := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second / posts)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(end))
	lr.Attributes().PutStr(names.CallLegID, fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
	lr.Attributes().PutInt(names.SpanStart, end.Add(-time.Minute).UnixNano())
	lr.Attributes().PutStr(names.CallstitchOutcome, "complete")
	return logs
}

// post sends legs from one number on and before another. Nothing is refused.
func post(t *testing.T, e exporter.Logs, from, to int) {
	t.Helper()
	var next atomic.Int64
	next.Store(int64(from))
	var all sync.WaitGroup
	for range posters {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < to; n = int(next.Add(1)) - 1 {
				if !assert.NoError(t, e.ConsumeLogs(t.Context(), leg(n)), "post %d", n) {
					return
				}
			}
		})
	}
	all.Wait()
}

// TestPostgreSQLIsAway: PostgreSQL stops while bridges post 50 times a second, and the
// Collector restarts meanwhile. The queue on the disk refuses nothing, and all rows are
// there after PostgreSQL is back, once each.
func TestPostgreSQLIsAway(t *testing.T) {
	server := postgres.New(t)
	source := server.Database(t)
	length := outageLength(t)
	n := int(length.Seconds()) * posts
	directory := t.TempDir()
	storage, stopStorage := newStorage(t, directory)
	e, stop := newExporter(t, source, storage)
	post(t, e, 0, posts)
	require.NoError(t, server.Kill())
	began := time.Now()
	post(t, e, posts, n/2)
	stop()
	stopStorage()
	storage, stopStorage = newStorage(t, directory)
	e, stop = newExporter(t, source, storage)
	post(t, e, n/2, n)
	posted := time.Now()
	t.Logf("%d posts of %s at %d a second, taken in %s", n, length, posts, posted.Sub(began).Round(time.Second))
	require.NoError(t, server.Start())
	defer func() {
		stop()
		stopStorage()
	}()

	var archive *store.Store
	require.Eventually(t, func() (open bool) {
		var err error
		archive, err = store.Open(t.Context(), store.PostgreSQL, source)
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	defer func() { require.NoError(t, archive.Close()) }()
	var rows int
	require.Eventually(t, func() bool {
		require.NoError(t, archive.Reader().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM call_legs WHERE state = 'ended'").Scan(&rows))
		return rows == n
	}, time.Minute+patience*time.Duration(length.Minutes()), 100*time.Millisecond, "%d rows are there at the end", n)
	t.Logf("%d rows are there %s after PostgreSQL is back", rows, time.Since(posted).Round(time.Second))
}
