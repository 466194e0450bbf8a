// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// from says that a request comes from a run of a Call Bridge as cmscdr has it:
// one that is in no cluster and has no label.
func from(session string, logs plog.Logs) plog.Logs {
	resource := logs.ResourceLogs().At(0).Resource().Attributes()
	resource.PutStr(names.SessionID, session)
	resource.PutStr(names.ServiceInstanceID, session)
	resource.PutStr(names.ClientAddress, "192.0.2.1")
	return logs
}

// sessionStart says that a session replaces another one.
func sessionStart(session, former string, second int) plog.Logs {
	return from(session, say(names.EventSessionStart, second, map[string]any{names.SessionPreviousID: former}))
}

// Two bridges that look like one that starts anew all the time: what is heard of
// is alive.
func TestTwoBridgesTakenForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		leg := func(bridge, phase string, second int) plog.Logs {
			return from(bridge, say("cisco.meeting_server.call_leg."+phase, second, map[string]any{names.CallLegID: "leg of " + bridge}))
		}
		r.consume(leg("a", "start", 0), leg("b", "start", 0))
		for second := 2; second < 3600; second += 4 {
			r.consume(sessionStart("b", "a", second), leg("b", "update", second))
			time.Sleep(2 * time.Second)
			r.consume(sessionStart("a", "b", second+2), leg("a", "update", second+2))
			time.Sleep(2 * time.Second)
		}
		synctest.Wait()
		assert.Empty(t, r.next.spans())
		assert.Greater(t, r.counts()["sessions_revived"], int64(1000))
		r.consume(leg("a", "end", 3610), leg("b", "end", 3610))
		time.Sleep(linger)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 2)
		for _, lr := range r.next.spans() {
			assert.Equal(t, "complete", str(lr, names.CallstitchOutcome))
		}
	})
}

// A post of an old session that comes after the live one's is no end of that.
func TestStalePost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.consume(from("live", startOf("leg")))
		r.consume(sessionStart("stale", "live", -3600), from("stale", say(names.EventCallLegEnd, -3600, map[string]any{names.CallLegID: "old"})))
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 1)
		r.consume(from("live", legEnd("leg")))
		time.Sleep(linger)
		synctest.Wait()
		assert.Equal(t, "complete", str(r.next.spans()[1], names.CallstitchOutcome))
	})
}

// Five runs of a bridge of which nobody says that they follow each other, each
// with a call whose end was lost, are five meetings.
func TestFiveRunsOfOneBridge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		for n := range 5 {
			r.consume(from(fmt.Sprint("run ", n), say(names.EventCallStart, 1000*n, map[string]any{
				names.CallID: fmt.Sprint("call ", n), names.CallCorrelator: "room",
			})))
		}
		time.Sleep(r.config.MaxOpen + linger)
		synctest.Wait()
		traces := make(map[string]bool)
		for _, lr := range r.next.spans() {
			traces[traceOf(lr)] = true
		}
		assert.Len(t, traces, 5)
	})
}
