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
	"github.com/legato-otel/legato/internal/testkit"
)

// fromBridge puts the identity of a Call Bridge on a request.
func fromBridge(logs plog.Logs, attributes map[string]string) plog.Logs {
	for key, value := range attributes {
		logs.ResourceLogs().At(0).Resource().Attributes().PutStr(key, value)
	}
	return logs
}

// lists is what cmsapi says of a bridge: the source has no session.
func lists(event string, second int, attributes map[string]string, ids ...string) plog.Logs {
	listed := make([]any, len(ids))
	for i, id := range ids {
		listed[i] = id
	}
	logs := fromBridge(say(event, second, map[string]any{
		names.APIListIDs: listed, names.APIListTotal: len(ids), names.APIListPart: 1, names.APIListParts: 1, names.APIBridgeStart: noon.Unix() - 1000,
	}), attributes)
	logs.ResourceLogs().At(0).Resource().Attributes().Remove(names.SessionID)
	return logs
}

// TestEndsThatWereLost: what a bridge does not have any more has ended.
func TestEndsThatWereLost(t *testing.T) {
	inCluster := map[string]string{names.CallBridgeID: "1ae0ee4f-4a26-4d1d-8e0c-ac0b8a1b1c6e"}
	named := map[string]string{names.SystemID: "cms1"}
	remove := func(second int, reason string) plog.Logs {
		return say(names.EventEventCallRemove, second, map[string]any{names.CallID: "c", names.CallReason: reason})
	}
	for _, test := range []struct {
		name   string
		bridge map[string]string
		then   []plog.Logs
		want   []string
	}{
		{"in no list", inCluster, []plog.Logs{
			lists(names.EventAPICallList, 60, inCluster), lists(names.EventAPICallLegList, 60, inCluster),
			lists(names.EventAPICallList, 120, inCluster), lists(names.EventAPICallLegList, 120, inCluster),
		}, []string{"call unlisted", "call_leg unlisted"}},
		{"a server in no cluster", named, []plog.Logs{
			lists(names.EventAPICallList, 60, named), lists(names.EventAPICallList, 120, named),
		}, []string{"call unlisted", "call_leg unlisted"}},
		{"the leg is in no list", inCluster, []plog.Logs{
			lists(names.EventAPICallList, 60, inCluster, "c"), lists(names.EventAPICallLegList, 60, inCluster, "other"),
			lists(names.EventAPICallList, 120, inCluster, "c"), lists(names.EventAPICallLegList, 120, inCluster, "other"),
		}, []string{"call_leg unlisted"}},
		{"lists of another bridge", inCluster, []plog.Logs{lists(names.EventAPICallList, 60, named), lists(names.EventAPICallList, 120, named)}, nil},
		{"lists without a name of the bridge", inCluster, []plog.Logs{lists(names.EventAPICallList, 60, nil), lists(names.EventAPICallList, 120, nil)}, nil},
		{"removed", inCluster, []plog.Logs{remove(60, "")}, []string{"call unlisted", "call_leg unlisted"}},
		{"not announced again", inCluster, []plog.Logs{remove(60, "not_listed")}, []string{"call unlisted", "call_leg unlisted"}},
		{"lost from view", inCluster, []plog.Logs{remove(60, names.ReasonLostConnection), remove(60, names.ReasonNotWatched)}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(t, nil)
				r.consume(
					fromBridge(say(names.EventCallStart, 0, map[string]any{names.CallID: "c"}), test.bridge),
					fromBridge(say(names.EventCallLegStart, 1, map[string]any{names.CallLegID: "l"}), test.bridge),
					fromBridge(say(names.EventCallLegUpdate, 2, map[string]any{names.CallLegID: "l", names.CallID: "c"}), test.bridge),
				)
				r.consume(test.then...)
				time.Sleep(3 * time.Minute)
				synctest.Wait()
				var got []string
				for _, span := range r.next.spans() {
					got = append(got, fmt.Sprint(str(span, names.SpanName), " ", str(span, names.CallstitchOutcome)))
				}
				assert.ElementsMatch(t, test.want, got)
			})
		})
	}
}

// TestQualityIsStamped: an event about the media of a live leg has the leg's ids, and
// says nothing that the leg's span has.
func TestQualityIsStamped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.consume(startOf("l"), say(names.EventAPICallLegQuality, 30, map[string]any{names.CallLegID: "L", "cisco.meeting_server.call_leg.status.state": "connected"}),
			legEnd("l"))
		time.Sleep(linger)
		synctest.Wait()
		passed := records(r.next.passed.AllLogs()...)
		assert.Equal(t, spanOf(passed[0]), spanOf(passed[1]))
		assert.Equal(t, traceOf(passed[0]), traceOf(passed[1]))
		spans := r.next.spans()
		assert.Len(t, spans, 1)
		assert.Empty(t, str(spans[0], "cisco.meeting_server.call_leg.status.state"))
	})
}

// TestRemovalIsStored: an acknowledged removal outlives a crash, as a record does.
func TestRemovalIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.consume(
			say(names.EventCallStart, 0, map[string]any{names.CallID: "c"}),
			say(names.EventCallLegStart, 1, map[string]any{names.CallLegID: "l", names.CallID: "c"}),
			say(names.EventEventCallRemove, 60, map[string]any{names.CallID: "c"}),
		)
		crashed := testkit.NewStorage()
		for key, value := range store.Values() {
			crashed.Put(key, value)
		}
		r.stop()
		again := newHarness(t, withStorage(crashed))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		var got []string
		for _, span := range again.next.spans() {
			got = append(got, fmt.Sprint(str(span, names.SpanName), " ", str(span, names.CallstitchOutcome)))
		}
		assert.ElementsMatch(t, []string{"call unlisted", "call_leg unlisted"}, got)
	})
}
