// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// message reads one from a line: seconds after noon, method or method/code, CSeq, From
// tag, To tag. A tag that is - is none.
func message(tb testing.TB, call, line string) Record {
	tb.Helper()
	words := strings.Fields(line)
	require.Len(tb, words, 5, line)
	seconds, err := strconv.ParseFloat(words[0], 64)
	require.NoError(tb, err)
	method, code, _ := strings.Cut(words[1], "/")
	m := Message{CallID: call, Method: method, Time: noon.Add(time.Duration(seconds * float64(time.Second))).UnixNano()}
	if code != "" {
		m.Code, err = strconv.ParseInt(code, 10, 64)
		require.NoError(tb, err)
	}
	m.CSeq, err = strconv.ParseInt(words[2], 10, 64)
	require.NoError(tb, err)
	m.FromTag, m.ToTag = strings.Trim(words[3], "-"), strings.Trim(words[4], "-")
	// Both parties write their own side into From.
	m.Fields = []Field{textField(names.SIPFromURI, "sip:of-"+words[3]), textField(names.SIPToURI, "sip:to-"+words[4])}
	r, ok := m.Record()
	require.True(tb, ok, line)
	return r
}

// sip applies the messages of a call, one a line.
func (s *story) sip(call string, lines ...string) (last Ref) {
	s.Helper()
	for _, line := range lines {
		r := message(s, call, line)
		r.Source = NewSource("proxy", "")
		ref, err := s.e.Apply(s.now, &r)
		require.NoError(s, err)
		last = ref
	}
	return last
}

// described are the dialogs that come out when all time has passed, a line each.
func (s *story) described() (lines []string) {
	s.Helper()
	for _, wait := range []time.Duration{0, options.Linger, options.MaxOpen, options.Linger} {
		s.wait(wait)
		for _, o := range s.out() {
			if o.Kind == Dialog || o.Kind == DialogFork {
				lines = append(lines, shownDialog(&o))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// shownDialog is a dialog's id, times and outcome, and what was found out.
func shownDialog(o *Stitched) string {
	since := func(t int64) string { return time.Unix(0, t).Sub(noon).String() }
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s to %s %s", o.ID, since(o.Start), since(o.End), o.Outcome)
	for _, key := range []string{
		names.DialogResult, names.SIPCode, names.DialogSetupSeconds, names.DialogRingDelaySeconds, names.DialogRingSeconds, names.DialogAnsweredSeconds,
	} {
		if v, ok := fieldOf(o, key); ok {
			fmt.Fprintf(&b, " %s=%s", strings.TrimSuffix(key[strings.LastIndex(key, ".")+1:], "_seconds"), strings.Trim(show(v), `"`))
		}
	}
	if o.ErrorType != "" {
		b.WriteString(" error=" + o.ErrorType)
	}
	return b.String()
}

func fieldOf(o *Stitched, key string) (v Value, ok bool) {
	for _, f := range o.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return v, false
}

// answeredCall rings for 2 s, and ends after a minute by the called party.
var answeredCall = []string{
	"0 INVITE 1 a -", "0.01 INVITE/100 1 a -", "0.5 INVITE/180 1 a b", "2.5 INVITE/200 1 a b", "2.6 ACK 1 a b", "62.5 BYE 7 b a", "62.6 BYE/200 7 b a",
}

// TestDialogs: what comes out for each course of a call, in the order in which its
// messages were sent, and in the opposite one.
func TestDialogs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sent, want []string }{
		"answered": {answeredCall, []string{
			"c@h 0s to 1m2.5s complete result=answered code=200 setup=2.5 ring_delay=0.5 ring=2 answered=60",
		}},
		"retransmissions": {
			slices.Concat(answeredCall, []string{"0.5 INVITE 1 a -", "1 INVITE/180 1 a b", "3 INVITE/200 1 a b", "63 BYE 7 b a", "63 BYE/200 7 b a"}),
			[]string{"c@h 0s to 1m2.5s complete result=answered code=200 setup=2.5 ring_delay=0.5 ring=2 answered=60"},
		},
		"challenged and answered": {
			[]string{"0 INVITE 1 a -", "0.1 INVITE/407 1 a x", "0.1 ACK 1 a x", "0.2 INVITE 2 a -", "4 INVITE/200 2 a b", "9 BYE 3 a b"},
			[]string{"c@h 0s to 9s complete result=answered code=200 setup=4 answered=5"},
		},
		"challenged and given up": {
			[]string{"0 INVITE 1 a -", "0.1 INVITE/401 1 a x", "0.2 ACK 1 a x"},
			[]string{"c@h 0s to 100ms complete result=challenged code=401"},
		},
		"redirected": {
			[]string{"0 INVITE 1 a -", "0.1 INVITE/302 1 a x"},
			[]string{"c@h 0s to 100ms complete result=redirected code=302"},
		},
		"redirected and busy": {
			[]string{"0 INVITE 1 a -", "0.1 INVITE/302 1 a x", "0.2 INVITE 2 a -", "1 INVITE/486 2 a y"},
			[]string{"c@h 0s to 1s complete result=failed code=486 error=486"},
		},
		"failed": {
			[]string{"0 INVITE 1 a -", "0.5 INVITE/180 1 a b", "30.5 INVITE/503 1 a b"},
			[]string{"c@h 0s to 30.5s complete result=failed code=503 ring_delay=0.5 ring=30 error=503"},
		},
		"failed and tried again": {
			[]string{"0 INVITE 1 a -", "0.5 INVITE/422 1 a x", "0.6 INVITE 2 a -", "1 INVITE/200 2 a b", "2 BYE 3 a b"},
			[]string{"c@h 0s to 2s complete result=answered code=200 setup=1 answered=1"},
		},
		"cancelled": {
			[]string{"0 INVITE 1 a -", "1 INVITE/180 1 a b", "5 CANCEL 1 a -", "5.1 CANCEL/200 1 a b", "5.2 INVITE/487 1 a b"},
			[]string{"c@h 0s to 5.2s complete result=cancelled code=487 ring_delay=1 ring=4.2"},
		},
		"cancelled, of which nothing but the CANCEL was logged": {
			[]string{"0 INVITE 1 a -", "5 CANCEL 1 a -"},
			[]string{"c@h 0s to 5s complete result=cancelled"},
		},
		"the CANCEL crossed with the answer": {
			[]string{"0 INVITE 1 a -", "5 CANCEL 1 a -", "5.1 INVITE/200 1 a b", "5.2 BYE 2 a b"},
			[]string{"c@h 0s to 5.2s complete result=answered code=200 setup=5.1 answered=0.1"},
		},
		"the CANCEL of an earlier attempt": {
			[]string{"0 INVITE 1 a -", "5 CANCEL 1 a -", "6 INVITE 2 a -", "7 INVITE/486 2 a b"},
			[]string{"c@h 0s to 7s complete result=failed code=486 error=486"},
		},
		"forked": {
			[]string{
				"0 INVITE 1 a -", "0.5 INVITE/180 1 a b", "0.6 INVITE/180 1 a c", "2 INVITE/200 1 a c", "2.5 INVITE/200 1 a b",
				"3 BYE 2 a b", "3.1 BYE/200 2 a b", "10 BYE 2 c a",
			},
			[]string{
				"c@h 0s to 10s complete result=answered code=200 setup=2 ring_delay=0.5 ring=1.5 answered=8",
				"c@h;a;b 0s to 3s complete result=answered code=200 setup=2.5 ring_delay=0.5 ring=2 answered=0.5",
			},
		},
		"a fork whose BYE was lost does not hold up the other": {
			[]string{"0 INVITE 1 a -", "2 INVITE/200 1 a c", "2.5 INVITE/200 1 a b", "10 BYE 2 a c"},
			[]string{
				"c@h 0s to 10s complete result=answered code=200 setup=2 answered=8",
				"c@h;a;b 0s to 2.5s expired result=answered code=200 setup=2.5",
			},
		},
		"a fork that is busy": {
			[]string{"0 INVITE 1 a -", "1 INVITE/486 1 a c", "2 INVITE/200 1 a b", "10 BYE 2 a b"},
			[]string{"c@h 0s to 10s complete result=answered code=200 setup=2 answered=8"},
		},
		"re-INVITEs of both parties": {
			slices.Concat(answeredCall, []string{
				"20 INVITE 2 a b", "20.1 INVITE/200 2 a b", "30 INVITE 5 b a", "30.1 INVITE/200 5 b a", "40 INVITE 6 b a", "40.1 INVITE/488 6 b a",
			}),
			[]string{"c@h 0s to 1m2.5s complete result=answered code=200 setup=2.5 ring_delay=0.5 ring=2 answered=60"},
		},
		"no INVITE": {
			[]string{"2 INVITE/200 1 a b", "10 BYE 2 a b"},
			[]string{"c@h 2s to 10s partial result=answered code=200 answered=8"},
		},
		"nothing but the end": {
			[]string{"10 BYE 9 b a", "10.1 BYE/200 9 b a"},
			[]string{"c@h 10s to 10s partial"},
		},
		"nothing but the response to the BYE": {
			[]string{"0 INVITE 1 a -", "2 INVITE/200 1 a b", "10.1 BYE/200 9 b a"},
			[]string{"c@h 0s to 10.1s complete result=answered code=200 setup=2 answered=8.1"},
		},
		"no answer": {
			[]string{"0 INVITE 1 a -", "10 BYE 9 b a"},
			[]string{"c@h 0s to 10s partial"},
		},
		"no BYE": {
			[]string{"0 INVITE 1 a -", "2 INVITE/200 1 a b", "900 UPDATE 2 a b"},
			[]string{"c@h 0s to 15m0s expired result=answered code=200 setup=2"},
		},
		"a BYE that is challenged": {
			[]string{"0 INVITE 1 a -", "2 INVITE/200 1 a b", "9 BYE/401 8 b a"},
			[]string{"c@h 0s to 9s expired result=answered code=200 setup=2"},
		},
		"no final response": {
			[]string{"0 INVITE 1 a -", "1 INVITE/180 1 a b"},
			[]string{"c@h 0s to 1s expired ring_delay=1"},
		},
		"no tags (RFC 2543)": {
			[]string{"0 INVITE 1 - -", "2 INVITE/200 1 - -", "5 BYE 2 - -"},
			[]string{"c@h 0s to 5s complete result=answered code=200 setup=2 answered=3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t, options)
			s.sip("c@h", c.sent...)
			assert.Equal(t, c.want, s.described(), "in order")
			requireEmptyLater(s)
			slices.Reverse(c.sent)
			s = newStory(t, options)
			s.sip("c@h", c.sent...)
			s.e = restart(t, s.e, s.now)
			s.wait(graceFirst)
			assert.Equal(t, c.want, s.described(), "in the opposite order, and after a restart")
			requireEmptyLater(s)
		})
	}
}

func requireEmptyLater(s *story) {
	s.Helper()
	s.wait(2 * options.MaxOpen)
	requireEmpty(s, s.e)
}

// TestDialogAttributes: the parties are those of the first INVITE, though the called
// party's requests have them the other way round; the tags are those of the answer.
func TestDialogAttributes(t *testing.T) {
	s := newStory(t, options)
	s.sip("C@H", "30 INVITE 3 b a", "0 INVITE 1 a -", "2 INVITE/200 1 a B", "30.1 INVITE/200 3 b a", "0.5 INVITE/183 1 a B", "1 INVITE/180 1 a B", "60 BYE 4 b a")
	s.wait(options.Linger)
	o := s.out()["c@h"]
	assert.Equal(t, ids.Span(names.KindDialog, "c@h"), o.Span)
	assert.Equal(t, ids.Trace(names.KindDialog, "c@h"), o.Trace)
	assert.Zero(t, o.Parent)
	assert.False(t, o.Server || o.Client)
	assert.Equal(t, "proxy", o.Resource)
	assert.Equal(t, []string{
		`oracle.ocms.dialog.answered_seconds=58`, `oracle.ocms.dialog.result="answered"`, `oracle.ocms.dialog.ring_delay_seconds=1`,
		`oracle.ocms.dialog.ring_seconds=1`, `oracle.ocms.dialog.setup_seconds=2`, `sip.call_id="C@H"`, `sip.code=200`,
		`sip.from.tag="a"`, `sip.from.uri.original="sip:of-a"`, `sip.method="INVITE"`, `sip.to.tag="B"`, `sip.to.uri.original="sip:to--"`,
	}, shownFields(o))
	assert.Equal(t, []string{"code=183 offset=500", "code=180 offset=1000", "code=200 offset=2000"}, shownList(o, names.DialogResponses))
}

func shownFields(o Stitched) (shown []string) {
	for _, f := range o.Fields {
		shown = append(shown, f.Key+"="+show(f.Value))
	}
	return shown
}

// legOf is what a bridge says of the leg of a SIP call.
func (s *story) legOf(sipCall, id string, more ...Field) {
	s.Helper()
	s.tell("a", Call, "call", Start, 0)
	s.tell("a", CallLeg, id, Start, 0, append(more, textField(names.SIPCallID, sipCall), textField(names.CallID, "call"))...)
	s.tell("a", CallLeg, id, End, 100)
	s.tell("a", Call, "call", End, 100)
}

// TestDialogOfLeg: a dialog is in the trace of the call that its leg is in, under the
// leg, whichever is heard of or emitted first.
func TestDialogOfLeg(t *testing.T) {
	t.Parallel()
	leg := func(s *story) { s.legOf("C@H", "leg") }
	dialog := func(s *story) { s.sip("C@H", answeredCall...) }
	fork := func(s *story) { s.sip("C@H", "3 INVITE/200 1 a c", "4 BYE 2 a c") }
	wait := func(s *story) { s.wait(options.Linger / 2) }
	emitted := func(s *story) { s.wait(options.Linger); s.out() }
	for name, course := range map[string][]func(*story){
		"leg first":                       {leg, dialog, fork},
		"dialog first":                    {dialog, fork, leg},
		"within the linger":               {dialog, wait, fork, leg},
		"the leg was emitted":             {leg, emitted, dialog, fork},
		"a restart in between":            {leg, emitted, func(s *story) { s.e = restart(s.T, s.e, s.now); s.wait(graceFirst) }, dialog, fork},
		"a restart before they are due":   {leg, dialog, fork, func(s *story) { s.e = restart(s.T, s.e, s.now); s.wait(graceFirst - options.Linger) }},
		"and when the leg comes with it":  {fork, leg, dialog},
		"the fork is heard of at the end": {dialog, leg, wait, fork},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t, options)
			for _, f := range course {
				f(s)
			}
			s.wait(options.Linger)
			out := s.out()
			for _, id := range []string{"c@h", "c@h;a;c"} {
				require.Contains(t, out, id)
				assert.Equal(t, ids.Trace(names.KindCall, "call"), out[id].Trace, id)
				assert.Equal(t, ids.Span(names.KindCallLeg, "leg"), out[id].Parent, id)
			}
			assert.Equal(t, ids.Span(names.KindDialog, "c@h"), out["c@h"].Span)
			assert.Equal(t, ids.Span(names.KindDialog, "c@h;a;c"), out["c@h;a;c"].Span)
		})
	}
}

// TestForkAlone: without a leg, a fork is under the first branch.
func TestForkAlone(t *testing.T) {
	s := newStory(t, options)
	s.sip("c@h", append(answeredCall, "3 INVITE/200 1 a c", "4 BYE 2 a c")...)
	s.wait(options.Linger)
	fork := s.out()["c@h;a;c"]
	assert.Equal(t, ids.Trace(names.KindDialog, "c@h"), fork.Trace)
	assert.Equal(t, ids.Span(names.KindDialog, "c@h"), fork.Parent)
	assert.Equal(t, "proxy", fork.Resource)
	tag, _ := fieldOf(&fork, names.SIPToTag)
	assert.Equal(t, Text("c"), tag)
	party, _ := fieldOf(&fork, names.SIPFromURI)
	assert.Equal(t, Text("sip:of-a"), party, "the call's parties are the fork's")
}

// TestReplacedDialog: a leg links to the SIP call it replaces, if no bridge has a leg
// of that.
func TestReplacedDialog(t *testing.T) {
	replaces := textField(legKey("replacesSipCallId"), "C@H")
	s := newStory(t, options)
	s.sip("C@H", answeredCall...)
	s.legOf("other", "leg", replaces)
	s.wait(options.Linger)
	assert.Equal(t, []Link{{ids.Trace(names.KindDialog, "c@h"), ids.Span(names.KindDialog, "c@h"), linkReplaces}}, s.out()["leg"].Links)

	s = newStory(t, options)
	s.sip("C@H", answeredCall...)
	s.legOf("other", "leg", replaces)
	s.legOf("C@H", "replaced")
	s.wait(options.Linger)
	assert.Equal(t, []Link{{ids.Trace(names.KindCall, "call"), ids.Span(names.KindCallLeg, "replaced"), linkReplaces}}, s.out()["leg"].Links)
}

// TestDialogStamps: each record of a SIP call has the id of the span that it is in,
// from the first one on, and what the bridge's call says once its leg is known.
func TestDialogStamps(t *testing.T) {
	s := newStory(t, options)
	shown := func(ref Ref) string {
		stamp, ok := s.e.Stamp(ref)
		require.True(t, ok)
		var b strings.Builder
		fmt.Fprintf(&b, "%x %x", stamp.Trace, stamp.Span)
		for _, f := range stamp.Context {
			fmt.Fprintf(&b, " %s=%s", f.Key, show(f.Value))
		}
		return b.String()
	}
	own := fmt.Sprintf("%x %x", ids.Trace(names.KindDialog, "c@h"), ids.Span(names.KindDialog, "c@h"))
	for _, line := range answeredCall {
		assert.Equal(t, own+` oracle.ocms.dialog.id="c@h"`, shown(s.sip("C@H", line)), line)
	}
	fork := fmt.Sprintf("%x %x", ids.Trace(names.KindDialog, "c@h"), ids.Span(names.KindDialog, "c@h;a;c"))
	assert.Equal(t, fork+` oracle.ocms.dialog.id="c@h;a;c"`, shown(s.sip("C@H", "3 INVITE/200 1 a c")))
	assert.Equal(t, fork+` oracle.ocms.dialog.id="c@h;a;c"`, shown(s.sip("C@H", "4 BYE 2 a c")))

	s.tell("a", Call, "call", Start, 0, textField(callKey("name"), "room"))
	s.tell("a", CallLeg, "leg", Start, 0, textField(names.SIPCallID, "C@H"), textField(names.CallID, "call"))
	joined := fmt.Sprintf("%x %x", ids.Trace(names.KindCall, "call"), ids.Span(names.KindDialog, "c@h"))
	assert.Equal(t, joined+` cisco.meeting_server.call.id="call" cisco.meeting_server.call.name="room" oracle.ocms.dialog.id="c@h"`,
		shown(s.sip("C@H", "5 UPDATE 2 a b")))

	s.wait(options.Linger)
	assert.Len(t, s.out(), 2)
	ref := s.sip("C@H", "6 BYE/200 7 b a")
	assert.EqualValues(t, 1, s.e.Stats().Late)
	assert.Contains(t, shown(ref), joined, "a late record")
	assert.Equal(t, fmt.Sprintf("%x %x", ids.Trace(names.KindCall, "call"), ids.Span(names.KindDialog, "c@h;a;c")), shown(s.sip("C@H", "6 BYE/200 2 a c")))
	found, ok := s.e.Find(Dialog, "c@H")
	require.True(t, ok)
	assert.Contains(t, shown(found), joined)
}

// TestAnswerAfterLinger: a branch that is answered when the call's span says
// already that nobody did is a span of its own.
func TestAnswerAfterLinger(t *testing.T) {
	for name, unanswered := range map[string][]string{
		"cancelled":  {"0 INVITE 1 a -", "1 INVITE/180 1 a b", "5 CANCEL 1 a -"},
		"challenged": {"0 INVITE 1 a -", "5 INVITE/407 1 a x"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, options)
			s.sip("c@h", unanswered...)
			s.wait(options.Linger)
			require.Len(t, s.out(), 1)
			s.e = restart(t, s.e, s.now)
			s.sip("c@h", "25 INVITE/200 2 a b")
			s.e = restart(t, s.e, s.now)
			s.wait(graceFirst)
			s.sip("c@h", "60 BYE 3 a b")
			lines := s.described()
			require.Len(t, lines, 1)
			assert.Contains(t, lines[0], "c@h;a;b 0s to 1m0s complete result=answered code=200 setup=25")
			requireEmptyLater(s)
		})
	}
	s := newStory(t, options)
	s.sip("c@h", answeredCall...)
	s.wait(options.Linger)
	require.Len(t, s.out(), 1)
	s.sip("c@h", append(answeredCall, "3 INVITE/200 1 a c")...)
	assert.Empty(t, s.described(), "late records make no second span")
}

// TestStaleFork: a fork that an earlier answer turns into the first branch has one
// span, the call's, and the former first branch is a fork.
func TestStaleFork(t *testing.T) {
	s := newStory(t, options)
	s.sip("c@h", "0 INVITE 1 a -", "2 INVITE/200 1 a b", "3 INVITE/200 1 a c", "1 INVITE/200 1 a c", "9 BYE 2 a b", "8 BYE 2 a c")
	assert.Equal(t, []string{
		"c@h 0s to 8s complete result=answered code=200 setup=1 answered=7",
		"c@h;a;b 0s to 9s complete result=answered code=200 setup=2 answered=7",
	}, s.described())
	requireEmptyLater(s)
}

// TestNoCall: what belongs to no call is not merged.
func TestNoCall(t *testing.T) {
	for name, m := range map[string]Message{
		"no Call-ID":       {Method: "INVITE"},
		"another method":   {CallID: "c", Method: "REGISTER"},
		"method's case":    {CallID: "c", Method: "invite"},
		"a Call-ID of KiB": {CallID: strings.Repeat("c", maxCallID+1), Method: "INVITE"},
	} {
		_, ok := m.Record()
		assert.False(t, ok, name)
	}
}

// TestBranchIDs: a branch has one id, whoever sends the message, and it fits.
func TestBranchIDs(t *testing.T) {
	assert.Equal(t, "a;b", branchID("B", "a"))
	assert.Equal(t, branchID("a", "b"), branchID("b", "A"))
	long := strings.Repeat("t", maxTag+1)
	for _, tags := range [][2]string{{"", ""}, {"a", ""}, {long, long + "x"}, {"a;b", "c"}} {
		id := branchID(tags[0], tags[1])
		assert.Equal(t, 1, strings.Count(id, tagSeparator), id)
		assert.LessOrEqual(t, len(id), 2*maxTag+1)
		assert.Equal(t, "call;with;some", callOfFork(forkID("call;with;some", id)))
	}
	assert.Empty(t, callOfFork("a"))
}

// dialog tells of a SIP call: of a try or two, of branches, and of what follows.
func (w *world) dialog(call string, start int) {
	cseq, now := int64(1), float64(start)
	say := func(method string, code int64, from, to string) {
		now += float64(w.IntN(4)) / 2
		m := Message{
			CallID: call, Method: method, Code: code, CSeq: cseq, FromTag: from, ToTag: to,
			Time:   at(0) + int64(now*float64(time.Second)),
			Fields: []Field{textField(names.SIPFromURI, "sip:"+from+"@host"), textField(names.SIPToURI, "sip:"+to+"@host"), textField("more", method)},
		}
		if r, ok := m.Record(); ok {
			w.all = append(w.all, happening{record: r, source: [2]string{[]string{"proxy 1", "proxy 2"}[w.IntN(2)], ""}})
		}
	}
	for w.chance(40) {
		say("INVITE", 0, "a", "")
		say("INVITE", []int64{401, 407, 302, 422}[w.IntN(4)], "a", "x")
		cseq++
	}
	say("INVITE", 0, "a", "")
	tags := []string{"b", "c", "d"}[:1+w.IntN(3)]
	for _, tag := range tags {
		say("INVITE", []int64{100, 180, 183}[w.IntN(3)], "a", tag)
	}
	if w.chance(20) {
		say("CANCEL", 0, "a", "")
		say("INVITE", 487, "a", tags[0])
		return
	}
	if w.chance(20) {
		say("INVITE", []int64{486, 503, 603}[w.IntN(3)], "a", tags[0])
		return
	}
	for _, tag := range tags {
		say("INVITE", 200, "a", tag)
		if w.chance(30) {
			say("INVITE", 200, "a", tag)
		}
	}
	for _, tag := range tags {
		cseq++
		if w.chance(30) {
			say("INVITE", 0, tag, "a")
			say("INVITE", []int64{200, 488}[w.IntN(2)], tag, "a")
		}
		say("BYE", 0, tag, "a")
		say("BYE", 200, tag, "a")
	}
}

// fuzzedMessage makes up a message of few calls, branches and times.
func fuzzedMessage(next func() int) Record {
	tags := []string{"", "a", "b", "C"}
	m := Message{
		CallID: []string{"sip0@host", guid(4, 1), "x"}[next()%3],
		Method: []string{methodInvite, methodInvite, methodBye, methodCancel, methodUpdate}[next()%5],
		Code:   []int64{0, 100, 180, 200, 202, 302, 401, 486, 487, 999}[next()%10],
		CSeq:   int64(next()%4) - 1, FromTag: tags[next()%4], ToTag: tags[next()%4],
		Time:   at(next()),
		Fields: []Field{textField(names.SIPFromURI, tags[next()%4])},
	}
	r, _ := m.Record()
	return r
}

// TestDialogPermutations: the messages of a forked call, of its leg and of a leg that
// replaces it give the same in every order.
func TestDialogPermutations(t *testing.T) {
	t.Parallel()
	var all []happening
	for _, line := range []string{"0.5 INVITE/407 1 a x", "2 INVITE/200 2 a b", "2.5 INVITE/200 2 a c", "3 BYE 3 a c"} {
		all = append(all, happening{record: message(t, "C@H", line), source: [2]string{"proxy", ""}})
	}
	w := newWorld(1, 1)
	w.say(0, CallLeg, "leg", Start, 0, textField(names.SIPCallID, "C@H"), textField(names.CallID, "call"))
	w.say(0, CallLeg, "replacing", End, 4, textField(legKey("replacesSipCallId"), "C@H"))
	w.say(0, Call, "call", Start, 0, textField(callKey("name"), "room"))
	all = append(all, w.all...)
	orders := 5040
	if raceEnabled {
		all, orders = all[1:], 720
	}
	want := play(t, slices.Clone(all))
	require.Len(t, want, 5)
	runs := 0
	permute(all, 0, func() {
		runs++
		if got := play(t, all); !slices.Equal(want, got) {
			require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"), "%v", all)
		}
	})
	assert.Equal(t, orders, runs)
}

// TestStrangersDialogs: however many calls, branches, attempts and responses a
// stranger makes up, a method does a bounded piece of work and the state has its
// bounds.
func TestStrangersDialogs(t *testing.T) {
	const bound = 16 * (maxUnsettledCalls + maxSettledCalls)
	large := options
	large.MaxObjects = 3000
	s := newStory(t, large)
	bounded := func(what string, f func()) {
		t.Helper()
		before := s.e.steps
		f()
		require.LessOrEqual(t, s.e.steps-before, uint64(bound), "%s with %d objects", what, s.e.objects.used())
	}
	apply := func(m Message) {
		r, ok := m.Record()
		require.True(t, ok)
		bounded("Apply", func() {
			ref, err := s.e.Apply(s.now, &r)
			if err != nil {
				require.ErrorIs(t, err, ErrFull)
				return
			}
			bounded("Stamp", func() { s.e.Stamp(ref) })
		})
	}
	for n := range 6000 {
		m := Message{CallID: "one@h", Method: methodInvite, CSeq: int64(n), FromTag: "a", ToTag: fmt.Sprint("tag ", n), Time: at(n)}
		m.Code = int64(n % 700)
		apply(m)
		m.Code = 200
		apply(m)
		m.CallID = strconv.Itoa(n)
		apply(m)
		if n%3 == 0 {
			m.Method, m.Code = methodBye, 0
			apply(m)
		}
		bounded("Advance", func() { s.e.Advance(s.now) })
		if n%10 == 0 {
			s.out()
		}
	}
	require.LessOrEqual(t, s.e.objects.used(), large.MaxObjects)
	one, _ := s.e.Find(Dialog, "one@h")
	require.LessOrEqual(t, int(s.e.resolve(one).factsSize), maxBlock)
}
