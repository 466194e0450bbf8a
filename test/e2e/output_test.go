// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/stretchr/testify/require"
)

// written is a log record in the file exporter's output.
type written struct {
	event      string
	time       uint64
	session    string
	bridge     string
	body       string
	trace      string
	span       string
	attributes map[string]string
	lists      map[string][]string // attributes that are lists of texts
	offset     int64               // of its line in the file
}

// identity of a wire record.
type identity struct {
	session string
	index   uint64
}

func (w *written) identity() (identity, bool) {
	index, err := strconv.ParseUint(w.attributes["cisco.meeting_server.record.index"], 10, 64)
	return identity{w.session, index}, err == nil && w.session != ""
}

// otlp is the part of OTLP JSON the tests read.
type otlp struct {
	ResourceLogs []struct {
		Resource  struct{ Attributes []keyValue }
		ScopeLogs []struct {
			LogRecords []struct {
				EventName  string
				Time       uint64 `json:"timeUnixNano,string"`
				TraceID    string
				SpanID     string
				Body       value
				Attributes []keyValue
			}
		}
	}
}

type keyValue struct {
	Key   string
	Value value
}

type value struct {
	StringValue, IntValue, BytesValue string
	DoubleValue                       json.Number
	BoolValue                         *bool
	ArrayValue                        *struct{ Values []value }
}

func (v value) text() string {
	if v.BoolValue != nil {
		return strconv.FormatBool(*v.BoolValue)
	}
	return v.StringValue + v.IntValue + v.BytesValue + v.DoubleValue.String()
}

func attributesOf(pairs []keyValue) map[string]string {
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		m[p.Key] = p.Value.text()
	}
	return m
}

// listsOf are the attributes that are lists.
func listsOf(pairs []keyValue) map[string][]string {
	lists := map[string][]string{}
	for _, p := range pairs {
		if p.Value.ArrayValue == nil {
			continue
		}
		for _, v := range p.Value.ArrayValue.Values {
			lists[p.Key] = append(lists[p.Key], v.text())
		}
	}
	return lists
}

// output reads all records written so far. A line cut by a kill is the last
// one of its run and was not acknowledged; it is skipped.
func (c *collector) output() (all []written) {
	c.t.Helper()
	file, err := os.Open(filepath.Join(c.directory, "records.jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(c.t, err)
	defer file.Close()
	content, err := io.ReadAll(file)
	require.NoError(c.t, err)
	for offset := int64(0); offset < int64(len(content)); {
		decoder := json.NewDecoder(newReader(content[offset:]))
		var line otlp
		if err := decoder.Decode(&line); err != nil {
			next := nextLine(content[offset:])
			require.Positive(c.t, next, "the last line of the output is cut: %v", err)
			offset += next
			continue
		}
		all = append(all, line.records(offset)...)
		offset += decoder.InputOffset()
		for offset < int64(len(content)) && content[offset] == '\n' {
			offset++
		}
	}
	return all
}

func (o *otlp) records(offset int64) (all []written) {
	for _, rl := range o.ResourceLogs {
		resource := attributesOf(rl.Resource.Attributes)
		for _, sl := range rl.ScopeLogs {
			for _, lr := range sl.LogRecords {
				all = append(all, written{
					event: lr.EventName, time: lr.Time, trace: lr.TraceID, span: lr.SpanID, body: lr.Body.text(), offset: offset,
					attributes: attributesOf(lr.Attributes), lists: listsOf(lr.Attributes),
					session: resource["cisco.meeting_server.session.id"], bridge: resource["cisco.meeting_server.call_bridge.id"],
				})
			}
		}
	}
	return all
}
