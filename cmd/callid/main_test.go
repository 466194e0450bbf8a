// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/internal/names"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	call = "46d49cb4-8171-4abc-97f5-b88035b1da0a"
	legA = "fc9c85ca-8c41-4a1a-9252-b16977d1e4e1"
	legB = "9cfdb064-3ae9-4b08-a003-6478187f375f"

	callIDs = "trace 81eec228890c5310c28f44fe626b0159\nspan 5581dbaf154caf46\n"
	legAIDs = "trace 8750cce089dc36985a35eb2881eecc07\nspan 13aa44172109b5a8\n"
	legBIDs = "trace 20932f52daed982130f6f5c4ba9dc8c3\nspan 828d4abdcbae7a63\n"
)

// The id of a SIP dialog may begin with a hyphen.
func TestIDWithHyphen(t *testing.T) {
	want := output(t, "-1@h", "-kind", "dialog", "-")
	assert.Equal(t, want, "id -1@h\n"+output(t, "", "-kind", "dialog", "--", "-1@h"))
	assert.Equal(t, want+"id -2@h\n"+output(t, "", "-kind", "dialog", "--", "-2@h"), output(t, "", "-kind", "dialog", "--", "-1@h", "-2@h"))
}

// output runs the program and returns what it printed; it must have succeeded.
func output(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	require.Zero(t, run(args, strings.NewReader(stdin), &out, &errs), errs.String())
	assert.Empty(t, errs.String())
	return out.String()
}

func TestTable(t *testing.T) {
	got := output(t, "", call)
	assert.Equal(t, `kind                                    trace                             span
cisco.meeting_server.call               81eec228890c5310c28f44fe626b0159  5581dbaf154caf46
cisco.meeting_server.call_leg           44bcb12111d3a16218d78f676d15d38a  0f9f6ff04fcf7320
cisco.meeting_server.recording          56eb6123333224fee8b6c5050c2058e1  cbb74932b57311bd
cisco.meeting_server.streaming          a7c23f9acd2f0342fb6908cc88dc2922  68d47dba3f5fd99f
cisco.meeting_server.api.request        b4f2b4b6ecfedcd6c3f1ba967babb30b  fb7669c3909bfb8f
cisco.meeting_server.scheduled_meeting  b654f3ef5fd8365fc29183dfca6f02da  ae3173dc4e98c28a
cisco.mediasense.session                f2f5ec1f4cbfce274ff219daf01a43aa  c928efd68c6485ac
cisco.mediasense.track                  ed60975e5da1baa8329915ad94e020f0  db63a893b04ead77
oracle.ocms.dialog                      807941dd60832b9b0262135672bfa81b  a9d840a6eb1e4d2e
`, got)
	assert.Equal(t, "id "+call+"\n"+got+"\nid "+call+"\n"+got, output(t, "", call, call))
	assert.Equal(t, "id "+call+"\n"+got, output(t, call, "-"))
}

func TestOneKind(t *testing.T) {
	f := func(kind, id, want string) {
		t.Helper()
		assert.Equal(t, want, output(t, "", "-kind", kind, id))
	}
	f("call", call, callIDs)
	f("cisco.meeting_server.call", call, callIDs)
	f("call", strings.ToUpper(call), callIDs)
	f("call", " "+call+"\n", callIDs)
	f("call_leg", legA, legAIDs)
	f("cisco.meeting_server.call_leg", legB, legBIDs)
	for _, kind := range names.Kinds() {
		f(kind, call, output(t, "", "-kind", shortKind(kind), call))
	}
}

func TestSeveralIDs(t *testing.T) {
	want := "id " + legA + "\n" + legAIDs + "id " + legB + "\n" + legBIDs
	assert.Equal(t, want, output(t, "", "-kind", "call_leg", legA, legB))
	assert.Equal(t, want, output(t, legA+"\r\n\n  "+legB, "-kind", "call_leg", "-"))
	assert.Equal(t, want, output(t, legB+"\n", "-kind", "call_leg", legA, "-"))
	assert.Empty(t, output(t, "\n \n", "-kind", "call_leg", "-"))
}

func TestJSON(t *testing.T) {
	// To the byte: one object, one line.
	line := `{"id":"` + call + `","kind":"cisco.meeting_server.call","trace_id":"81eec228890c5310c28f44fe626b0159","span_id":"5581dbaf154caf46"}` + "\n"
	assert.Equal(t, line, output(t, "", "-kind", "call", "-json", call))

	decoder := json.NewDecoder(strings.NewReader(output(t, legA+"\na<\"b\n", "-json", "-")))
	for _, id := range []string{legA, `a<"b`} {
		for _, kind := range names.Kinds() {
			var got object
			require.NoError(t, decoder.Decode(&got))
			assert.Equal(t, compute(kind, id), got)
		}
	}
	assert.ErrorIs(t, decoder.Decode(new(object)), io.EOF)
}

func TestUsageErrors(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		assert.Equal(t, exitUsage, run(args, strings.NewReader(""), &out, &errs))
		assert.Equal(t, "callid: "+want+"\n", errs.String())
		assert.Empty(t, out.String(), "nothing is printed before all is checked")
	}
	const known = "call (cisco.meeting_server.call), call_leg (cisco.meeting_server.call_leg), recording (cisco.meeting_server.recording), " +
		"streaming (cisco.meeting_server.streaming), request (cisco.meeting_server.api.request), " +
		"scheduled_meeting (cisco.meeting_server.scheduled_meeting), session (cisco.mediasense.session), track (cisco.mediasense.track), dialog (oracle.ocms.dialog)"
	f("no id given (callid -h for help)")
	f("no id given (callid -h for help)", "-kind", "call")
	f(`empty id, got ""`, "")
	f(`empty id, got " \t"`, call, " \t")
	f(`-kind: unknown kind "leg"; known are `+known, "-kind", "leg", call)
	f(`-kind: unknown kind ""; known are `+known, "-kind", "", call)
	f(`flags stand before the ids, got "-json" after one`, call, "-json")
	f(`flags stand before the ids, got "--kind=call" after one`, call, "--kind=call")
	f("flag provided but not defined: -frob", "-frob", call)
}

func TestHelpIsNoFailure(t *testing.T) {
	var errs bytes.Buffer
	assert.Zero(t, run([]string{"-h"}, nil, nil, &errs))
	assert.Contains(t, errs.String(), "usage: callid ")
	for _, kind := range names.Kinds() {
		assert.Contains(t, errs.String(), kind)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFailures(t *testing.T) {
	f := func(want string, stdin io.Reader, stdout io.Writer) {
		t.Helper()
		var errs bytes.Buffer
		assert.Equal(t, exitFailed, run([]string{"-"}, stdin, stdout, &errs))
		assert.Equal(t, "callid: "+want+"\n", errs.String())
	}
	f("read standard input: torn", iotest.ErrReader(errors.New("torn")), io.Discard)
	f("read standard input: bufio.Scanner: token too long", strings.NewReader(strings.Repeat("x", 1<<21)), io.Discard)
	f("write: io: read/write on closed pipe", strings.NewReader(call), brokenPipe{})

	var errs bytes.Buffer
	assert.Equal(t, exitFailed, run([]string{call}, nil, brokenPipe{}, &errs))
}

// Each id is answered before the next is asked for.
func TestAnswersAtOnce(t *testing.T) {
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan int)
	go func() {
		code := run([]string{"-kind", "call_leg", "-"}, in, out, io.Discard)
		out.Close()
		done <- code
	}()
	for id, want := range map[string]string{legA: legAIDs, legB: legBIDs} {
		_, err := io.WriteString(ask, id+"\n")
		require.NoError(t, err)
		got := make([]byte, len("id ")+len(id)+1+len(want))
		_, err = io.ReadFull(answers, got)
		require.NoError(t, err)
		assert.Equal(t, "id "+id+"\n"+want, string(got))
	}
	require.NoError(t, ask.Close())
	assert.Zero(t, <-done)
}
