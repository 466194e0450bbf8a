// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/meetingserver/syslog"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
)

// syslogRecords are the records of a log, which is in testdata or, if it is a sample of the
// specification, in that of the repository.
func syslogRecords(tb testing.TB, log string) plog.Logs {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "in", "syslog", log))
	if err != nil {
		content, err = os.ReadFile(filepath.Join("..", "..", "testdata", log))
	}
	require.NoError(tb, err)
	return logged(strings.Split(strings.TrimSpace(string(content)), "\n")...)
}

// logged makes records of lines, with the attributes of the cmssyslog receiver.
func logged(lines ...string) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceName, names.MeetingServerService)
	rl.Resource().Attributes().PutStr(names.ServiceInstanceID, "cms-n1")
	all := rl.ScopeLogs().AppendEmpty().LogRecords()
	reader := syslog.NewReader(syslog.Options{
		TraceTimeout: syslog.DefaultTraceTimeout, ResponseTimeout: syslog.DefaultResponseTimeout, Limits: syslog.DefaultLimits,
	})
	now := time.Date(2024, 3, 6, 12, 0, 0, 0, time.UTC)
	take := func(r *syslog.Record) {
		lr := all.AppendEmpty()
		lr.SetEventName(r.Kind.Event())
		lr.SetTimestamp(pcommon.NewTimestampFromTime(r.Header.Time))
		lr.Body().SetStr(r.Text)
		lr.Attributes().PutStr(names.SyslogTag, r.Header.Tag)
		for _, f := range r.Fields {
			switch f.Type {
			case syslog.TypeInt:
				lr.Attributes().PutInt(f.Key, f.Int)
			case syslog.TypeFloat:
				lr.Attributes().PutDouble(f.Key, f.Float)
			case syslog.TypeMap:
				m := lr.Attributes().PutEmptyMap(f.Key)
				for _, p := range f.Map {
					m.PutStr(p.Name, p.Value)
				}
			default:
				lr.Attributes().PutStr(f.Key, f.Text)
			}
		}
	}
	for _, line := range lines {
		reader.Read(now, "file", line, take)
	}
	reader.Flush(take)
	return logs
}

// Ids of tms-meeting.log.
const (
	plantCall  = "7b8e1c3a-52f4-4d0e-9d0b-6a1f2c3d4e5f"
	plantLeg   = "c0a8f3de-91b2-4c57-8e64-1f0d2b3a4c5e"
	plantSpace = "39489a5a-2084-455a-89bc-e5eedc2e2ba5"
)

// TestSchedulingOrder: the records of a scheduled meeting come one by one in any order,
// some of them twice, with a restart in between: the same spans come out.
func TestSchedulingOrder(t *testing.T) {
	single := func() (all []plog.Logs) {
		logs := syslogRecords(t, "tms-meeting.log")
		for _, lr := range records(logs) {
			one := plog.NewLogs()
			rl := one.ResourceLogs().AppendEmpty()
			logs.ResourceLogs().At(0).Resource().CopyTo(rl.Resource())
			lr.CopyTo(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
			all = append(all, one)
		}
		return all
	}
	run := func(all []plog.Logs) (spans []string) {
		synctest.Test(t, func(t *testing.T) {
			r := newHarness(t, nil)
			for _, logs := range all {
				require.NoError(t, r.ConsumeLogs(t.Context(), logs))
			}
			time.Sleep(linger)
			synctest.Wait()
			for _, lr := range stitchedRecords(r) {
				spans = append(spans, bytesOf(t, lr))
			}
		})
		slices.Sort(spans)
		return spans
	}
	want := run(single())
	require.NotEmpty(t, want)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		all := append(single(), single()[:5]...)
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		require.Equal(t, want, run(all))
	}
}

// TestNoSecretOfRequests: what a bridge logs in clear is in no stitched record, nor in
// the stored state, whole or in the chunks that the bridge made of it.
func TestNoSecretOfRequests(t *testing.T) {
	const head = "Mar  5 19:10:34 user.info cms-n1 host:server:  INFO : API trace 9500:"
	lines := []string{
		head + ` PUT for "/api/v1/cospaces/` + plantSpace + `?passcode=PLANTED-1" (from 192.0.2.226)`, head + ` content data size 117, type "application/x-www-form-urlencoded":`,
		head + "  nonMemberAccess=true&", head + "  passcode=PLANTED-2&", head + "  name=x&", head + "  secret=PLANTED-3-7e2f4a9b-0c1d-4e5f-8a7b-6c5d4e3f2", head + "      a1b0c9d8-PLANTED-4&",
		head + " sending 200 response, size 0", strings.Replace(head, "9500", "9501", 1) + ` GET for "/api/v1/calls" (from 192.0.2.226)`,
		strings.Replace(head, "9500", "9501", 1) + " sending 200 response, size 90", strings.Replace(head, "9500", "9501", 1) + "  <calls><secret>PLANTED-5</secret></calls>",
	}
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		require.NoError(t, r.ConsumeLogs(t.Context(), logged(lines...)))
		time.Sleep(linger)
		synctest.Wait()
		require.Len(t, stitchedRecords(r), 2)
		var all strings.Builder
		for _, logs := range append(r.next.passed.AllLogs(), r.next.stitched...) {
			for _, lr := range records(logs) {
				all.WriteString(bytesOf(t, lr))
			}
		}
		for _, value := range store.Values() {
			all.Write(value)
		}
		assert.Contains(t, all.String(), "nonMemberAccess", "the parameters are there")
		assert.NotContains(t, all.String(), "PLANTED")
	})
}

func stitchedRecords(r *harness) (all []plog.LogRecord) {
	for _, logs := range r.next.stitched {
		all = append(all, records(logs)...)
	}
	return all
}

// TestLinesOfConference: what the lines say is found with the trace of the conference,
// whether its own records came before or not.
func TestLinesOfConference(t *testing.T) {
	bridge := func(event string, seconds int, fields ...string) plog.Logs {
		logs := plog.NewLogs()
		lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(event)
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Date(2024, 3, 5, 19, 10, seconds, 0, time.UTC)))
		for i := 0; i < len(fields); i += 2 {
			lr.Attributes().PutStr(fields[i], fields[i+1])
		}
		return logs
	}
	started := func() []plog.Logs {
		return []plog.Logs{
			bridge(names.EventCallStart, 34, names.CallID, plantCall, names.CoSpaceID, plantSpace),
			bridge(names.EventCallLegStart, 35, names.CallLegID, plantLeg, names.CallID, plantCall),
		}
	}
	for name, course := range map[string][]plog.Logs{
		"bridges first": append(started(), syslogRecords(t, "tms-meeting.log")),
		"lines first":   append([]plog.Logs{syslogRecords(t, "tms-meeting.log")}, started()...),
		"lines alone":   {syslogRecords(t, "tms-meeting.log")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(t, nil)
				found := make(map[string]int)
				for _, logs := range course {
					require.NoError(t, r.ConsumeLogs(t.Context(), logs))
					for _, lr := range records(r.next.passed.AllLogs()[len(r.next.passed.AllLogs())-1]) {
						switch {
						case lr.TraceID() != pcommon.TraceID(ids.Trace(names.KindCall, plantCall)):
						case lr.SpanID() == pcommon.SpanID(ids.Span(names.KindCall, plantCall)):
							found["call "+strings.TrimPrefix(lr.EventName(), names.MeetingServer+".")]++
						case lr.SpanID() == pcommon.SpanID(ids.Span(names.KindCallLeg, plantLeg)):
							found["leg "+strings.TrimPrefix(lr.EventName(), names.MeetingServer+".")]++
						default:
							assert.Fail(t, "another span of the trace", lr.EventName())
						}
					}
				}
				delete(found, "call call.start")
				delete(found, "leg call_leg.start")
				want := map[string]int{
					"call api.audit": 5, "leg api.audit": 1, "call api.request": 9, "leg api.request": 1,
					"leg syslog.call_leg.ids": 2, "leg syslog.call.outgoing": 1, "leg syslog.call.ringing": 1, "leg syslog.fault.unencrypted_fallback": 1,
					"call syslog.participant.join": 1,
				}
				assert.Equal(t, want, found)
			})
		})
	}
}
