// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var options = Options{Linger: 10 * time.Second, MaxOpen: 24 * time.Hour, ClockTolerance: 5 * time.Second, MaxObjects: 1000, Stored: true}

// noon is when tests begin, by the engine's clock and by the senders'.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// happening is a record, or the end of a session.
type happening struct {
	record  Record
	source  [2]string // resource and session
	bridge  string    // its identity; "" if it is not known
	session string    // the session that is over; "" for a record
	at      int64     // when it was declared over, by the senders' clocks
}

func (h *happening) happen(tb testing.TB, e *Engine, now time.Time) {
	tb.Helper()
	if h.session != "" {
		e.EndSession(now, h.session, h.at)
		return
	}
	r := h.record
	r.Source = NewSource(h.source[0], h.source[1])
	if h.bridge != "" {
		r.Source = r.Source.OnBridge(1, h.bridge)
	}
	_, err := e.Apply(now, &r)
	require.NoError(tb, err)
}

// advance lets the engine do all that is due.
func advance(e *Engine, now time.Time) {
	for e.Advance(now) {
	}
}

// emit takes all pending stitched records, and describes them in the order of the
// span ids.
func emit(e *Engine, now time.Time) []string {
	var lines []string
	for {
		var refs []Ref
		e.VisitPendingEmits(Ref{}, 10, func(s *Stitched) {
			lines = append(lines, describe(s))
			refs = append(refs, s.Ref)
		})
		if len(refs) == 0 {
			slices.Sort(lines)
			return lines
		}
		for _, ref := range refs {
			e.MarkEmitted(now, ref, true)
		}
	}
}

// describe writes a stitched object in full, its span id first.
func describe(s *Stitched) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%x %s %s trace=%x", s.Span, s.Kind, s.ID, s.Trace)
	if s.Parent != (SpanID{}) {
		fmt.Fprintf(&b, " parent=%x", s.Parent)
	}
	fmt.Fprintf(&b, " %s+%s due=%s %s", clock(s.Start), time.Duration(s.End-s.Start), clock(s.PendingSince), s.Outcome)
	if s.Server || s.Client {
		fmt.Fprintf(&b, " server=%t", s.Server)
	}
	if s.ErrorType != "" {
		fmt.Fprintf(&b, " error=%s", s.ErrorType)
	}
	fmt.Fprintf(&b, " from=%s", s.Resource)
	if len(s.Calls) > 0 {
		fmt.Fprintf(&b, " calls=%s", s.Calls)
	}
	for _, l := range s.Links {
		fmt.Fprintf(&b, " %s=%x/%x", l.Reason, l.Trace, l.Span)
	}
	for _, f := range s.Fields {
		fmt.Fprintf(&b, "\n    %s=%s", f.Key, show(f.Value))
	}
	for _, l := range s.Lists {
		fmt.Fprintf(&b, "\n    %s:", l.Key)
		for _, m := range l.Maps {
			b.WriteString("\n       ")
			for _, f := range m {
				fmt.Fprintf(&b, " %s=%s", f.Key, show(f.Value))
			}
		}
	}
	return b.String()
}

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("15:04:05.999") }

func show(v Value) string {
	switch v.Kind {
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindDouble:
		return fmt.Sprint(v.Double())
	case KindBool:
		return strconv.FormatBool(v.Bool())
	case KindOpaque:
		return hex.EncodeToString([]byte(v.Text))
	default:
		return fmt.Sprintf("%q", v.Text)
	}
}

// changes returns all that changed.
func changes(e *Engine) (stored []byte) {
	for e.HasChanges() {
		stored = e.AppendChanges(stored)
	}
	return stored
}

// restart returns an engine in the state of another, by way of what is stored.
func restart(tb testing.TB, e *Engine, now time.Time) *Engine {
	tb.Helper()
	stored := changes(e)
	e.BeginSnapshot()
	for last := false; !last; {
		stored, last = e.AppendSnapshot(stored, 300)
	}
	return restore(tb, now, stored)
}

func restore(tb testing.TB, now time.Time, segments ...[]byte) *Engine {
	tb.Helper()
	e := New(options)
	for _, s := range segments {
		require.NoError(tb, e.Load(s))
	}
	e.FinishLoad(now)
	return e
}

// at is a time of the senders' clocks, in seconds after noon.
func at(seconds int) int64 { return noon.Add(time.Duration(seconds) * time.Second).UnixNano() }

func guid(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }
