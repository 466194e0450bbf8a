// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var update = flag.Bool("update", false, "write the picture of a trace in the README anew")

// TestPicture: the picture of a trace in the README is what the binary makes of
// the recorded posts of a conference on two Call Bridges.
func TestPicture(t *testing.T) {
	c, sink := newTracer(t, "500ms")
	for _, post := range []string{"a-1", "b-1", "a-2", "b-2", "a-3"} {
		body, err := os.ReadFile(filepath.Join(root, "testdata", "cms-cdr", "distributed", "bridge-"+post+".xml"))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, c.post(string(body)))
	}
	require.Eventually(t, func() bool { spans, _ := sink.Received(); return len(spans) >= 6 }, waitFor, tick)
	c.stop()
	spans, _ := sink.Received()
	picture := "```\n" + draw(t, index(t, spans)) + "```\n"

	const start = "<!-- the picture of a trace, by go -C test test ./e2e -run Picture -update -->\n"
	file := filepath.Join(root, "README.md")
	readme, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), start)
	require.True(t, found, "the README has no place for the picture")
	block, after, found := strings.Cut(rest, "```\n\n")
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+start+picture+"\n"+after), 0o644))
		return
	}
	require.Equal(t, picture, block+"```\n")
}

// draw draws spans as a tree with bars, the way trace viewers do.
func draw(t *testing.T, spans map[pcommon.SpanID]ptrace.Span) string {
	t.Helper()
	children := map[pcommon.SpanID][]ptrace.Span{}
	first, last := pcommon.Timestamp(1<<63), pcommon.Timestamp(0)
	for _, s := range spans {
		children[s.ParentSpanID()] = append(children[s.ParentSpanID()], s)
		first, last = min(first, s.StartTimestamp()), max(last, s.EndTimestamp())
	}
	roots := children[pcommon.SpanID{}]
	require.Len(t, roots, 1)
	var b strings.Builder
	fmt.Fprintf(&b, "trace %s   %s, %s\n", roots[0].TraceID(), roots[0].StartTimestamp().AsTime().Format(time.RFC3339), time.Duration(last-first))
	const width = 32
	column := func(at pcommon.Timestamp) int { return int(uint64(at-first) * width / uint64(last-first)) }
	var visit func(s ptrace.Span, indent string)
	visit = func(s ptrace.Span, indent string) {
		from, to := column(s.StartTimestamp()), column(s.EndTimestamp())
		bar := strings.Repeat(" ", from) + strings.Repeat("█", max(1, to-from)) + strings.Repeat(" ", width-max(to, from+1))
		fmt.Fprintf(&b, "%-38s %s %8s  %s\n", indent+s.Name()+" "+who(s), bar, time.Duration(s.EndTimestamp()-s.StartTimestamp()), why(s))
		below := children[s.SpanID()]
		slices.SortFunc(below, func(x, y ptrace.Span) int {
			return cmp.Or(cmp.Compare(x.StartTimestamp(), y.StartTimestamp()), cmp.Compare(x.Name(), y.Name()), cmp.Compare(who(x), who(y)))
		})
		for _, child := range below {
			visit(child, indent+"  ")
		}
	}
	visit(roots[0], "")
	return b.String()
}

func who(s ptrace.Span) string {
	leg := "cisco.meeting_server.call_leg."
	return cmp.Or(attribute(s, leg+"display_name"), attribute(s, leg+"remote_party"), attribute(s, "cisco.meeting_server.call.name"))
}

func why(s ptrace.Span) string {
	reason, role := attribute(s, "cisco.meeting_server.call_leg.reason"), attribute(s, "cisco.meeting_server.call_leg.role")
	if role != "" && role != "participant" {
		reason += " (" + role + ")"
	}
	return cmp.Or(reason, attribute(s, "callstitch.outcome"))
}
