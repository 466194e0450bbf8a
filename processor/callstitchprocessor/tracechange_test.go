// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// callStart is the start of a call of a room.
func callStart(session, id string, second int) plog.Logs {
	logs := say(names.EventCallStart, second, map[string]any{
		names.CallID: id, names.CallCorrelator: "room", "cisco.meeting_server.call.name": "weekly",
	})
	resource := logs.ResourceLogs().At(0).Resource().Attributes()
	resource.PutStr(names.SessionID, session)
	resource.PutStr(names.CallBridgeID, "bridge of "+session)
	return logs
}

// When a running call joins a conference, an update has the new trace and the former
// one, whatever the next consumer answers first.
func TestConferenceUpdate(t *testing.T) {
	for _, first := range []error{nil, errBusy, consumererror.NewPermanent(errBusy)} {
		synctest.Test(t, func(t *testing.T) {
			r := newHarness(t, nil)
			refusals := 0
			r.next.refuseWith(func(context.Context, []plog.LogRecord) error {
				if refusals++; refusals == 1 {
					return first
				}
				return nil
			})
			r.consume(callStart("s-1", "later", 50))
			time.Sleep(time.Minute)
			assert.Empty(t, r.next.spans())
			r.consume(callStart("s-2", "earlier", 0))
			time.Sleep(time.Minute)
			synctest.Wait()
			all := r.next.spans()
			if consumererror.IsPermanent(first) {
				assert.Empty(t, all)
				assert.Len(t, r.log.FilterMessageSnippet("they are lost").All(), 1)
				return
			}
			require.Len(t, all, 1)
			passed := records(r.next.passed.AllLogs()...)
			require.Len(t, passed, 2)
			assert.Equal(t, names.EventConferenceUpdate, all[0].EventName())
			assert.Equal(t, traceOf(passed[1]), traceOf(all[0]))
			assert.Equal(t, spanOf(passed[0]), spanOf(all[0]))
			assert.Equal(t, traceOf(passed[0]), str(all[0], names.ConferencePreviousTraceID))
			assert.Equal(t, "later", str(all[0], names.CallID))
			assert.Equal(t, "weekly", str(all[0], "cisco.meeting_server.call.name"))
		})
	}
}

// An event that the next consumer refuses again and again delays the others by minutes at most.
func TestRefusedConferenceUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 200
		r := newHarness(t, nil)
		r.next.refuseWith(refusesCall("call 77"))
		room := func(session, id string, n, second int) plog.Logs {
			logs := callStart(session, id, second)
			records(logs)[0].Attributes().PutStr(names.CallCorrelator, fmt.Sprint("room ", n))
			return logs
		}
		for n := range calls {
			r.consume(room("s-1", fmt.Sprint("call ", n), n, 50))
		}
		for n := range calls {
			r.consume(room("s-2", fmt.Sprint("earlier ", n), n, 0))
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		changed := make(map[string]int)
		for _, lr := range r.next.spans() {
			changed[str(lr, names.CallID)]++
		}
		assert.Len(t, changed, calls-1)
		r.next.refuseWith(nil)
		time.Sleep(2 * longestRetry)
		synctest.Wait()
		for _, lr := range r.next.spans() {
			changed[str(lr, names.CallID)]++
		}
		assert.Len(t, changed, calls)
	})
}

// refusesCall refuses each batch with an event of a call.
func refusesCall(id string) func(context.Context, []plog.LogRecord) error {
	return func(_ context.Context, all []plog.LogRecord) error {
		if slices.ContainsFunc(all, func(lr plog.LogRecord) bool { return str(lr, names.CallID) == id }) {
			return errBusy
		}
		return nil
	}
}
