// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// The oracle decodes a frame with encoding/json by the rules of the specification. It is
// slow, and works differently from the decoder: it parses a tree first.

type member struct {
	name string
	raw  json.RawMessage
}

// members returns an object's members in order; ok is false if raw is not an object.
func members(raw []byte) (all []member, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, false
		}
		all = append(all, member{name.(string), bytes.TrimSpace(value)})
	}
	return all, true
}

// objects returns the objects of an array, or a single object.
func objects(raw json.RawMessage) (all []json.RawMessage) {
	if raw[0] == '{' {
		return []json.RawMessage{raw}
	}
	var items []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
		return nil
	}
	for _, item := range items {
		if item = bytes.TrimSpace(item); item[0] == '{' {
			all = append(all, item)
		}
	}
	return all
}

func asText(raw json.RawMessage) (text string, ok bool) {
	if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return cut(text), true
}

// cut cuts text before the last character that begins within the limit.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := 0
	for i := range text {
		if i <= maxText {
			end = i
		}
	}
	return text[:end]
}

func asInteger(raw json.RawMessage) (n int64, ok bool) {
	text := string(raw)
	if raw[0] == '"' {
		if json.Unmarshal(raw, &text) != nil {
			return 0, false
		}
	} else if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// plainField is a field without references into a frame.
type plainField struct {
	element Element
	name    string
	kind    ValueKind
	text    string
	number  uint64
}

type plainUpdate struct {
	kind              UpdateType
	call, participant string
	fields            []plainField
}

type plainFrame struct {
	ack     bool
	id      int64
	hasID   bool
	status  string
	kind    MessageType
	index   int64
	indexed bool
	states  []SubscriptionState
	updates []plainUpdate
}

// plainOf returns a comparable copy of a frame.
func plainOf(f *Frame) plainFrame {
	p := plainFrame{
		ack: f.Ack, id: f.ID, hasID: f.HasID, status: string(f.Status), kind: f.Type, index: f.Index, indexed: f.HasIndex,
		states: append([]SubscriptionState(nil), f.States...),
	}
	for i := range f.Updates {
		u := &f.Updates[i]
		one := plainUpdate{kind: u.Type, call: string(u.Call), participant: string(u.Participant)}
		for _, v := range f.Fields(u) {
			one.fields = append(one.fields, plainField{v.Element, string(v.Name), v.Kind, string(v.Text), v.Number})
		}
		p.updates = append(p.updates, one)
	}
	return p
}

func referenceDecode(data []byte) (p plainFrame, err error) {
	if !json.Valid(data) {
		return p, ErrSyntax
	}
	top, isObject := members(data)
	if !isObject {
		return p, ErrNoMessage
	}
	message, ack := false, false
	for _, m := range top {
		body, isObject := members(m.raw)
		switch {
		case m.name == "message" && isObject:
			message = true
			p = referenceMessage(body)
		case m.name == "messageAck" && isObject && !message:
			ack = true
			p.status, p.hasID = "", false
			for _, m := range body {
				switch m.name {
				case "messageId":
					p.id, p.hasID = asInteger(m.raw)
				case "status":
					p.status, _ = asText(m.raw)
				}
			}
		}
	}
	p.ack = ack && !message
	switch {
	case !message && !ack:
		return p, ErrNoMessage
	case !p.hasID:
		return p, ErrNoID
	}
	return p, nil
}

func referenceMessage(body []member) (p plainFrame) {
	for _, m := range body {
		switch m.name {
		case "messageId":
			p.id, p.hasID = asInteger(m.raw)
		case "type":
			text, _ := asText(m.raw)
			p.kind = map[string]MessageType{
				"subscriptionUpdate": SubscriptionUpdate, "callListUpdate": CallListUpdate, "callInfoUpdate": CallInfoUpdate,
				"rosterUpdate": RosterUpdate, "callRosterUpdate": RosterUpdate,
			}[text]
		case "subscriptionIndex":
			p.index, p.indexed = asInteger(m.raw)
		case "subscriptions":
			p.states = nil
			for _, o := range objects(m.raw) {
				var s SubscriptionState
				known := false
				inner, _ := members(o)
				for _, m := range inner {
					switch m.name {
					case "index":
						s.Index, known = asInteger(m.raw)
					case "state":
						text, _ := asText(m.raw)
						s.State = map[string]SubState{"pending": Pending, "active": Active, "deactivated": Deactivated}[text]
					}
				}
				if known {
					p.states = append(p.states, s)
				}
			}
		case "updates", "callInfo":
			p.updates = nil
			for _, o := range objects(m.raw) {
				p.updates = append(p.updates, referenceUpdate(o))
			}
		}
	}
	return p
}

func referenceUpdate(o json.RawMessage) (u plainUpdate) {
	inner, _ := members(o)
	for _, m := range inner {
		switch m.name {
		case "call":
			u.call, _ = asText(m.raw)
		case "participant":
			u.participant, _ = asText(m.raw)
		case "updateType":
			text, _ := asText(m.raw)
			u.kind = map[string]UpdateType{"add": Add, "update": Modify, "remove": Remove}[text]
		default:
			v := referenceField(m)
			replaced := false
			for i := range u.fields {
				if u.fields[i].element == v.element && u.fields[i].name == v.name {
					u.fields[i], replaced = v, true
				}
			}
			if !replaced && len(v.name) <= maxName && len(u.fields) < maxFields {
				u.fields = append(u.fields, v)
			}
		}
	}
	return u
}

func referenceField(m member) plainField {
	v := plainField{element: elementByName[m.name], kind: Text}
	if v.element == Unknown {
		v.name = m.name
	}
	switch m.raw[0] {
	case 'n':
		v.kind = Null
		return v
	case '"':
		v.text, _ = asText(m.raw)
	case '{', '[':
		v.text = cut(string([]rune(string(m.raw))))
		return v
	default:
		v.text = string(m.raw)
	}
	switch elements[v.element].value {
	case Bool:
		if v.text == "true" || v.text == "false" {
			v.kind = Bool
			if v.text == "true" {
				v.number = 1
			}
		}
	case Int:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			v.kind, v.number = Int, uint64(n)
		} else if x, err := strconv.ParseFloat(v.text, 64); err == nil && !math.IsInf(x, 0) && !math.IsNaN(x) {
			v.kind, v.number = Double, math.Float64bits(x)
		}
	}
	return v
}

// checkDecode compares Decode with the oracle, and checks properties of any input.
func checkDecode(t *testing.T, data []byte) {
	t.Helper()
	if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) >= jsonscan.MaxDepth {
		return // encoding/json accepts deeper nesting
	}
	var d Decoder
	var f Frame
	// A reused frame makes no difference.
	_ = d.Decode([]byte(`{"message":{"messageId":9,"updates":[{"call":"x","name":"y"}],"subscriptions":[{"index":1}]}}`), &f)
	before := bytes.Clone(data)
	err := d.Decode(data, &f)
	escaped := escapeControls(data)
	want, wantErr := referenceDecode(escaped)
	assert.Equal(t, wantErr, err)
	// The raw JSON of arrays and objects is not escaped, so compare only if nothing was.
	if !errors.Is(err, ErrSyntax) && len(escaped) == len(data) {
		assert.Equal(t, want, plainOf(&f))
	}
	assert.Equal(t, before, data, "the input is not touched")
	for i := range f.Updates {
		held, changed := packedElements(nil).merge(f.Fields(&f.Updates[i]), nil)
		again, unchanged := held.merge(f.Fields(&f.Updates[i]), nil)
		assert.Equal(t, held, again)
		for _, v := range unchanged {
			assert.Greater(t, len(held), maxRecord, "%v changes again", v)
		}
		assert.LessOrEqual(t, len(changed), maxFields)
	}
}

// escapeControls escapes raw control characters in the strings of a frame, which makes it
// valid JSON.
func escapeControls(data []byte) (out []byte) {
	quoted, escape := false, false
	for _, c := range data {
		if quoted && c < 0x20 && !escape {
			out = fmt.Appendf(out, "\\u%04x", c)
			continue
		}
		out = append(out, c)
		quoted = quoted != (c == '"' && !escape)
		escape = quoted && c == '\\' && !escape
	}
	return out
}

// frames returns every frame of the fixtures.
func frames(tb testing.TB) (all []string) {
	tb.Helper()
	files, err := filepath.Glob("../../../testdata/cms-events/*.jsonl")
	require.NoError(tb, err)
	require.NotEmpty(tb, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(tb, err)
		for line := range strings.Lines(string(content)) {
			var l struct{ Frame json.RawMessage }
			require.NoError(tb, json.Unmarshal([]byte(line), &l))
			all = append(all, string(l.Frame))
		}
	}
	content, err := os.ReadFile("../../../testdata/cms-events/malformed-translated.txt")
	require.NoError(tb, err)
	return append(all, strings.Split(strings.TrimSpace(string(content)), "\n")...)
}

func TestFixtures(t *testing.T) {
	for _, frame := range frames(t) {
		checkDecode(t, []byte(frame))
	}
}

// FuzzDecode compares the decoder with the oracle on arbitrary input.
func FuzzDecode(f *testing.F) {
	for _, frame := range frames(f) {
		f.Add([]byte(frame))
	}
	for _, frame := range []string{
		`{"message":{"messageId":"-0","callInfo":{"importance":1e2,"participants":-5,"name":"\ud83d\ude00\ud83d\u0000\"\\\/\b\f\n\r\t"}}}`,
		`{"message":{"messageId":1},"message":{"messageId":2,"updates":[{"a":1,"a":2,"name":1,"name":null}]},"messageAck":{"messageId":3}}`,
		"{\"message\":{\"messageId\":0,\"updates\":[{\"x\":[\"\xff\"],\"name\":\"\xc3\x28\"}]}}",
		`{"messageAck":{"messageId":0,"status":"success"}} x`,
		`{"a":[[[[]]]],"b":{},"c":-0.5e+10,"d":tru}`,
		"{\"message\":{\"messageId\":0,\"updates\":[{\"name\":\"two\nlines\\t\x00\",\"odd\":[\"\t\"]}]}}",
	} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkDecode(t, data) })
}
