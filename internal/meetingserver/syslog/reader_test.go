// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

const testHead = testDate + " user.info cms-n1 host:server:  INFO : "

func traceLine(number int, text string) string {
	return fmt.Sprintf("%sAPI trace %d:%s", testHead, number, text)
}

// requests collects records of requests in the order in which they come.
type requests struct {
	numbers    []int64
	incomplete []string
}

func (q *requests) take(r *Record) {
	if r.Kind == KindRequest {
		q.numbers = append(q.numbers, field(r, names.APITrace).Int)
		q.incomplete = append(q.incomplete, r.Request.Incomplete)
	}
}

func TestEndOfTrace(t *testing.T) {
	get, ok, empty := ` GET for "/api/v1/calls" (from 192.0.2.1)`, " sending 200 response, size 90", " sending 200 response, size 0"
	for _, row := range []struct {
		name  string
		lines []string
		after time.Duration
		want  []string // incomplete
	}{
		{"root element closed", []string{traceLine(1, get), traceLine(1, ok), traceLine(1, `  <calls total="0"></calls>`)}, 0, []string{""}},
		{"root element empty", []string{traceLine(1, get), traceLine(1, ok), traceLine(1, `  <calls total="0"/>`)}, 0, []string{""}},
		{"root element over lines, with a tag in pieces", []string{traceLine(1, get), traceLine(1, ok), traceLine(1, `  <calls`), traceLine(1, `   total="0">`), traceLine(1, `  </calls>`)}, 0, []string{""}},
		{"root element open", []string{traceLine(1, get), traceLine(1, ok), traceLine(1, `  <calls total="0">`)}, 0, nil},
		{"no body, no other line", []string{traceLine(1, get), traceLine(1, empty)}, 0, nil},
		{"no body, a line that is no trace", []string{traceLine(1, get), traceLine(1, empty), testHead + "text"}, 0, nil},
		{"no body, another trace", []string{traceLine(1, get), traceLine(1, empty), traceLine(2, get)}, 0, []string{""}},
		{"no response, another trace", []string{traceLine(1, get), traceLine(2, get)}, 0, nil},
		{"no body, time up", []string{traceLine(1, get), traceLine(1, empty)}, DefaultTraceTimeout, []string{""}},
		{"no body, time not up", []string{traceLine(1, get), traceLine(1, empty)}, DefaultTraceTimeout - 1, nil},
		{"body missing, time up", []string{traceLine(1, get), traceLine(1, ok)}, DefaultTraceTimeout, []string{IncompleteBody}},
		{"no response, time of a response not up", []string{traceLine(1, get)}, DefaultResponseTimeout - 1, nil},
		{"no response, time of a response up", []string{traceLine(1, get)}, DefaultResponseTimeout, []string{IncompleteNoResponse}},
		{"no request", []string{traceLine(1, empty), traceLine(2, get)}, 0, []string{IncompleteNoRequest}},
		{"a number again", []string{traceLine(1, get), traceLine(1, get), traceLine(1, empty)}, DefaultTraceTimeout, []string{IncompleteNoResponse, ""}},
		{"an object created: its path comes", []string{
			traceLine(1, ` POST for "/api/v1/calls" (from 192.0.2.1)`), traceLine(1, empty), traceLine(2, get),
			traceLine(1, " Location: /api/v1/calls/1"), traceLine(2, empty),
		}, 0, []string{""}},
		{"response twice", []string{traceLine(1, get), traceLine(1, empty), traceLine(1, empty)}, DefaultTraceTimeout, []string{""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got requests
			r := newTestReader()
			for _, line := range row.lines {
				r.Read(noon, "source", line, got.take)
			}
			if row.after > 0 {
				require.False(t, r.Next().After(noon.Add(DefaultResponseTimeout)))
				r.Advance(noon.Add(row.after), got.take)
			}
			assert.Equal(t, row.want, got.incomplete)
		})
	}
}

// Two bridges with one name, and two that one relay sends, have traces of their own.
func TestTracesOfHosts(t *testing.T) {
	var got requests
	r := newTestReader()
	other := strings.Replace(testHead, "cms-n1", "cms-n2", 1)
	r.Read(noon, "192.0.2.1", traceLine(1, ` GET for "/api/v1/calls" (from 192.0.2.1)`), got.take)
	r.Read(noon, "192.0.2.2", traceLine(1, " sending 200 response, size 0"), got.take)
	r.Read(noon, "192.0.2.1", other+"API trace 1: sending 200 response, size 0", got.take)
	assert.Equal(t, 3, r.Open())
	r.Flush(got.take)
	assert.Equal(t, []string{IncompleteNoResponse, IncompleteNoRequest, IncompleteNoRequest}, got.incomplete)
}

// What a stranger sends takes no more than the limits; a flood in the name of one
// bridge ends no request of another.
func TestLimits(t *testing.T) {
	options := Options{TraceTimeout: time.Second, ResponseTimeout: time.Second, Limits: Limits{RequestBytes: 4096, RequestLines: 64, HostRequests: 8, Hosts: 4, Bytes: 16 << 10}}
	get := func(number int) string { return traceLine(number, ` GET for "/api/v1/calls" (from 192.0.2.1)`) }

	t.Run("bytes and lines of a request", func(t *testing.T) {
		for _, line := range []string{"  name=" + strings.Repeat("x", 100) + "&", "  " + strings.Repeat("x", 100), "      " + strings.Repeat("x", 48), "  =", "  <a>"} {
			for _, begin := range [][]string{{get(1)}, {get(1), traceLine(1, " sending 200 response, size 9")}, nil} {
				var got requests
				r := NewReader(options)
				for _, first := range begin {
					r.Read(noon, "a", first, got.take)
				}
				for range 10_000 {
					r.Read(noon, "a", traceLine(1, line), got.take)
					require.LessOrEqual(t, r.Bytes(), traceOverhead+options.Limits.RequestBytes+options.Limits.RequestLines*parameterOverhead+200)
				}
				r.Flush(got.take)
				require.Len(t, got.numbers, 1)
			}
		}
	})
	t.Run("the end of a long response is found", func(t *testing.T) {
		var got requests
		r := NewReader(options)
		r.Read(noon, "a", get(1), got.take)
		r.Read(noon, "a", traceLine(1, " sending 200 response, size 99999"), got.take)
		r.Read(noon, "a", traceLine(1, "  <calls>"), got.take)
		for range 1000 {
			r.Read(noon, "a", traceLine(1, "    <name>"+strings.Repeat("x", 100)+"</name>"), got.take)
		}
		require.Empty(t, got.numbers)
		r.Read(noon, "a", traceLine(1, "  </calls>"), got.take)
		assert.Equal(t, []string{IncompleteTooLong}, got.incomplete)
	})
	t.Run("requests of a bridge", func(t *testing.T) {
		var got requests
		r := NewReader(options)
		r.Read(noon, "b", get(1), got.take)
		for number := range 100 {
			r.Read(noon, "a", get(number), got.take)
			require.LessOrEqual(t, r.Open(), 1+options.Limits.HostRequests)
		}
		require.Len(t, got.numbers, 100-options.Limits.HostRequests)
		for i, number := range got.numbers {
			require.EqualValues(t, i, number, "the oldest goes first")
			require.Equal(t, IncompleteEvicted, got.incomplete[i])
		}
	})
	t.Run("bytes of all", func(t *testing.T) {
		var got requests
		r := NewReader(options)
		r.Read(noon, "b", get(1), got.take)
		for number := range 100 {
			r.Read(noon, "a", traceLine(number, fmt.Sprintf(` GET for "/api/v1/%s" (from 192.0.2.1)`, strings.Repeat("x", 3000))), got.take)
			require.LessOrEqual(t, r.Bytes(), options.Limits.Bytes)
		}
		got = requests{}
		r.Read(noon, "b", traceLine(1, " sending 200 response, size 0"), got.take)
		r.Read(noon, "b", get(2), got.take)
		assert.Equal(t, []string{""}, got.incomplete, "the small one of another bridge is still there")
	})
	t.Run("bridges", func(t *testing.T) {
		r := NewReader(options)
		ended := 0
		for i := range 100 {
			r.Read(noon, "a", strings.Replace(get(1), "cms-n1", fmt.Sprint("cms", i), 1), func(*Record) { ended++ })
			require.LessOrEqual(t, len(r.bridges), options.Limits.Hosts)
		}
		assert.Equal(t, 100-options.Limits.Hosts, ended)
	})
	t.Run("sources", func(t *testing.T) {
		r := NewReader(options)
		for i := range 2 * maxSources {
			r.Read(noon, strconv.Itoa(i), "no date", func(*Record) {})
		}
		assert.Len(t, r.sources, maxSources)
	})
	t.Run("ids", func(t *testing.T) {
		r := NewReader(options)
		for i := range 3 * maxIDs {
			guid := fmt.Sprintf("%08x-0000-4000-8000-000000000000", i)
			r.Read(noon, "a", testHead+fmt.Sprintf("API call leg %s in call %s (API call %s)", guid, guid, guid), func(*Record) {})
			r.Read(noon, "a", testHead+fmt.Sprintf("API \"x\" Space GUID: %s <--> Call Correlator GUID: %s<--> Internal GUID: %s", guid, guid, guid), func(*Record) {})
			r.Read(noon, "a", testHead+fmt.Sprintf("call %d: configured - API call leg %s", i, guid), func(*Record) {})
		}
		for _, h := range r.bridges {
			assert.Len(t, h.legs.entries, maxIDs)
			assert.Len(t, h.legByNumber.entries, maxIDs)
			assert.Len(t, h.conferences.entries, maxIDs)
			assert.LessOrEqual(t, len(h.conferenceBySpace.entries), maxIDs)
		}
	})
}

// A number that was given to another leg stands for that one, however often numbers
// are reused.
func TestNumbersAreReused(t *testing.T) {
	r := newTestReader()
	guid := func(i int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", i) }
	for i := range 3 * maxIDs {
		r.Read(noon, "a", testHead+fmt.Sprintf("call %d: configured - API call leg %s", i%3, guid(i)), func(*Record) {})
		r.Read(noon, "a", testHead+fmt.Sprintf("call %d: becoming floor", i%3), func(record *Record) {
			require.Equal(t, guid(i), field(record, names.CallLegID).Text)
		})
		if i%2 == 0 {
			r.Read(noon, "a", testHead+fmt.Sprintf("call %d: destroying API call leg %s", i%3, guid(i)), func(*Record) {})
			r.Read(noon, "a", testHead+fmt.Sprintf("call %d: text", i%3), func(record *Record) {
				require.Empty(t, field(record, names.CallLegID).Text)
			})
		}
	}
}

func TestPath(t *testing.T) {
	const guid = "39489a5a-2084-455a-89bc-e5eedc2e2ba5"
	for _, row := range []struct{ path, route, object, id string }{
		{"/api/v1/calls", "/api/v1/calls", "", ""},
		{"/api/v1/cospaces/" + strings.ToUpper(guid), "/api/v1/coSpaces/{id}", "coSpaces", guid},
		{"/API/v1/calls/" + guid + "/calllegs", "/api/v1/calls/{id}/callLegs", "calls", guid},
		{"/api/v1/calls/" + guid + "/participants/" + guid + "/", "/api/v1/calls/{id}/participants/{id}", "participants", guid},
		{"/api/v1/system/cdrReceivers/" + guid, "/api/v1/system/cdrReceivers/{id}", "cdrReceivers", guid},
		{"/api/v1/secretThings/" + guid, "/api/v1/{other}/{other}", "", ""},
		{"/api/v1/calls/not-an-id", "/api/v1/calls/{other}", "", ""},
		{"/api/v1" + strings.Repeat("/calls/1", 9), "/api/v1/calls/{id}/calls/{id}/calls/{id}", "calls", "1"},
		{"/api/v2/calls", names.Other, "", ""},
		{"/", names.Other, "", ""},
		{"", names.Other, "", ""},
	} {
		got := parsePath(row.path)
		assert.Equal(t, row.route, got.route, row.path)
		assert.Equal(t, row.object, got.object, row.path)
		assert.Equal(t, row.id, got.id, row.path)
	}
}

func TestResponse(t *testing.T) {
	const guid = "39489a5a-2084-455a-89bc-e5eedc2e2ba5"
	f := func(document string, want response) {
		t.Helper()
		assert.Equal(t, want, parseResponse(document), document)
	}
	f(`<call id="`+guid+`"><name>a &amp; b</name><coSpace>`+guid+`</coSpace><unknown>x</unknown></call>`,
		response{object: "call", total: -1, elements: []Pair{{"name", "a & b"}, {"coSpace", guid}}, objectIDs: []Pair{{names.CallID, guid}, {names.CoSpaceID, guid}}})
	f(`<calls total="1"><call id="`+guid+`"><name>x</name></call></calls>`,
		response{object: "calls", total: 1, elements: []Pair{{"name", "x"}}, objectIDs: []Pair{{names.CallID, guid}}})
	f(`<calls total="2"><call id="`+guid+`"><name>x</name></call><call id="`+guid+`"><name>y</name></call></calls>`,
		response{object: "calls", total: 2})
	f(`<callLegs total="0"/>`, response{object: "callLegs", total: 0})
	f(`<callLeg><status><state>connected</state><passcode><name>x</name></passcode></status></callLeg>`,
		response{object: "callLeg", total: -1, elements: []Pair{{"status/state", "connected"}}, hadSecret: true})
	f(`<failureDetails><callLegDoesNotExist/><parameterError parameter="x"/></failureDetails>`,
		response{object: "failureDetails", total: -1, reasons: []string{"callLegDoesNotExist", "parameterError"}})
	f(`<call><name>x</name></wrong>`, response{object: "call", total: -1, elements: []Pair{{"name", "x"}}, broken: true})
	f(`<html><body>503</html>`, response{object: "html", total: -1, broken: true})
}

func TestFaults(t *testing.T) {
	for line, want := range map[string]Kind{
		testHead + "recording: No recording device found":                                   KindRecorderMissing,
		testDate + " user.err cms-n1 recorder-proxy[12]: Failed to mount NFS storage x":     KindNFSMountFailed,
		testDate + " local0.err cms-n1 postgres[1]: [7-1] 2024-02-23 UTC [1] FATAL:  x":     KindDatabaseFatal,
		testHead + "FATAL: not of the database":                                             KindLine,
		testHead + "WB3Cmgr: C2W connection to wss://192.0.2.1:9999 state: DOWN":            KindC2WDown,
		testHead + "C2W connection to wss://192.0.2.1:9999 failed":                          KindC2WDown,
		testHead + "C2W connection state CLOSING":                                           KindC2WDown,
		testHead + "C2W connection to wss://192.0.2.1:9999 state: UP":                       KindLine,
		testHead + "C2W connecting to wss://192.0.2.1:9999":                                 KindLine,
		testDate + " user.err cms-n1 client_backend:  ERROR   : SamlManager : x":            KindSSOError,
		testDate + " user.info cms-n1 client_backend: INFO : SamlManager : x":               KindLine,
		testHead + "handshake error 104 on outgoing connection 4":                           KindHandshakeError,
		testHead + "call 7: falling back to unencrypted control connection...":              KindFallback,
		testHead + `participant "x" joined space 39489a5a-2084-455a-89bc-e5eedc2e2ba5 (x)`:  KindJoin,
		testHead + `participant "x" left space 39489a5a-2084-455a-89bc-e5eedc2e2ba5 (x)`:    KindLeave,
		testHead + `call 7: incoming SIP call from "sip:a@b.test" to local URI "sip:c@d.e"`: KindIncoming,
		testHead + `192.0.2.1: API user "a" frobbed call 1`:                                 KindLine,

		testHead + "call x: text": KindLine,
	} {
		newTestReader().Read(noon, "", line, func(r *Record) {
			assert.Equal(t, want.String(), r.Kind.String(), line)
			assert.GreaterOrEqual(t, r.Severity, kindProperties[want].minSeverity)
		})
	}
	for kind := range KindCount {
		assert.NotEmpty(t, kind.String())
		assert.NotEmpty(t, kind.Event())
		assert.Equal(t, strings.Contains(kind.Event(), ".fault."), kind.Fault())
	}
}

// A join names a space: from the first leg of a conference there to the last one, the
// record has the ids of its call.
func TestRooms(t *testing.T) {
	id := func(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }
	const space, correlator, conference, call, leg = 1, 2, 3, 4, 5
	begins := func(n int) string {
		return fmt.Sprintf(`API "9999" Space GUID: %s <--> Call Correlator GUID: %s<--> Internal GUID: %s`, id(space, 0), id(correlator, 0), id(conference, n))
	}
	enters := func(l, n int) string {
		return fmt.Sprintf("API call leg %s in call %s (API call %s)", id(leg, l), id(conference, n), id(call, n))
	}
	configured := func(l int) string { return fmt.Sprintf("call %d: configured - API call leg %s", l, id(leg, l)) }
	gone := func(l int) string { return fmt.Sprintf("call %d: destroying API call leg %s", l, id(leg, l)) }
	joins := fmt.Sprintf(`participant "anna@example.test" joined space %s (Room)`, id(space, 0))
	r := newTestReader()
	var got string
	for i, step := range []struct{ line, want string }{
		{joins, ""},
		{begins(1), ""},
		{joins, ""}, // no leg has named the call
		{configured(1), ""},
		{enters(1, 1), id(call, 1)},
		{joins, id(call, 1)},
		{enters(1, 1), id(call, 1)}, // again
		{configured(2), ""},
		{enters(2, 1), id(call, 1)},
		{gone(1), id(call, 1)},
		{joins, id(call, 1)},
		{gone(2), id(call, 1)},
		{joins, ""}, // the next conference has not begun
		{begins(2), ""},
		{joins, ""},
		{configured(3), ""},
		{enters(3, 2), id(call, 2)},
		{joins, id(call, 2)},
		{begins(3), ""}, // the end of the one before was not logged
		{joins, ""},
		{gone(3), id(call, 2)},
		{enters(4, 3), id(call, 3)},
		{joins, id(call, 3)},
	} {
		r.Read(noon, "a", testHead+step.line, func(r *Record) { got = field(r, names.CallID).Text })
		assert.Equal(t, step.want, got, "step %d: %s", i, step.line)
	}
}
