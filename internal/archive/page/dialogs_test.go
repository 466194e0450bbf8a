// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// TestDialogUnderLeg: the dialogs of a leg's SIP call stand under the leg, on the
// leg's bridge, whichever began first; the others stand at their own server.
func TestDialogUnderLeg(t *testing.T) {
	w := newWorld(t)
	leg := store.Leg{Object: w.object(names.KindCallLeg, traceBoard, "bridge", "13:00:00", "13:30:00"), SIPCallID: "sip-1", DisplayName: "Jane"}
	w.batch.Legs = append(w.batch.Legs, leg, store.Leg{Object: w.object(names.KindCallLeg, traceBoard, "bridge", "13:00:00", "13:30:00")})
	add := func(call, start string, more func(*store.Dialog)) {
		d := store.Dialog{Object: w.object(names.KindDialog, traceBoard, "ocms1", start, "13:30:00"), SIPCallID: call, Method: "INVITE", Code: new(int64(200))}
		if more != nil {
			more(&d)
		}
		w.batch.Dialogs = append(w.batch.Dialogs, d)
	}
	add(leg.SIPCallID, "13:00:01", nil)
	add(leg.SIPCallID, "12:59:59", func(d *store.Dialog) {
		d.FromName, d.FromParty, d.ToParty, d.Result = "Jane", "jane@example.test", "8600@example.test", names.DialogAnswered
		d.SetupSeconds, d.RingDelaySeconds, d.RingSeconds, d.AnsweredSeconds = new(300.0), new(0.5), new(299.5), new(1501.0)
		d.Responses = json.RawMessage(`[{"code":407,"offset":40},{"code":180,"offset":500},{"code":200,"offset":300000}]`)
	})
	add("another", "13:00:00", func(d *store.Dialog) {
		d.Code, d.ErrorType, d.Result = new(int64(486)), "486", names.DialogFailed
	})
	line := newTimeline(&store.Trace{ID: traceBoard, Legs: w.batch.Legs, Dialogs: w.batch.Dialogs}, now)

	require.Len(t, line.Groups, 2)
	bridge := line.Groups[slices.IndexFunc(line.Groups, func(g group) bool { return g.Name == "bridge" })]
	at := slices.IndexFunc(bridge.Rows, func(r row) bool { return r.Anchor == anchor(leg.SpanID) })
	require.GreaterOrEqual(t, at, 0)
	require.Len(t, bridge.Rows, 4)
	first := bridge.Rows[at+1]
	assert.Equal(t, "dialog under", first.Class)
	assert.Equal(t, "Jane → 8600@example.test", first.Name)
	assert.Equal(t, []string{"jane@example.test", "rang for 5 min 00 s"}, first.Sub)
	assert.Equal(t, &why{Words: "Answered", Cisco: "INVITE 200"}, first.Why)
	require.Len(t, first.Pieces, 2)
	assert.Equal(t, "setup", first.Pieces[0].Class)
	assert.Equal(t, "dialog", first.Pieces[1].Class)
	for name, value := range map[string]string{
		"Caller": "jane@example.test", "Called": "8600@example.test", "Until it rang": "0.5 s", "Rang for": "5 min 00 s", "Until it was answered": "5 min 00 s",
		"Answered for": "25 min 01 s", "Responses": "407 after 0 s, 180 after 0.5 s, 200 after 5 min 00 s", "Reported by": "ocms1", "SIP Call-ID": leg.SIPCallID,
	} {
		assert.True(t, slices.ContainsFunc(first.Facts, func(f fact) bool { return f.Name == name && f.Value == value }), "%s: %v", name, first.Facts)
	}
	assert.Equal(t, "dialog under", bridge.Rows[at+2].Class)

	last := line.Groups[slices.IndexFunc(line.Groups, func(g group) bool { return g.Name == "ocms1" })]
	require.Len(t, last.Rows, 1)
	assert.Equal(t, &why{Words: "Failed", Cisco: "INVITE 486", Failure: true}, last.Rows[0].Why)
	assert.NotEmpty(t, last.Rows[0].FailedX)
}

// TestWhyOfDialog: how a call went, as far as is known.
func TestWhyOfDialog(t *testing.T) {
	ended := store.Object{State: store.StateEnded}
	for name, c := range map[string]struct {
		dialog store.Dialog
		want   *why
	}{
		"running":             {store.Dialog{Object: store.Object{State: store.StateRunning}}, nil},
		"nothing is known":    {store.Dialog{Object: ended}, &why{Words: "Answer not seen"}},
		"of an older release": {store.Dialog{Object: ended, Method: "INVITE", Code: new(int64(408)), ErrorType: "408"}, &why{"Failed", "INVITE 408", true}},
		"cancelled":           {store.Dialog{Object: ended, Method: "INVITE", Code: new(int64(487)), Result: "cancelled"}, &why{Words: "Caller gave up", Cisco: "INVITE 487"}},
		"a code alone":        {store.Dialog{Object: ended, Code: new(int64(302))}, &why{Words: "Not answered", Cisco: "302"}},
	} {
		assert.Equal(t, c.want, whyOfDialog(&c.dialog), name)
	}
	assert.Equal(t, "SIP call of unknown parties", dialogName(&store.Dialog{}))
	assert.Empty(t, responsesText(json.RawMessage(`{`)))
}

// TestFindAddress: a SIP address leads to the newest call of it, and the list of legs
// has the leg through which it came.
func TestFindAddress(t *testing.T) {
	w := newWorld(t)
	object := func(trace, start string) store.Object {
		return w.object(names.KindDialog, trace, "ocms1", start, "13:30:00")
	}
	w.batch.Dialogs = append(w.batch.Dialogs,
		store.Dialog{Object: object(traceScan, "12:00:00"), SIPCallID: "a", FromParty: "Jane.Doe@example.test", ToParty: "8600@example.test"},
		store.Dialog{Object: object(traceWeekly, "13:00:00"), SIPCallID: "b", FromParty: "jane.doe@example.test", ToParty: "8600@example.test", FromName: "Jane"},
	)
	w.batch.Legs = append(w.batch.Legs, store.Leg{
		Object: w.object(names.KindCallLeg, traceWeekly, "bridge", "13:00:00", "13:30:00"), SIPCallID: "b", DisplayName: "Meeting room", Direction: "incoming",
	})
	want := "./" + traceURL("conferences", traceWeekly, w.batch.Dialogs[1].SpanID)
	w.write()
	h := w.handler()
	for _, address := range []string{"jane.doe@example.test", "sip:JANE.DOE@example.test", "sips:jane.doe@example.test;transport=tls", "8600@example.test"} {
		answer := get(t, h, "/find?"+url.Values{"id": {address}}.Encode())
		assert.Equal(t, http.StatusSeeOther, answer.Code)
		assert.Equal(t, want, answer.Header().Get("Location"), address)
	}
	for query, found := range map[string]bool{"jane.d": true, "Jane": true, "doe&anywhere=1": true, "8600": false, "nobody": false} {
		body := get(t, h, "/legs?party="+query).Body.String()
		assert.Equal(t, found, strings.Contains(body, "Meeting room"), query)
	}
}
