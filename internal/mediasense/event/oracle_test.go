// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// reference reads one JSON value with encoding/json.
func reference(data string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	if err = d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() || strings.TrimLeft(data[d.InputOffset():], " \t\r\n") != "" {
		return nil, jsonscan.ErrSyntax
	}
	return v, nil
}

// same compares a tree with that of encoding/json.
func same(t *testing.T, want any, got *Value) {
	t.Helper()
	switch want := want.(type) {
	case nil:
		assert.Equal(t, KindNull, got.Kind)
	case bool:
		assert.Equal(t, KindBool, got.Kind)
		assert.Equal(t, want, got.Bool())
	case string:
		assert.Equal(t, KindText, got.Kind)
		assert.Equal(t, want, got.Text)
	case json.Number:
		assert.Equal(t, want.String(), got.Text)
		if n, err := want.Int64(); err == nil {
			assert.Equal(t, KindInt, got.Kind)
			assert.Equal(t, n, got.Int())
		} else if x, err := want.Float64(); err == nil && got.Kind != KindText {
			assert.Equal(t, x, got.Double())
		}
	case []any:
		assert.Equal(t, KindList, got.Kind)
		require.Len(t, got.Items, len(want))
		for i := range want {
			same(t, want[i], &got.Items[i])
		}
	case map[string]any:
		assert.Equal(t, KindMap, got.Kind)
		require.Len(t, got.Members, len(want))
		for i := range got.Members {
			value, ok := want[got.Members[i].Name]
			require.True(t, ok)
			same(t, value, &got.Members[i].Value)
		}
	}
}

// holds checks what must be true of any body.
func holds(t *testing.T, body string) {
	t.Helper()
	batch := decode(body)
	coversAll(t, body, &batch)
	if strings.Count(body, "[")+strings.Count(body, "{") >= jsonscan.MaxDepth || strings.Count(body, ":") >= maxMembers {
		return // encoding/json has other limits
	}
	want, wantErr := reference(body)
	var r reader
	r.reset(body, len(body), false)
	got, err := r.value(0)
	if err == nil && (r.scan.Next() != 0 || r.scan.Pos() < len(body)) {
		err = jsonscan.ErrSyntax
	}
	require.Equal(t, wantErr == nil, err == nil, "%q", body)
	if err != nil {
		return
	}
	same(t, want, &got)
	for i := range batch.Malformed {
		assert.NotErrorIs(t, batch.Malformed[i].Err, jsonscan.ErrSyntax, "JSON that is read is no damage: %q", body)
	}
	// Written anew, in another order and with other blanks, it says the same.
	again, err := json.MarshalIndent(want, " ", "\t")
	require.NoError(t, err)
	if bytes.Contains(again, []byte(`\u`)) {
		return // a lone surrogate is lost in the reference
	}
	repeated := decode(string(again))
	require.Len(t, repeated.Events, len(batch.Events))
	for i := range batch.Events {
		assert.Equal(t, batch.Events[i].Type, repeated.Events[i].Type)
		assert.Equal(t, batch.Events[i].Keys(nil), repeated.Events[i].Keys(nil), "%q and %q", body, again)
	}
}

// coversAll checks that every byte is in an event, in quarantine, or stands
// between events.
func coversAll(t *testing.T, body string, batch *Batch) {
	t.Helper()
	covered := make([]int, len(body))
	cover := func(offset int, raw string) {
		require.LessOrEqual(t, offset+len(raw), len(body))
		require.Equal(t, raw, body[offset:offset+len(raw)])
		for i := range len(raw) {
			covered[offset+i]++
		}
	}
	damaged := make(map[int]bool)
	keptCount := 0
	for i := range batch.Malformed {
		m := &batch.Malformed[i]
		require.Error(t, m.Err)
		require.NotEmpty(t, m.Raw)
		cover(m.Offset, m.Raw)
		if m.IsEvent {
			damaged[m.Readable.Offset] = true
			keptCount++
		}
	}
	for i := range batch.Events {
		e := &batch.Events[i]
		switch {
		case e.Part > 1:
			require.Equal(t, batch.Events[i-1].Offset, e.Offset)
			continue
		case damaged[e.Offset]:
			keptCount--
			continue
		case e.Part == 1:
			var whole json.RawMessage
			require.NoError(t, json.NewDecoder(strings.NewReader(body[e.Offset:])).Decode(&whole))
			cover(e.Offset, string(whole))
			continue
		}
		cover(e.Offset, e.Raw)
	}
	assert.Zero(t, keptCount, "each event that is counted as kept is there")
	begin, end := trimFraming(body)
	for i, times := range covered {
		if i < begin || i >= end {
			assert.Zero(t, times, "a byte of the frame, at %d of %q", i, body)
			continue
		}
		if times > 1 || times == 0 && strings.IndexByte(" \t\r\n,[]", body[i]) < 0 {
			assert.Failf(t, "byte not kept once", "%d times: %q at %d of %q", times, body[i], i, body)
		}
	}
}

func corpus(tb testing.TB) (bodies []string) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(fixtures, "*-*.*"))
	require.NoError(tb, err)
	require.NotEmpty(tb, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(tb, err)
		bodies = append(bodies, string(content))
	}
	return append(bodies, "", "[]", "[", "[[]]", "5", "{}{}", "\ufeff{}", "\x00{}\x00\n", "\ufeff", `{"a":1,"a":2}`, "\x00", "{\"a\":\"\xff\"}", `{"a":"\u00e9\ud83d"}`, `[{"eventType":"X"},{"eventType":"Y"}]`)
}

// Each body, and each body cut at each byte, and with each byte damaged.
func TestOracle(t *testing.T) {
	for _, body := range corpus(t) {
		holds(t, body)
		if len(body) > 1000 {
			body = strings.Join(strings.Fields(body), "")
			body = body[:min(len(body), 1000)]
		}
		for i := range len(body) {
			batch := decode(body[:i])
			coversAll(t, body[:i], &batch)
			broken := body[:i] + "}" + body[i+1:]
			batch = decode(broken)
			coversAll(t, broken, &batch)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range corpus(f) {
		f.Add(body)
		f.Add(body + body)
	}
	f.Fuzz(func(t *testing.T, body string) { holds(t, body) })
}
