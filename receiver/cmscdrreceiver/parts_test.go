// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// backlog is a body with records of the same content and the indices from first
// to last.
func backlog(t *testing.T, first, last int) string {
	t.Helper()
	record := between(t, fixture(t, "callLegEnd-rich.xml"))
	require.Contains(t, record, `correlatorIndex="2087"`)
	var body strings.Builder
	body.WriteString(`<records session="3a1c9f52-0000-4000-8000-000000000001" callBridge="b">`)
	for i := first; i <= last; i++ {
		body.WriteString(strings.Replace(record, `correlatorIndex="2087"`, fmt.Sprintf(`correlatorIndex="%d"`, i), 1))
	}
	body.WriteString("</records>")
	return body.String()
}

// upTo refuses payloads of more bytes permanently, as a gRPC server does.
func upTo(bytes int) func(int, plog.Logs) error {
	return func(_ int, logs plog.Logs) error {
		if size := new(plog.ProtoMarshaler).LogsSize(logs); size > bytes {
			return consumererror.NewPermanent(fmt.Errorf("message of %d bytes is larger than %d", size, bytes))
		}
		return nil
	}
}

func indicesOf(all []plog.Logs) (indices []int64) {
	for _, lr := range receiverkit.Records(all) {
		if index, ok := lr.Attributes().Get(names.RecordIndex); ok {
			indices = append(indices, index.Int())
		}
	}
	return indices
}

func upFrom(first, last int) (all []int64) {
	for i := first; i <= last; i++ {
		all = append(all, int64(i))
	}
	return all
}

// A consumer that takes no message above gRPC's default limit takes a backlog of
// 3 000 records, and each record once.
func TestBacklogGoesInPieces(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: upTo(4 << 20)}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	body := backlog(t, 0, 2999)
	require.Greater(t, len(body), 5<<20)
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.Equal(t, upFrom(0, 2999), indicesOf(sink.AllLogs()))
	assert.EqualValues(t, 3000, r.Counter(recordsMetric, "accepted"))
	assert.Zero(t, r.Counter(recordsMetric, "malformed"))
	for _, logs := range sink.AllLogs() {
		assert.LessOrEqual(t, logs.LogRecordCount(), 512)
	}
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.EqualValues(t, 3000, r.Counter(recordsMetric, "duplicate"))
}

// The bounds of a piece are the configuration's.
func TestPieceBounds(t *testing.T) {
	f := func(bytes, most, want int) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		next := &receiverkit.Refusing{Next: sink, Refuse: upTo(4 << 20)}
		r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchBytes, r.config.MaxBatchRecords = next, bytes, most })
		require.Equal(t, http.StatusOK, r.Post(backlog(t, 0, 9)))
		assert.Len(t, sink.AllLogs(), want)
		assert.Equal(t, upFrom(0, 9), indicesOf(sink.AllLogs()))
	}
	one := len(between(t, fixture(t, "callLegEnd-rich.xml")))
	f(1<<20, 512, 1)
	f(1<<20, 4, 3)
	f(1<<20, 1, 10)
	f(2*one, 512, 5)
	f(1, 512, 10) // a record alone may be more
}

// After a 503 in the middle, only the rest is passed on when the body comes again.
func TestOnlyTheRestComesAgain(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(nil, nil, errFull)}
	r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchRecords = next, 10 })
	body := backlog(t, 0, 44)
	require.Equal(t, http.StatusServiceUnavailable, r.Post(body))
	assert.EqualValues(t, 20, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 25, r.Counter(recordsMetric, "refused"))
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.Equal(t, upFrom(0, 44), indicesOf(sink.AllLogs()), "each once, none lost")
	assert.EqualValues(t, 45, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 20, r.Counter(recordsMetric, "duplicate"))
	assert.Zero(t, r.Counter("otelcol_receiver_cmscdr_records_missing"))
}

// What was taken before the 503 is stored: a restart before the body comes again
// makes no difference.
func TestPiecesAreStored(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(nil, errFull)}
	store := testkit.NewStorage()
	r := newHarness(t, func(r *harness) {
		withStorage(store)(r)
		r.Logs, r.config.MaxBatchRecords = next, 10
	})
	require.Equal(t, http.StatusServiceUnavailable, r.Post(backlog(t, 0, 14)))
	r.Stop()
	r.Start()
	require.Equal(t, http.StatusOK, r.Post(backlog(t, 0, 14)))
	assert.Equal(t, upFrom(0, 14), indicesOf(sink.AllLogs()))
}

// A session's start and its gaps are reported once, with the piece they belong to.
func TestPiecesKeepGapsAndRestart(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(nil, nil, nil, errFull)}
	r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchRecords = next, 1 })
	require.Equal(t, http.StatusOK, r.Post(strings.Replace(backlog(t, 0, 0), "000001", "000000", 1)))
	body := strings.Replace(backlog(t, 1, 4), `correlatorIndex="4"`, `correlatorIndex="9"`, 1)
	require.Equal(t, http.StatusServiceUnavailable, r.Post(body))
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.Equal(t, []string{
		names.EventCallLegEnd, names.EventSessionStart, names.EventCallLegEnd, names.EventCallLegEnd, names.EventCallLegEnd,
		names.EventRecordGap, names.EventCallLegEnd,
	}, receiverkit.EventNames(sink))
	assert.EqualValues(t, 5, r.Counter("otelcol_receiver_cmscdr_records_missing"))
}

// Only the piece that was refused permanently is quarantined, in payloads of at
// most 256 KiB of its bytes.
func TestOnlyTheRefusedPieceIsQuarantined(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(nil, errSchema)}
	r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchRecords = next, 300 })
	require.Equal(t, http.StatusOK, r.Post(backlog(t, 0, 899)))
	var kept strings.Builder
	events := map[string]int{}
	for _, logs := range sink.AllLogs() {
		bytes := 0
		for _, lr := range receiverkit.Records([]plog.Logs{logs}) {
			events[lr.EventName()]++
			if lr.EventName() == names.EventRecordMalformed {
				kept.WriteString(lr.Body().Str())
				bytes += len(lr.Body().Str())
			}
		}
		assert.LessOrEqual(t, bytes, 256<<10)
	}
	assert.Equal(t, 600, events[names.EventCallLegEnd])
	for i := range 900 {
		assert.Equal(t, i >= 300 && i < 600, strings.Contains(kept.String(), fmt.Sprintf(`correlatorIndex="%d"`, i)), i)
	}
	assert.EqualValues(t, 600, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 300, r.Counter(recordsMetric, "malformed"))
	assert.Zero(t, r.Counter(recordsMetric, "lost"))
}

// Records that not even the quarantine can deliver are counted and logged: which records
// of which session. They are acknowledged: kept, they would block the bridge.
func TestLost(t *testing.T) {
	next := &receiverkit.Failing{Next: consumertest.NewNop(), Times: 1, Then: consumererror.NewPermanent(errors.New("no"))}
	r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchRecords = next, 10 })
	assert.Zero(t, r.Counter(recordsMetric, "lost"))
	require.Equal(t, http.StatusOK, r.Post(backlog(t, 100, 114)))
	assert.EqualValues(t, 10, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 5, r.Counter(recordsMetric, "lost"))
	assert.Zero(t, r.Counter(recordsMetric, "malformed"))
	logged := r.Log.FilterMessageSnippet("its records are lost").All()
	require.Len(t, logged, 1)
	fields := logged[0].ContextMap()
	assert.Equal(t, "3a1c9f52-0000-4000-8000-000000000001", fields["session"])
	assert.EqualValues(t, 110, fields["first_index"])
	assert.EqualValues(t, 114, fields["last_index"])
	assert.EqualValues(t, 5, fields["records"])
}

// A session that is not named like one is a stranger's text: it is not logged.
func TestLostOfAStranger(t *testing.T) {
	next := &receiverkit.Failing{Next: consumertest.NewNop(), Err: consumererror.NewPermanent(errors.New("no"))}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	require.Equal(t, http.StatusOK, r.Post(strings.Replace(backlog(t, 1, 1), "3a1c9f52", "please call 555-0100", 1)))
	logged := r.Log.FilterMessageSnippet("its records are lost").All()
	require.Len(t, logged, 1)
	assert.NotContains(t, logged[0].ContextMap(), "session")
	assert.EqualValues(t, 1, logged[0].ContextMap()["first_index"])
}

// No real record becomes so much more than its bytes that it is kept as bytes,
// and the bound that decides it is one.
func TestRealRecordsDoNotExpand(t *testing.T) {
	var decoder cdr.Decoder
	for _, pattern := range []string{"*.xml", "flow/*.xml", "[ilrsu]*/*.xml", "gap/*.xml"} {
		files, err := filepath.Glob(filepath.Join(fixtures, pattern))
		require.NoError(t, err)
		for _, file := range files {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			batch := decoder.Decode(string(body))
			for i := range batch.Records {
				r := &batch.Records[i]
				if r.Type == cdr.TypeUnknown {
					continue
				}
				assert.LessOrEqual(t, otlpSizeOf(r), outbox.MaxExpansion*len(r.Raw), "%s: %s", file, r.Raw)
				logs := plog.NewLogs()
				appendRecord(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords(), r, 1)
				assert.LessOrEqual(t, new(plog.ProtoMarshaler).LogsSize(logs), otlpSizeOf(r), "%s: %s", file, r.Raw)
			}
		}
	}
}
