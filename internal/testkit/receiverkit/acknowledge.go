// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package receiverkit

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// Acknowledgement checks how a receiver that is posted to answers for its next consumer.
type Acknowledgement struct {
	New       func(*testing.T, consumer.Logs) *Posted // starts a receiver
	Body      string
	Events    []string // the names of the body's events
	Malformed string   // the name of the event that quarantines
	Records   string   // the name of the counter of records
	Lost      string   // a part of what the receiver logs about lost records
}

var errBusy, errNever = errors.New("queue is full"), consumererror.NewPermanent(errors.New("schema mismatch"))

// Check runs a test for each kind of answer of the next consumer.
func (a *Acknowledgement) Check(t *testing.T) {
	t.Helper()
	t.Run("retryable error", a.checkRetryable)
	t.Run("permanent error", a.checkPermanent)
	t.Run("permanent error for the quarantine", a.checkLost)
	t.Run("retryable error for the quarantine", a.checkRetryableQuarantine)
	t.Run("permanent error of one branch", a.checkBranches)
	t.Run("client hangs up", a.checkHangUp)
}

func (a *Acknowledgement) count() int64 { return int64(len(a.Events)) }

// After a retryable error the sender keeps the records, and sends them again.
func (a *Acknowledgement) checkRetryable(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &Failing{Next: sink, Err: errBusy}
	r := a.New(t, next)
	status, header := r.Do(http.MethodPost, r.URL, a.Body)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "1", header.Get("Retry-After"))
	assert.Equal(t, a.count(), r.Counter(a.Records, "refused"))

	next.Set(nil)
	require.Equal(t, http.StatusOK, r.Post(a.Body))
	assert.Equal(t, a.Events, EventNames(sink))
	assert.Equal(t, a.count(), r.Counter(a.Records, "accepted"))
}

// A permanently refused body must not block its sender: it is quarantined and acknowledged,
// and not sent to the pipeline a second time.
func (a *Acknowledgement) checkPermanent(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := a.New(t, &Failing{Next: sink, Err: errNever, Times: 1})
	require.Equal(t, http.StatusOK, r.Post(a.Body))
	all := Records(sink.AllLogs())
	require.Len(t, all, 1)
	assert.Equal(t, a.Malformed, all[0].EventName())
	assert.Equal(t, a.Body, all[0].Body().Str())
	assert.Equal(t, "rejected_by_pipeline", Attribute(all[0], names.ErrorType).Str())
	assert.Equal(t, a.count(), r.Counter(a.Records, "malformed"))

	require.Equal(t, http.StatusOK, r.Post(a.Body))
	assert.Equal(t, 1, sink.LogRecordCount(), "its records are known")
}

// A pipeline that permanently refuses the quarantine too must not block the sender.
func (a *Acknowledgement) checkLost(t *testing.T) {
	next := &Failing{Next: consumertest.NewNop(), Err: errNever}
	r := a.New(t, next)
	require.Equal(t, http.StatusOK, r.Post(a.Body))
	assert.Equal(t, 2, next.Calls())
	assert.Equal(t, 1, r.Log.FilterMessageSnippet(a.Lost).Len())
}

// While the pipeline cannot take the quarantine, the sender keeps the body.
func (a *Acknowledgement) checkRetryableQuarantine(t *testing.T) {
	r := a.New(t, &Failing{Next: consumertest.NewNop(), Err: errNever, Times: 1, Then: errBusy})
	require.Equal(t, http.StatusServiceUnavailable, r.Post(a.Body))
}

// A pipeline that fans out may have one branch that refuses and one that is only busy: the
// sender keeps the records for the busy one.
func (a *Acknowledgement) checkBranches(t *testing.T) {
	for _, err := range []error{errors.Join(errNever, errBusy), errors.Join(errBusy, errNever)} {
		sink := new(consumertest.LogsSink)
		next := &Failing{Next: sink, Err: err}
		r := a.New(t, next)
		require.Equal(t, http.StatusServiceUnavailable, r.Post(a.Body), "%v", err)
		assert.Equal(t, 1, next.Calls())
		assert.Equal(t, a.count(), r.Counter(a.Records, "refused"))
		next.Set(nil)
		require.Equal(t, http.StatusOK, r.Post(a.Body))
		assert.Equal(t, a.Events, EventNames(sink))
	}
}

// A client that hangs up while the next consumer has its records does not make them duplicates
// there: the receiver marks them as accepted all the same.
func (a *Acknowledgement) checkHangUp(t *testing.T) {
	sink := new(consumertest.LogsSink)
	gate := NewGated(sink)
	r := a.New(t, gate)
	ctx, hangUp := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, strings.NewReader(a.Body))
	require.NoError(t, err)
	gone := make(chan error)
	go func() {
		response, err := r.Client.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		gone <- err
	}()
	<-gate.Entered
	hangUp()
	require.ErrorIs(t, <-gone, context.Canceled)
	gate.Leave <- struct{}{}
	require.Equal(t, http.StatusOK, r.Post(a.Body), "it waits for the first try")
	assert.Equal(t, a.Events, EventNames(sink))
}

// AssertPieces fails unless each record has its number and the number of records in two
// attributes, and the bodies together are the quarantined one. Backends drop log records of
// megabytes, so no body may be longer than most bytes.
func AssertPieces(t *testing.T, pieces []plog.LogRecord, numberKey, countKey, whole string, most int) {
	t.Helper()
	var joined strings.Builder
	for i, lr := range pieces {
		assert.LessOrEqual(t, len(lr.Body().Str()), most)
		assert.EqualValues(t, i+1, Attribute(lr, numberKey).Int())
		assert.EqualValues(t, len(pieces), Attribute(lr, countKey).Int())
		joined.WriteString(lr.Body().Str())
	}
	assert.Greater(t, len(pieces), len(whole)/most)
	assert.Equal(t, whole, joined.String())
}
