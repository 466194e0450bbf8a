// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/ocms"
)

// accounting are the records of an event log, which is in testdata or, if it is a
// sample of the specification, in that of the repository.
func accounting(tb testing.TB, log string) plog.Logs {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "in", "ocms", log))
	if err != nil {
		content, err = os.ReadFile(filepath.Join("..", "..", "testdata", "ocms", log))
	}
	require.NoError(tb, err)
	return accounted(tb, strings.Split(strings.TrimSpace(string(content)), "\n")...)
}

// accounted makes records of accounting events, a line each, with the attributes of
// the ocms receiver.
func accounted(tb testing.TB, lines ...string) plog.Logs {
	tb.Helper()
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceName, names.OCMSServiceName)
	all := rl.ScopeLogs().AppendEmpty().LogRecords()
	var decoder ocms.Decoder
	for _, line := range lines {
		e, err := decoder.Decode(line)
		require.NoError(tb, err, line)
		lr := all.AppendEmpty()
		lr.SetEventName(map[ocms.Kind]string{
			ocms.Generic: names.EventOCMSEvent, ocms.Request: names.EventOCMSRequest, ocms.Response: names.EventOCMSResponse,
		}[e.Kind()])
		lr.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
		lr.Body().SetStr(line)
		put := func(key, value string) {
			if value != "" {
				lr.Attributes().PutStr(key, value)
			}
		}
		put(names.OCMSService, e.Service)
		put(names.OCMSLogger, e.Category.Logger)
		put(names.SIPMethod, e.Method)
		put(names.SIPCallID, e.CallID)
		if e.Code > 0 {
			lr.Attributes().PutInt(names.SIPCode, int64(e.Code))
		}
		if e.CSeq.Method != "" {
			lr.Attributes().PutInt(names.SIPCSeqNumber, int64(e.CSeq.Number))
			put(names.SIPCSeqMethod, e.CSeq.Method)
		}
		address := func(a *ocms.Address, name, tag, uri string) {
			put(name, a.Display)
			put(tag, a.Tag)
			put(uri+"."+names.URIOriginal, a.URI.Text)
			put(uri+"."+names.URIScheme, a.URI.Scheme)
			put(uri+"."+names.URIUser, a.URI.User)
			put(uri+"."+names.URIHost, a.URI.Host)
		}
		address(&e.From, names.SIPFromName, names.SIPFromTag, names.SIPFromURIPrefix)
		address(&e.To, names.SIPToName, names.SIPToTag, names.SIPToURIPrefix)
		put(names.SIPURIPrefix+"."+names.URIOriginal, e.RequestURI.Text)
		put(names.SIPContentType, e.ContentType)
		for i := range e.Media {
			if i == 0 {
				lr.Attributes().PutEmptySlice(names.OCMSMediaTypes)
			}
			types, _ := lr.Attributes().Get(names.OCMSMediaTypes)
			types.Slice().AppendEmpty().SetStr(e.Media[i].Type)
		}
		for i := range e.Line.Len() {
			if a := e.Line.Attribute(i); a.Key == ocms.Unknown {
				put(names.OCMSAttribute(a.Name), a.Value)
			}
		}
	}
	return logs
}

// sip is a message of a call, some seconds after noon; attributes may be added.
func sip(event, method string, code int64, second int, more map[string]any) plog.Logs {
	attributes := map[string]any{
		names.SIPCallID: "C@H", names.SIPMethod: method, names.SIPCSeqNumber: 1, names.SIPFromTag: "a", names.SIPToTag: "b",
	}
	if code > 0 {
		attributes[names.SIPCode] = code
	}
	maps.Copy(attributes, more)
	logs := say(event, second, attributes)
	logs.ResourceLogs().At(0).Resource().Attributes().Clear()
	return logs
}

// TestMessagesOfCalls: which messages make a dialog, and which are stamped.
func TestMessagesOfCalls(t *testing.T) {
	for name, c := range map[string]struct {
		logs            plog.Logs
		makes, isOfCall bool
	}{
		"an INVITE":               {sip(names.EventOCMSRequest, "INVITE", 0, 0, nil), true, true},
		"an answer":               {sip(names.EventOCMSResponse, "INVITE", 200, 0, nil), true, true},
		"a BYE":                   {sip(names.EventOCMSRequest, "BYE", 0, 0, nil), true, true},
		"an INFO":                 {sip(names.EventOCMSRequest, "INFO", 0, 0, nil), false, true},
		"a MESSAGE":               {sip(names.EventOCMSRequest, "MESSAGE", 0, 0, nil), false, true},
		"a response without code": {sip(names.EventOCMSResponse, "INVITE", 0, 0, nil), false, true},
		"a REGISTER of another":   {sip(names.EventOCMSRequest, "REGISTER", 0, 0, map[string]any{names.SIPCallID: "other"}), false, false},
		"no Call-ID":              {sip(names.EventOCMSRequest, "INVITE", 0, 0, map[string]any{names.SIPCallID: ""}), false, false},
		"an application's event":  {sip(names.EventOCMSEvent, "INVITE", 0, 0, nil), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(t, nil)
				r.consume(c.logs)
				var want int64
				if c.makes {
					want = 1
				}
				assert.Equal(t, want, r.counts()["open_objects dialog"])
				r.consume(sip(names.EventOCMSRequest, "INVITE", 0, 0, nil), c.logs)
				passed := records(r.next.passed.AllLogs()...)
				last := passed[len(passed)-1]
				if !c.isOfCall {
					assert.True(t, last.TraceID().IsEmpty())
					return
				}
				assert.EqualValues(t, ids.Trace(names.KindDialog, "c@h"), last.TraceID())
				assert.EqualValues(t, ids.Span(names.KindDialog, "c@h"), last.SpanID())
				assert.Equal(t, "c@h", str(last, names.DialogID))
			})
		})
	}
}

// TestDialogRecord: of a message, its call's span has what holds for the call.
func TestDialogRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.consume(
			sip(names.EventOCMSRequest, "INVITE", 0, 0, map[string]any{
				names.SIPFromURIPrefix + ".original": "sip:a@h", names.SIPFromURIPrefix + ".port": 5060, names.SIPFromName: "Doe, Jane",
				names.SIPVia: []any{"SIP/2.0/TCP h"}, names.OCMSMediaTypes: []any{"audio", "video"}, names.OCMSAttribute("foo"): "bar",
				names.OCMSService: "eventlogger.x.REQUEST.INVITE", names.OCMSLogger: "x", names.LogFileName: "events.log", "site": "here",
				names.DialogResult: "of a stranger", names.SpanName: "x",
			}),
			sip(names.EventOCMSResponse, "INVITE", 404, 2, map[string]any{names.OCMSMediaTypes: []any{"audio"}}),
		)
		time.Sleep(linger)
		synctest.Wait()
		spans := r.next.spans()
		require.Len(t, spans, 1)
		assert.Equal(t, "WARN", spans[0].SeverityText(), "the party called is not there")
		assert.Equal(t, "dialog of 2 s: failed with 404", spans[0].Body().Str())
		assert.Equal(t, map[string]any{
			names.DialogID: "c@h", names.SIPCallID: "C@H", names.SIPMethod: "INVITE", names.SIPCode: int64(404), names.DialogResult: "failed",
			names.SIPFromURIPrefix + ".original": "sip:a@h", names.SIPFromName: "Doe, Jane",
			names.OCMSAttribute("foo"): "bar", names.OCMSLogger: "x", "site": "here",
			names.DialogResponses: []any{map[string]any{"code": int64(404), "offset": int64(2000)}},
			names.SpanName:        "dialog", names.SpanKind: "internal", names.SpanStart: noon.UnixNano(), names.SpanStatus: "error",
			names.ErrorType: "404", names.CallstitchOutcome: "complete",
		}, spans[0].Attributes().AsRaw())
		assert.EqualValues(t, 1, r.counts()["emitted dialog complete"])
	})
}
