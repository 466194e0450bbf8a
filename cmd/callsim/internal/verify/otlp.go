// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Output is the output of a Collector.
type Output struct {
	Objects []Object
	Records []Record
}

// Record is a log record that was made of a record on the wire.
type Record struct {
	Event, Session string
	Index          uint64
}

// line has the fields of a line of the file exporter that these comparisons read.
type line struct {
	ResourceSpans []struct {
		ScopeSpans []struct{ Spans []span }
	}
	ResourceLogs []struct {
		Resource  struct{ Attributes attributes }
		ScopeLogs []struct{ LogRecords []logRecord }
	}
}

type span struct {
	TraceID, SpanID, ParentSpanID, Name string
	Start                               nanoseconds `json:"startTimeUnixNano"`
	End                                 nanoseconds `json:"endTimeUnixNano"`
	Attributes                          attributes
}

type logRecord struct {
	EventName  string
	Attributes attributes
}

// nanoseconds since 1970, which OTLP JSON writes as a text.
type nanoseconds string

func (n nanoseconds) time() time.Time {
	v, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, v).UTC()
}

type attributes []struct {
	Key   string
	Value struct{ StringValue, IntValue string }
}

func (a attributes) get(key string) string {
	for _, one := range a {
		if one.Key == key {
			return one.Value.StringValue + one.Value.IntValue
		}
	}
	return ""
}

// ReadFile adds a file of the file exporter, in which each line is a request.
func (o *Output) ReadFile(r io.Reader) error {
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if len(text) > 1 {
			var l line
			if decodeErr := json.Unmarshal(text, &l); decodeErr != nil {
				return fmt.Errorf("line %d is no OTLP JSON: %w", number, decodeErr)
			}
			o.add(&l)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (o *Output) add(l *line) {
	for _, resource := range l.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for i := range scope.Spans {
				o.addSpan(&scope.Spans[i])
			}
		}
	}
	for _, resource := range l.ResourceLogs {
		session := resource.Resource.Attributes.get(prefix + "session.id")
		for _, scope := range resource.ScopeLogs {
			for i := range scope.LogRecords {
				o.addRecord(session, &scope.LogRecords[i])
			}
		}
	}
}

func (o *Output) addSpan(s *span) {
	switch s.Name {
	case kindCall, kindLeg, kindRecording, kindStreaming:
	default:
		return // of MediaSense, OCMS or the API
	}
	object := Object{
		Kind: s.Name, ID: s.Attributes.get(prefix + s.Name + ".id"), Trace: s.TraceID, Span: s.SpanID, Parent: s.ParentSpanID,
		Start: s.Start.time(), End: s.End.time(), Outcome: s.Attributes.get("callstitch.outcome"), Values: map[string]string{},
	}
	for _, name := range comparedValues[s.Name] {
		object.Values[name] = s.Attributes.get(prefix + s.Name + "." + name)
	}
	o.Objects = append(o.Objects, object)
}

// addRecord adds a record that carries the number of the record on the wire. Stitched
// records are made of several and carry none.
func (o *Output) addRecord(session string, r *logRecord) {
	index, err := strconv.ParseUint(r.Attributes.get(prefix+"record.index"), 10, 64)
	if err != nil || session == "" || !strings.HasPrefix(r.EventName, prefix) {
		return
	}
	o.Records = append(o.Records, Record{Event: strings.TrimPrefix(r.EventName, prefix), Session: session, Index: index})
}
