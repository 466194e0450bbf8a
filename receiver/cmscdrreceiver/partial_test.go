// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

var errFull, errSchema = errors.New("queue is full"), consumererror.NewPermanent(errors.New("schema mismatch"))

// longRecord is a record of an unknown type: its event holds its bytes, without
// secrets twice as many.
func longRecord(index, words int) string {
	return fmt.Sprintf(`<record type="future" correlatorIndex="%d" numPrecedingRecordsMissing="1"><a>%s</a></record>`, index, strings.Repeat("token=x ", words))
}

// A piece of several payloads goes on from where it was refused: records that were
// taken, and what was reported of the session and its gaps, are not sent twice.
func TestPieceOfSeveralPayloads(t *testing.T) {
	const session = `<records session="3a1c9f52-0000-4000-8000-000000000001" callBridge="b">`
	const short = 2500
	several := session + longRecord(1, short) + longRecord(5, short) + longRecord(9, short) + "</records>"
	long := session + longRecord(1, 8*short) + "</records>"
	f := func(body string, refusal error, status, unknown, malformed int, want ...string) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(nil, nil, refusal)}
		r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchBytes = next, 64<<10 })
		require.Equal(t, http.StatusOK, r.Post(strings.Replace(backlog(t, 0, 0), "000001", "000000", 1)))
		require.Equal(t, status, r.Post(body))
		if status != http.StatusOK {
			require.Equal(t, http.StatusOK, r.Post(body))
		}
		var got []string
		for _, lr := range receiverkit.Records(sink.AllLogs())[1:] {
			event := []string{lr.EventName()[strings.LastIndex(lr.EventName(), ".")+1:]}
			for _, key := range []string{names.RecordIndex, names.ErrorType} {
				if value, ok := lr.Attributes().Get(key); ok {
					event = append(event, value.AsString())
				}
			}
			got = append(got, strings.Join(event, " "))
		}
		assert.Equal(t, want, got)
		assert.EqualValues(t, unknown, r.Counter(recordsMetric, "unknown"))
		assert.EqualValues(t, malformed, r.Counter(recordsMetric, "malformed"))
		assert.EqualValues(t, unknown+malformed, r.Counter("otelcol_receiver_cmscdr_records_missing"), "one before each")
	}
	const unknown = " unknown_record_type"
	f(several, nil, http.StatusOK, 3, 0, "start", "gap 1", "malformed 1"+unknown, "gap 5", "malformed 5"+unknown, "gap 9", "malformed 9"+unknown)
	f(several, errFull, http.StatusServiceUnavailable, 3, 0, "start", "gap 1", "malformed 1"+unknown, "gap 5", "malformed 5"+unknown, "gap 9", "malformed 9"+unknown)
	f(several, errSchema, http.StatusOK, 1, 2, "start", "gap 1", "malformed 1"+unknown, "gap 5", "gap 9", "malformed rejected_by_pipeline")
	f(long, errSchema, http.StatusOK, 0, 1, "start", "gap 1", "malformed 1"+unknown, "malformed rejected_by_pipeline", "malformed rejected_by_pipeline")
}

// Of quarantine, only what is in the payload that was refused is lost.
func TestOnlyARefusedPayloadIsLost(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(errSchema, nil, errSchema)}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	const most = 512
	body := backlog(t, 0, most-1)
	one := len(between(t, fixture(t, "callLegEnd-rich.xml")))
	require.Greater(t, len(body), 3*logrecord.MaxRaw)
	require.Equal(t, http.StatusOK, r.Post(body))
	lost := r.Counter(recordsMetric, "lost")
	assert.InDelta(t, logrecord.MaxRaw/one, lost, 3)
	assert.Equal(t, most-lost, r.Counter(recordsMetric, "malformed"))
	var bodies strings.Builder
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		bodies.WriteString(lr.Body().Str())
	}
	kept := bodies.String()
	assert.Equal(t, most-int(lost), strings.Count(kept, "<record "), "what is not lost is kept")
	logged := r.Log.FilterMessageSnippet("its records are lost").All()
	require.Len(t, logged, 1)
	fields := logged[0].ContextMap()
	assert.EqualValues(t, lost, fields["records"])
	assert.EqualValues(t, lost, fields["last_index"].(uint64)-fields["first_index"].(uint64)+1)
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.EqualValues(t, most, r.Counter(recordsMetric, "duplicate"))
}

// Quarantine that is refused for now comes again from there.
func TestQuarantineComesAgainFromWhereItWasRefused(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(errSchema, nil, errFull, errSchema)}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	body := backlog(t, 0, 511)
	require.Equal(t, http.StatusServiceUnavailable, r.Post(body))
	require.Equal(t, http.StatusOK, r.Post(body))
	var bodies strings.Builder
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		bodies.WriteString(lr.Body().Str())
	}
	kept := bodies.String()
	for i := range 512 {
		require.Equal(t, 1, strings.Count(kept, fmt.Sprintf(`correlatorIndex="%d"`, i)), i)
	}
	assert.EqualValues(t, 512, r.Counter(recordsMetric, "malformed"))
}

// A body of many records without an index is known again, all of it, after a 503 and
// a restart.
func TestManyRecordsWithoutIndexAfterARefusal(t *testing.T) {
	const most = ledger.ContentHashLimit
	var text strings.Builder
	text.WriteString(`<records session="3a1c9f52-0000-4000-8000-000000000001" callBridge="b">`)
	name := strings.Repeat("x", 800) // shorter ones expand too much
	for i := range most {
		fmt.Fprintf(&text, `<record type="callStart"><call id="%d"><name>%s</name></call></record>`, i, name)
	}
	text.WriteString("</records>")
	body := text.String()
	refusals := make([]error, 6)
	refusals[len(refusals)-1] = errFull
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(refusals...)}
	store := testkit.NewStorage()
	r := newHarness(t, func(r *harness) { r.Logs = next; withStorage(store)(r) })
	require.Equal(t, http.StatusServiceUnavailable, r.Post(body))
	r.Stop()
	r.Start()
	require.Equal(t, http.StatusOK, r.Post(body))
	seen := map[string]int{}
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		id, _ := lr.Attributes().Get(names.CallID)
		seen[id.Str()]++
	}
	assert.Equal(t, most, len(seen)) //nolint:testifylint // Len prints all
	assert.Equal(t, most, sink.LogRecordCount(), "each once")
}

// listCounter counts the writes of the list of sessions.
type listCounter struct {
	*testkit.Storage
	lists *atomic.Int64
}

func (s listCounter) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Storage.GetClient(ctx, kind, id, name)
	return listCounterClient{client, s.lists}, err
}

type listCounterClient struct {
	storage.Client
	lists *atomic.Int64
}

func (c listCounterClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	for _, o := range operations {
		if o.Type == storage.Set && o.Key == keySessions {
			c.lists.Add(1)
		}
	}
	return c.Client.Batch(ctx, operations...)
}

// A body of many sessions writes the list of sessions once, and all are restored.
func TestSessionsOfABodyAreListedOnce(t *testing.T) {
	const sessions = 200
	var records strings.Builder
	for i := range sessions {
		fmt.Fprintf(&records, `<records session="3a1c9f52-0000-4000-8000-%012d" callBridge="b%d"><record type="callStart" correlatorIndex="1"><call id="c"/></record></records>`, i, i)
	}
	body := records.String()
	store, lists := testkit.NewStorage(), new(atomic.Int64)
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		withStorage(store)(r)
		r.Logs, r.Host = sink, testkit.Host{storageID: listCounter{store, lists}}
	})
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.EqualValues(t, 1, lists.Load())
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.EqualValues(t, 1, lists.Load(), "nothing new")
	r.Stop()
	r.Start()
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.Equal(t, sessions, sink.LogRecordCount())
	assert.EqualValues(t, 1, lists.Load())
}
