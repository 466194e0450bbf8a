// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/exporter/callrecordexporter/internal/metadata"
	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// legs makes a request with the stitched records of some legs.
func legs(from, to int) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceInstanceID, "bridge")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := from; i < to; i++ {
		lr := records.AppendEmpty()
		lr.SetEventName(names.EventCallLegSpan)
		lr.SetTimestamp(pcommon.Timestamp(1_772_712_000e9 + i*1e9))
		lr.SetObservedTimestamp(lr.Timestamp())
		id := fmt.Sprintf("00000000-0000-4000-8000-%012x", i)
		lr.SetTraceID(ids.Trace(names.KindCall, strconv.Itoa(i/10)))
		lr.SetSpanID(ids.Span(names.KindCallLeg, id))
		lr.Attributes().PutStr(names.CallLegID, id)
		lr.Attributes().PutStr(names.CallID, strconv.Itoa(i/10))
		lr.Attributes().PutStr(names.CallLegRole, names.RoleParticipant)
		lr.Attributes().PutInt(names.SpanStart, int64(lr.Timestamp())-60e9)
		lr.Attributes().PutStr(names.CallstitchOutcome, "complete")
		lr.Attributes().PutStr(legKey("displayName"), "Ann Personal")
	}
	return logs
}

// What was accepted is stored: somebody else sees it as soon as the call is
// back.
func TestStoredWhenAccepted(t *testing.T) {
	r := newHarness(t, nil)
	archive := r.archive()
	for i := range 5 {
		require.NoError(t, r.ConsumeLogs(t.Context(), legs(i*10, i*10+10)))
		rows, err := store.Select[store.Leg](t.Context(), archive, "")
		require.NoError(t, err)
		assert.Len(t, rows, i*10+10)
	}
	require.NoError(t, r.ConsumeLogs(t.Context(), legs(0, 50)))
	counts := r.counts()
	assert.EqualValues(t, 50, counts["otelcol_exporter_callrecord_records stored"])
	assert.EqualValues(t, 50, counts["otelcol_exporter_callrecord_records unchanged"])
	conferences, err := store.Select[store.Conference](t.Context(), archive, "")
	require.NoError(t, err)
	assert.Len(t, conferences, 5)
	assert.EqualValues(t, 10, conferences[0].Participants)
}

func TestManyAtOnce(t *testing.T) {
	r := newHarness(t, nil)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() { assert.NoError(t, r.ConsumeLogs(t.Context(), legs(i*5, i*5+10))) })
	}
	all.Wait()
	rows, err := store.Select[store.Leg](t.Context(), r.archive(), "")
	require.NoError(t, err)
	assert.Len(t, rows, 85)
}

// Series are there from the start, at zero, and what says nothing is counted.
func TestCounts(t *testing.T) {
	r := newHarness(t, nil)
	for _, outcome := range []string{"stored", "unchanged", "skipped", "invalid", "refused"} {
		value, there := r.counts()["otelcol_exporter_callrecord_records "+outcome]
		assert.True(t, there)
		assert.Zero(t, value)
	}
	for _, logs := range readLogs(t, "testdata/in/foreign.json") {
		require.NoError(t, r.ConsumeLogs(t.Context(), logs))
	}
	counts := r.counts()
	assert.EqualValues(t, 2, counts["otelcol_exporter_callrecord_records skipped"], "a gap is a row")
	assert.EqualValues(t, 2, counts["otelcol_exporter_callrecord_records invalid"])
}

// The queue is written out at shutdown.
func TestQueue(t *testing.T) {
	source := filepath.Join(t.TempDir(), "calls.db")
	config, err := load(t, map[string]any{"datasource": source, "sending_queue": map[string]any{"batch": map[string]any{"flush_timeout": "1h"}}})
	require.NoError(t, err)
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), config)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	for i := range 5 {
		require.NoError(t, e.ConsumeLogs(t.Context(), legs(i*10, i*10+10)))
	}
	require.NoError(t, e.Shutdown(t.Context()))
	rows, err := store.Select[store.Leg](t.Context(), openArchive(t, source), "")
	require.NoError(t, err)
	assert.Len(t, rows, 50)
}

// Settings with which accepted records can be lost are logged.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		values map[string]any
		want   int
	}{
		{nil, 0},
		{map[string]any{"retry_on_failure": map[string]any{"enabled": false}}, 0},
		{map[string]any{"sending_queue": map[string]any{"wait_for_result": true}}, 0},
		{map[string]any{"sending_queue": map[string]any{}}, 1},
		{map[string]any{"sending_queue": map[string]any{}, "retry_on_failure": map[string]any{"max_elapsed_time": "1m"}}, 2},
	} {
		assert.Equal(t, c.want, newHarness(t, c.values).log.Len(), "%v", c.values)
	}
}

// A start that fails says why, leaves nothing behind, and can be undone.
func TestStartFails(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "calls.db")
	require.NoError(t, os.WriteFile(newer, []byte(strings.Repeat("not a database ", 100)), 0o600))
	for _, values := range []map[string]any{
		{"datasource": newer},
		{"datasource": filepath.Join(t.TempDir(), "calls.db"), "http": map[string]any{"endpoint": "256.0.0.1:1"}},
	} {
		config, err := load(t, values)
		require.NoError(t, err)
		e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), config)
		require.NoError(t, err)
		err = e.Start(t.Context(), componenttest.NewNopHost())
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
		require.NoError(t, e.Shutdown(t.Context()))
	}
}

// A database that answers, and will never do what is wanted, is an error.
func TestNoSuchDatabase(t *testing.T) {
	config, err := load(t, map[string]any{
		"driver": "postgres", "datasource": strings.Replace(postgres.Shared(t).URL("nosuch"), "postgres@", "postgres:secret@", 1),
	})
	require.NoError(t, err)
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), config)
	require.NoError(t, err)
	err = e.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, "nosuch")
	assert.NotContains(t, err.Error(), "secret")
	require.NoError(t, e.Shutdown(t.Context()))
}

// A database that is away when the Collector starts: it starts, what comes is
// refused for now, the page says why, and all is well when the database is there.
func TestDatabaseIsAwayAtTheStart(t *testing.T) {
	server := postgres.New(t)
	source := strings.Replace(server.Database(t), "postgres@", "postgres:secret@", 1)
	require.NoError(t, server.Kill())
	address := loopback.MustAddress(t)
	r := newHarness(t, map[string]any{
		"driver": "postgres", "datasource": source, "retention": "87600h", "retry_on_failure": map[string]any{"enabled": false},
		"http": map[string]any{"endpoint": address},
	})
	get := func(path string) (status int, contentType, body string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		content, err := io.ReadAll(response.Body)
		require.NoError(t, errors.Join(err, response.Body.Close()))
		return response.StatusCode, response.Header.Get("Content-Type"), string(content)
	}
	status := func() int {
		status, _, _ := get("/")
		return status
	}
	err := r.ConsumeLogs(t.Context(), legs(0, 10))
	require.ErrorIs(t, err, store.ErrUnreachable)
	assert.False(t, consumererror.IsPermanent(err))
	assert.Equal(t, http.StatusServiceUnavailable, status())
	code, contentType, body := get("/api/v1/running")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Equal(t, "application/json; charset=utf-8", contentType)
	var failure struct {
		Error struct {
			Status  int
			Message string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &failure), body)
	assert.Equal(t, http.StatusServiceUnavailable, failure.Error.Status)
	assert.Contains(t, failure.Error.Message, "The call archive is not open yet")
	assert.Positive(t, r.counts()["otelcol_exporter_callrecord_write_failures"])
	require.NoError(t, server.Start())
	require.Eventually(t, func() bool { return r.ConsumeLogs(t.Context(), legs(0, 10)) == nil }, time.Minute, 10*time.Millisecond)
	assert.Equal(t, http.StatusOK, status())
	assert.Positive(t, r.log.FilterMessageSnippet("trying again").Len())
	for _, entry := range r.log.All() {
		assert.NotContains(t, fmt.Sprint(entry), "secret")
	}
}

// A stop ends the tries: the package's test for goroutines left behind would find them.
func TestStopWhileAway(t *testing.T) {
	r := newHarness(t, map[string]any{"driver": "postgres", "datasource": "postgres://user:secret@" + loopback.MustAddress(t) + "/calls"})
	require.NoError(t, r.Shutdown(t.Context()))
}

// A database that goes away and comes back: what it did not take is an error,
// comes again, and is there once. Nobody's name is in the log.
func TestDatabaseIsKilled(t *testing.T) {
	server := postgres.New(t)
	source := server.Database(t)
	r := newHarness(t, map[string]any{"driver": "postgres", "datasource": source, "timeout": "5s"})
	require.NoError(t, r.ConsumeLogs(t.Context(), legs(0, 10)))
	require.NoError(t, server.Kill())
	require.Error(t, r.ConsumeLogs(t.Context(), legs(5, 20)))
	require.NoError(t, server.Start())
	// What connections there are must be found to be broken first.
	require.Eventually(t, func() bool { return r.ConsumeLogs(t.Context(), legs(5, 20)) == nil }, time.Minute, 10*time.Millisecond)
	s, err := store.Open(t.Context(), store.PostgreSQL, source)
	require.NoError(t, err)
	defer s.Close()
	rows, err := store.Select[store.Leg](t.Context(), s, "ORDER BY id")
	require.NoError(t, err)
	require.Len(t, rows, 20)
	assert.Positive(t, r.counts()["otelcol_exporter_callrecord_write_failures"])
	for _, entry := range r.log.All() {
		assert.NotContains(t, fmt.Sprint(entry), "Personal")
	}
}

// Retention runs by itself.
func TestRetention(t *testing.T) {
	source := filepath.Join(t.TempDir(), "calls.db")
	first := newHarness(t, map[string]any{"datasource": source})
	require.NoError(t, first.ConsumeLogs(t.Context(), legs(0, 10)))
	second := newHarness(t, map[string]any{"datasource": source, "retention": "1h"})
	require.Eventually(t, func() bool { return second.counts()["otelcol_exporter_callrecord_expired call_legs"] == 10 }, time.Minute, 5*time.Millisecond)
	rows, err := store.Select[store.Conference](t.Context(), openArchive(t, source), "")
	require.NoError(t, err)
	assert.Empty(t, rows)
}

// The ids that the exporter computes for records without any are callstitch's.
func TestIDsWithoutCallstitch(t *testing.T) {
	r := newHarness(t, nil)
	for _, logs := range readLogs(t, "testdata/in/unstamped.json") {
		require.NoError(t, r.ConsumeLogs(t.Context(), logs))
	}
	rows, err := store.Select[store.Leg](t.Context(), r.archive(), "")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	span := ids.Span(names.KindCallLeg, rows[0].ID)
	assert.Equal(t, hex.EncodeToString(span[:]), rows[0].SpanID)
}

func TestExportCSV(t *testing.T) {
	address := loopback.MustAddress(t)
	r := newHarness(t, map[string]any{"http": map[string]any{"endpoint": address}})
	require.NoError(t, r.ConsumeLogs(t.Context(), legs(0, 3)))
	get := func(path string) (int, string, http.Header) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body), response.Header
	}
	status, body, header := get("/export.csv?from=2026-03-05&to=2026-03-06")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "text/csv; charset=utf-8; header=present", header.Get("Content-Type"))
	assert.Equal(t, 4, strings.Count(body, "\r\n"))
	_, body, _ = get("/export.csv?from=2026-03-06")
	assert.Equal(t, 1, strings.Count(body, "\r\n"))
	status, body, _ = get("/export.csv?from=<b>")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.NotContains(t, body, "<b>")
	http.DefaultClient.CloseIdleConnections()
}

// A meeting that starts on two bridges in the same second is one conference as soon as
// callstitch says so, whichever call is heard of first.
func TestCallJoinsConference(t *testing.T) {
	event := func(name, call, trace string, second int, more map[string]string) plog.Logs {
		logs := plog.NewLogs()
		rl := logs.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr(names.ServiceInstanceID, "bridge of "+call)
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(name)
		lr.SetTimestamp(pcommon.Timestamp(1_772_712_000e9 + second*1e9))
		lr.SetTraceID(ids.Trace(names.KindCall, trace))
		lr.SetSpanID(ids.Span(names.KindCall, call))
		lr.Attributes().PutStr(names.CallID, call)
		lr.Attributes().PutStr(names.CallName, "Board")
		for key, value := range more {
			lr.Attributes().PutStr(key, value)
		}
		return logs
	}
	leg := func(id, call string) plog.Logs {
		logs := event(names.EventCallLegStart, call, call, 1, map[string]string{names.CallLegID: id})
		logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetSpanID(ids.Span(names.KindCallLeg, id))
		return logs
	}
	former := ids.Trace(names.KindCall, "b")
	update := event(names.EventConferenceUpdate, "b", "a", 2, map[string]string{names.ConferencePreviousTraceID: hex.EncodeToString(former[:])})
	r := newHarness(t, nil)
	archive := r.archive()
	for _, logs := range []plog.Logs{
		event(names.EventCallStart, "b", "b", 0, nil), leg("in b", "b"), event(names.EventCallStart, "a", "a", 0, nil), leg("in a", "a"), update,
	} {
		require.NoError(t, r.ConsumeLogs(t.Context(), logs))
	}
	founder := ids.Trace(names.KindCall, "a")
	conferences, err := store.Select[store.Conference](t.Context(), archive, "")
	require.NoError(t, err)
	require.Len(t, conferences, 1)
	c := conferences[0]
	assert.Equal(t, []any{hex.EncodeToString(founder[:]), "running", int64(2), int64(2)}, []any{c.TraceID, c.State, c.Calls, c.Participants})
	calls, err := store.Select[store.Call](t.Context(), archive, "WHERE id = $1", "b")
	require.NoError(t, err)
	assert.Equal(t, int64(1_772_712_000), calls[0].LastHeardAt.Unix(), "the update is no sign of life")
	assert.Empty(t, calls[0].Details)
}

// Records that a bridge lost are a row, once however often the event comes.
func TestGap(t *testing.T) {
	r := newHarness(t, nil)
	archive := r.archive()
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceInstanceID, "bridge")
	rl.Resource().Attributes().PutStr(names.SystemID, "cms1")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(names.EventRecordGap)
	lr.SetTimestamp(pcommon.Timestamp(1_772_712_000e9))
	lr.Attributes().PutInt(names.RecordMissing, 674)
	lr.Attributes().PutInt(names.RecordIndex, 1000)
	for range 2 {
		require.NoError(t, r.ConsumeLogs(t.Context(), logs))
	}
	rows, err := store.Select[store.Gap](t.Context(), archive, "")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, []any{time.Unix(1_772_712_000, 0).UTC(), "bridge", "cms1", int64(674)}, []any{rows[0].At, rows[0].Bridge, rows[0].System, *rows[0].Missing})
}

// What a leg is there for is known from its start: a link between bridges, a recorder
// or a shared screen is no participant, also while the meeting runs; of a leg whose
// start was not seen it is not known.
func TestRoleOfARunningLeg(t *testing.T) {
	r := newHarness(t, nil)
	archive := r.archive()
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for id, attributes := range map[string]map[string]any{
		"participant": {}, "distribution_link": {legKey("subType"): "distributionLink"}, "recorder": {legKey("recording"): true},
		"streamer": {legKey("streaming"): "true"}, "sharing": {legKey("lyncSubType"): "applicationSharing"}, "unknown": nil,
	} {
		lr := records.AppendEmpty()
		lr.SetEventName(names.EventCallLegStart)
		if attributes == nil {
			lr.SetEventName(names.EventCallLegUpdate)
			attributes = map[string]any{}
		}
		lr.SetTimestamp(pcommon.Timestamp(1_772_712_000e9))
		lr.SetTraceID(ids.Trace(names.KindCall, "c"))
		attributes[names.CallLegID], attributes[names.CallID] = id, "c"
		require.NoError(t, lr.Attributes().FromRaw(attributes))
	}
	require.NoError(t, r.ConsumeLogs(t.Context(), logs))
	rows, err := store.Select[store.Leg](t.Context(), archive, "")
	require.NoError(t, err)
	require.Len(t, rows, 6)
	for _, row := range rows {
		want := row.ID
		if want == "unknown" {
			want = ""
		}
		assert.Equal(t, want, row.Role)
	}
	conferences, err := store.Select[store.Conference](t.Context(), archive, "")
	require.NoError(t, err)
	assert.Equal(t, []int64{6, 2}, []int64{conferences[0].Legs, conferences[0].Participants}, "the participant, and who may be one")
}

// A small archive adds its usage up often, a large one seldom, and neither for long.
func TestUsagePause(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond: 30 * time.Second, 200 * time.Millisecond: time.Minute, 5 * time.Second: 5 * time.Minute, time.Minute: 20 * time.Minute,
	} {
		assert.Equal(t, want, usagePause(took, false), took)
		assert.Equal(t, 20*took, usagePause(took, true), took)
	}
}
