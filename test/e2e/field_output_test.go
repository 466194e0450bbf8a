// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// fieldOutput is everything that a Collector made of the inputs from the field.
type fieldOutput struct {
	records []fieldRecord
	spans   []fieldSpan
	names   map[string]string // span id -> name, of those that can be computed
	page    string            // metrics of the pipeline
	own     string            // the Collector's own metrics
	log     string
	rows    archived
}

type fieldRecord struct {
	resource pcommon.Map
	plog.LogRecord
}

type fieldSpan struct {
	resource pcommon.Map
	ptrace.Span
}

// readLines unmarshals each line of a file that an exporter writes.
func readLines(t *testing.T, file string, unmarshal func([]byte) error) {
	t.Helper()
	content, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	for line := range bytes.Lines(content) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			return // it is being written
		}
		require.NoError(t, unmarshal(line))
	}
}

// fieldOutput reads what is there so far.
func (f *field) output() *fieldOutput {
	t := f.t
	t.Helper()
	out := &fieldOutput{names: map[string]string{}, page: f.metrics(), own: get(f.own), log: f.log.String(), rows: readArchive(t, "sqlite", filepath.Join(f.directory, "calls.db"))}
	readLines(t, filepath.Join(f.directory, "records.jsonl"), func(line []byte) error {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		if err != nil {
			return err
		}
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					out.records = append(out.records, fieldRecord{rl.Resource().Attributes(), lr})
				}
			}
		}
		return nil
	})
	readLines(t, filepath.Join(f.directory, "spans.jsonl"), func(line []byte) error {
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err != nil {
			return err
		}
		for _, rs := range traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					out.spans = append(out.spans, fieldSpan{rs.Resource().Attributes(), span})
				}
			}
		}
		return nil
	})
	for i := range out.spans {
		out.nameSpan(out.spans[i].SpanID(), out.spans[i].Name(), out.spans[i].Attributes())
	}
	for i := range out.records {
		attributes := out.records[i].Attributes()
		if id, ok := attributes.Get("cisco.meeting_server.call.id"); ok {
			out.names[hexOf(spanOf("call", id.Str()))] = "call"
		}
	}
	return out
}

// nameSpan names a span by what it is of: "session 7c0000000000a1".
func (o *fieldOutput) nameSpan(id pcommon.SpanID, name string, attributes pcommon.Map) {
	for _, key := range []string{"cisco.mediasense.track.id", "cisco.mediasense.session.id"} {
		if v, ok := attributes.Get(key); ok {
			o.names[hexOf(id)] = name + " " + v.Str()
			return
		}
	}
	o.names[hexOf(id)] = name
}

func hexOf(id pcommon.SpanID) string { return hex.EncodeToString(id[:]) }

// of reports whether something is of a case: its session is, or what it is about.
func (c *fieldCase) of(resource, attributes pcommon.Map) bool {
	for _, m := range []pcommon.Map{resource, attributes} {
		for _, key := range []string{"cisco.meeting_server.session.id", "cisco.mediasense.session.id", "cisco.meeting_server.system.id"} {
			if v, ok := m.Get(key); ok && slices.ContainsFunc(c.about, func(prefix string) bool { return strings.HasPrefix(v.Str(), prefix) }) {
				return true
			}
		}
	}
	return false
}

// eventsOf are the lines of a case's events, in the order of their names, with
// the attributes that the case shows.
func (o *fieldOutput) eventsOf(c *fieldCase) (lines []string) {
	for i := range o.records {
		r := &o.records[i]
		if !c.of(r.resource, r.Attributes()) || strings.HasSuffix(r.EventName(), ".span") || strings.HasSuffix(r.EventName(), ".conference.update") {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(r.EventName(), "cisco.meeting_server."), "cisco.mediasense.")
		line := append([]string{name, r.SeverityText()}, shownOf(c.show, r.resource, r.Attributes())...)
		if c.showBody {
			line = append(line, strconv.Quote(r.Body().AsString()))
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return lines
}

// spansOf are the lines of a case's spans.
func (o *fieldOutput) spansOf(c *fieldCase) (lines []string) {
	for i := range o.spans {
		s := &o.spans[i]
		if !c.of(s.resource, s.Attributes()) {
			continue
		}
		clock := func(t pcommon.Timestamp) string { return t.AsTime().UTC().Format(time.TimeOnly) }
		outcome, _ := s.Attributes().Get("callstitch.outcome")
		line := []string{o.names[hexOf(s.SpanID())], clock(s.StartTimestamp()) + "-" + clock(s.EndTimestamp()), outcome.Str()}
		if !s.ParentSpanID().IsEmpty() {
			line = append(line, "in", o.nameOf(s.ParentSpanID()))
		}
		for _, link := range s.Links().All() {
			reason, _ := link.Attributes().Get("reason")
			line = append(line, reason.Str(), o.nameOf(link.SpanID()))
		}
		lines = append(lines, strings.Join(append(line, shownOf(c.showSpan, s.resource, s.Attributes())...), " "))
	}
	return lines
}

func (o *fieldOutput) nameOf(id pcommon.SpanID) string {
	if name, ok := o.names[hexOf(id)]; ok {
		return name
	}
	return "unknown"
}

// shownOf writes the attributes whose names end with one of some, as far as they
// are there: "type=sip".
func shownOf(some []string, maps ...pcommon.Map) (shown []string) {
	for _, suffix := range some {
		for _, m := range maps {
			for key, v := range m.All() {
				if strings.HasSuffix(key, "."+suffix) || key == suffix {
					shown = append(shown, fmt.Sprintf("%s=%s", suffix, v.AsString()))
				}
			}
		}
	}
	return shown
}

// faults says how the output differs from what is right of a case.
func (c *fieldCase) faults(o *fieldOutput) (faults []string) {
	compareLines := func(what string, want, got []string) {
		if want == nil {
			return
		}
		want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
		if !slices.Equal(want, got) {
			faults = append(faults, fmt.Sprintf("%s:\n  want\n    %s\n  got\n    %s", what, strings.Join(want, "\n    "), strings.Join(got, "\n    ")))
		}
	}
	compareLines("events", c.events, o.eventsOf(c))
	compareLines("spans", c.spans, o.spansOf(c))
	for _, page := range []struct {
		what, text  string
		has, hasNot []string
	}{{"metrics page", o.page, c.page, c.notOnPage}, {"own metrics", o.own, c.own, nil}, {"log", o.log, c.log, nil}} {
		for _, pattern := range page.has {
			if !regexp.MustCompile("(?m)" + pattern).MatchString(page.text) {
				faults = append(faults, fmt.Sprintf("%s has no %s", page.what, pattern))
			}
		}
		for _, pattern := range page.hasNot {
			if found := regexp.MustCompile("(?m)" + pattern).FindString(page.text); found != "" {
				faults = append(faults, fmt.Sprintf("%s has %s", page.what, found))
			}
		}
	}
	for _, secret := range c.secrets {
		for where, text := range map[string]string{"log": o.log, "metrics page": o.page, "records": o.everything()} {
			if strings.Contains(text, secret) {
				faults = append(faults, fmt.Sprintf("%s: the secret %q", where, secret))
			}
		}
	}
	if c.rows != nil {
		faults = append(faults, c.rows(&o.rows)...)
	}
	return faults
}

// everything is all records as text.
func (o *fieldOutput) everything() string {
	var all strings.Builder
	for i := range o.records {
		r := &o.records[i]
		fmt.Fprintln(&all, r.Body().AsString(), r.Attributes().AsRaw(), r.resource.AsRaw())
	}
	return all.String()
}
