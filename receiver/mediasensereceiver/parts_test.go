// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// sessionsIn is a body of so many events, each about a session of its own.
func sessionsIn(t *testing.T, many int) string {
	t.Helper()
	event := fixture(t, "session-started.json")
	var body strings.Builder
	for i := range many {
		body.WriteString(strings.ReplaceAll(event, sessionOf(t, event), fmt.Sprintf("session-%d", i)))
	}
	return body.String()
}

func sessionOf(t *testing.T, event string) string {
	t.Helper()
	_, rest, found := strings.Cut(event, `"sessionId"`)
	require.True(t, found)
	return strings.Split(rest, `"`)[1]
}

func sessionIDs(sink *consumertest.LogsSink) (ids []string) {
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		if id, ok := lr.Attributes().Get(names.MediaSenseSessionID); ok {
			ids = append(ids, id.Str())
		}
	}
	return ids
}

// After a 503 in the middle, only the rest is passed on when the body comes again.
func TestOnlyTheRestComesAgain(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink, Err: nil, Times: 2, Then: errors.New("queue is full")}
	r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchRecords = next, 10 })
	body := sessionsIn(t, 25)
	require.Equal(t, http.StatusServiceUnavailable, r.Post(body))
	assert.EqualValues(t, 20, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 5, r.Counter(recordsMetric, "refused"))
	next.Set(nil)
	require.Equal(t, http.StatusOK, r.Post(body))
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("session-%d", i))
	}
	assert.Equal(t, want, sessionIDs(sink), "each once, none lost")
	assert.EqualValues(t, 20, r.Counter(recordsMetric, "duplicate"))
}

// Only the piece that was refused permanently is quarantined; what not even the
// quarantine delivers is counted and logged.
func TestOnlyTheRefusedPieceIsQuarantined(t *testing.T) {
	sink := new(consumertest.LogsSink)
	never := consumererror.NewPermanent(errors.New("no"))
	next := &receiverkit.Failing{Next: sink, Err: never, Times: 1}
	r := newHarness(t, func(r *harness) { r.Logs, r.config.MaxBatchRecords = next, 10 })
	require.Equal(t, http.StatusOK, r.Post(sessionsIn(t, 15)))
	assert.EqualValues(t, 10, r.Counter(recordsMetric, "malformed"))
	assert.EqualValues(t, 5, r.Counter(recordsMetric, "accepted"))
	assert.Zero(t, r.Counter(recordsMetric, "lost"))
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, 6)
	assert.Contains(t, all[0].Body().Str(), "session-9")
	assert.NotContains(t, all[0].Body().Str(), "session-10")

	next.Set(never)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "lost"))
	logged := r.Log.FilterMessageSnippet("its events are lost").All()
	require.Len(t, logged, 1)
	assert.EqualValues(t, 1, logged[0].ContextMap()["events"])
}
