// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/redact"
)

func decode(t *testing.T, text string) (*Frame, error) {
	t.Helper()
	f := new(Frame)
	err := new(Decoder).Decode([]byte(text), f)
	return f, err
}

// The fixture lists the damaged frames with their expected result.
func TestMalformed(t *testing.T) {
	lines := frames(t)
	lines = lines[len(lines)-8:]
	f := func(line int, want error, hasID bool) *Frame {
		t.Helper()
		frame, err := decode(t, lines[line-1])
		assert.Equal(t, want, err)
		assert.Equal(t, hasID, frame.HasID)
		return frame
	}
	f(1, ErrNoMessage, false)
	assert.Equal(t, CallListUpdate, f(2, nil, true).Type)
	f(3, ErrNoMessage, false)
	f(4, ErrNoID, false)
	quoted := f(5, nil, true)
	assert.Equal(t, int64(61), quoted.ID)
	assert.Equal(t, int64(1), quoted.Index)
	f(6, ErrNoMessage, false)
	f(7, ErrNoMessage, false)
	cutOff := f(8, ErrSyntax, true)
	assert.Equal(t, int64(5), cutOff.ID, "it can be acknowledged")
}

// Values have the documented type of their element if their text can be parsed as one.
func TestValues(t *testing.T) {
	f := func(value string, element Element, kind ValueKind, number uint64, text string) {
		t.Helper()
		frame, err := decode(t, fmt.Sprintf(`{"message":{"messageId":0,"callInfo":{%q:%s}}}`, element, value))
		require.NoError(t, err)
		require.Len(t, frame.Fields(&frame.Updates[0]), 1)
		v := frame.Fields(&frame.Updates[0])[0]
		assert.Equal(t, element, v.Element)
		assert.Equal(t, kind, v.Kind)
		assert.Equal(t, number, v.Number)
		assert.Equal(t, text, string(v.Text))
	}
	f(`true`, AudioMuted, Bool, 1, "true")
	f(`"false"`, AudioMuted, Bool, 0, "false")
	f(`1`, AudioMuted, Bool, 1, "1")
	f(`"0"`, AudioMuted, Bool, 0, "0")
	f(`"TRUE"`, AudioMuted, Bool, 1, "TRUE")
	f(`"False"`, AudioMuted, Bool, 0, "False")
	f(`"yes"`, AudioMuted, Text, 0, "yes")
	f(`2`, AudioMuted, Text, 0, "2")
	f(`5`, Importance, Int, 5, "5")
	f(`"7"`, Importance, Int, 7, "7")
	f(`null`, Importance, Null, 0, "")
	f(`"many"`, Participants, Text, 0, "many")
	f(`12`, Name, Text, 0, "12")
	f(`[1, 2]`, Layout, Text, 0, "[1, 2]")
	f(`"Z\u00fcrich \ud83c\udfd4"`, Name, Text, 0, "Zürich 🏔")
	f(`"`+strings.Repeat("ü", 600)+`"`, Name, Text, 0, strings.Repeat("ü", 512))
}

func TestEncode(t *testing.T) {
	assert.JSONEq(t, `{"type":"messageAck","messageAck":{"messageId":0,"status":"success"}}`, string(AppendAck(nil, 0)))
	assert.JSONEq(t, `{"type":"message","message":{"messageId":9,"type":"subscribeRequest","subscriptions":[]}}`,
		string(AppendSubscribeRequest(nil, 9, nil)))
	got := AppendSubscribeRequest(nil, 1, []Subscription{
		{Index: 3, Kind: Calls, Elements: []string{"name", "participants"}},
		{Index: 4, Kind: CallRoster, Call: `"x"`, Elements: nil},
		{Index: 5, Kind: CallInfo, Call: "y", Elements: []string{"ü"}},
	})
	assert.True(t, json.Valid(got))
	assert.JSONEq(t, `{"type":"message","message":{"messageId":1,"type":"subscribeRequest","subscriptions":[
		{"index":3,"type":"calls","elements":["name","participants"]},
		{"index":4,"type":"callRoster","call":"\"x\""},
		{"index":5,"type":"callInfo","call":"y","elements":["ü"]}]}}`, string(got))
}

func TestElements(t *testing.T) {
	assert.Len(t, DocumentedElements(Calls), 9)
	assert.Len(t, DocumentedElements(CallInfo), 10)
	assert.Len(t, DocumentedElements(CallRoster), 15)
	assert.True(t, IsDocumented(CallInfo, "coSpace"))
	assert.False(t, IsDocumented(Calls, "joinAudioMuteOverride"))
	assert.False(t, IsDocumented(CallRoster, ""))
}

// merge compares by value; null equals a missing element.
func TestMerge(t *testing.T) {
	fields := func(object string) []Field {
		frame, err := decode(t, `{"message":{"messageId":0,"callInfo":`+object+`}}`)
		require.NoError(t, err)
		return frame.Fields(&frame.Updates[0])
	}
	var held packedElements
	f := func(object string, want ...string) {
		t.Helper()
		var changed []Field
		held, changed = held.merge(fields(object), nil)
		var got []string
		for _, v := range changed {
			name := v.Element.String()
			if v.Element == Unknown {
				name = string(v.Name)
			}
			got = append(got, name)
		}
		assert.Equal(t, want, got)
	}
	f(`{"name":"a","importance":null,"audioMuted":false,"odd":[1]}`, "name", "audioMuted", "odd")
	f(`{"name":"a","importance":null,"audioMuted":false,"odd":[1]}`)
	f(`{"audioMuted":true}`, "audioMuted")
	f(`{"name":"longer than before","odd":"[1]"}`, "name")
	f(`{"importance":5,"odd":null}`, "importance", "odd")
	f(`{"importance":"5","odd":null}`)
	f(`{"importance":null,"reason":"not held"}`, "importance")
	f(`{"audioMuted":"maybe"}`, "audioMuted")
	assert.Equal(t, "longer than before", string(held.text(Name)))
	var rest []string
	for _, v := range held.fields() {
		rest = append(rest, v.Element.String()+"="+string(v.Text))
	}
	assert.ElementsMatch(t, []string{"name=longer than before", "audioMuted=maybe"}, rest)
}

// The unknown elements of an object are bounded.
func TestRecordIsBounded(t *testing.T) {
	var held packedElements
	for i := range 1000 {
		frame, err := decode(t, fmt.Sprintf(`{"message":{"messageId":0,"callInfo":{"e%d":%q}}}`, i, strings.Repeat("x", 5000)))
		require.NoError(t, err)
		held, _ = held.merge(frame.Fields(&frame.Updates[0]), nil)
	}
	assert.Less(t, len(held), maxRecord+2*maxText)
}

// Raw control characters are accepted: a line break in a name is no damage.
func TestRawControls(t *testing.T) {
	f, err := decode(t, "{\"type\":\"message\",\"message\":{\"messageId\":7,\"type\":\"rosterUpdate\",\"subscriptionIndex\":2,\"updates\":[{\"participant\":\"p\",\"updateType\":\"add\",\"name\":\"Ada\nLovelace\t\x01\",\"state\":\"connected\"}]}}")
	require.NoError(t, err)
	require.Len(t, f.Updates, 1)
	fields := f.Fields(&f.Updates[0])
	require.Len(t, fields, 2)
	assert.Equal(t, "Ada\nLovelace\t\x01", string(fields[0].Text))
	assert.Equal(t, "connected", string(fields[1].Text))
}

// salvageHeader finds the id and the index of a damaged frame, wherever they stand.
func TestSalvage(t *testing.T) {
	f := func(text string, id, index int64, hasID, hasIndex, isMessage bool) {
		t.Helper()
		frame, err := decode(t, text)
		require.ErrorIs(t, err, ErrSyntax)
		assert.Equal(t, [...]any{id, index, hasID, hasIndex, isMessage}, [...]any{frame.ID, frame.Index, frame.HasID, frame.HasIndex, frame.IsMessage})
	}
	f(`{"type":"message","message":{"messageId":5,"type":"rosterUpdate","subscriptionIndex":3,"updates":[{"name":"a"b"}]}}`, 5, 3, true, true, true)
	f(`{"type":"message","message":{"updates":[{"name":"a"b"}],"subscriptionIndex" : "12" ,"messageId": 0 }}`, 0, 12, true, true, true)
	f(`{"type":"message","message":{"updates":[{"name":"\"messageId\":9, \"subscriptionIndex\":8"x"}],"messageId":-4,`, -4, 0, true, false, true)
	f(`{"type":"message","message":{"messageId":5,`, 5, 0, true, false, true)
	f(`{"type":"message","message":{"messageId":5`, 5, 0, true, false, true)
	f(`{"x":{"subscriptionIndex":`, 0, 0, false, false, false)
	f(`{"subscriptionIndex":99999999999999999999,"a":}`, 0, 0, false, false, false)
}

// The memory of one message is bounded.
func TestTooMuch(t *testing.T) {
	f := func(content string) {
		t.Helper()
		frame, err := decode(t, `{"type":"message","message":{"messageId":5,"subscriptionIndex":3,`+content+`}}`)
		require.ErrorIs(t, err, ErrTooMany)
		assert.True(t, frame.HasID, "it can be acknowledged")
		behind, err := decode(t, `{"type":"message","message":{`+content+`,"type":"rosterUpdate","subscriptionIndex":3,"messageId":5}}`)
		require.ErrorIs(t, err, ErrTooMany)
		assert.Equal(t, int64(5), behind.ID, "an id behind it too")
		assert.Equal(t, int64(3), behind.Index)
		assert.True(t, behind.HasID && behind.HasIndex)
		assert.Equal(t, RosterUpdate, behind.Type)
		cut, err := decode(t, `{"type":"message","message":{`+content+`,"subscriptionIndex":3,"messageId":5,`)
		require.ErrorIs(t, err, ErrSyntax)
		assert.True(t, cut.HasID && cut.HasIndex)
		assert.LessOrEqual(t, len(frame.Updates), maxUpdates)
		assert.LessOrEqual(t, len(frame.States), maxUpdates)
		assert.LessOrEqual(t, len(frame.fields), maxFrameFields+maxFields)
	}
	f(`"updates":[` + strings.Repeat(`{},`, maxUpdates) + `{}]`)
	f(`"subscriptions":[` + strings.Repeat(`{"index":1},`, maxUpdates) + `{"index":1}]`)
	var object strings.Builder
	for i := range maxFields {
		fmt.Fprintf(&object, `"e%d":1,`, i)
	}
	f(`"updates":[` + strings.Repeat(`{`+strings.TrimSuffix(object.String(), ",")+`},`, maxFrameFields/maxFields+1) + `{}]`)
}

// A secret across the text limit is redacted before the cut, in a string or in raw JSON.
func TestSecretAcrossTheLimit(t *testing.T) {
	for _, secret := range []string{"https://user:12345678@host.example.test/", "sip:anna:12345678@example.test", "https://12345678@host.example.test/"} {
		for back := range len(secret) + 2 {
			padding := strings.Repeat("x", maxText-back-1) + " "
			for _, value := range []string{`"` + padding + secret + `"`, `{"a":"` + padding + secret + `"}`, `["` + padding + secret + `"]`} {
				frame, err := decode(t, `{"message":{"messageId":0,"callInfo":{"name":`+value+`,"odd":`+value+`}}}`)
				require.NoError(t, err)
				fields := frame.Fields(&frame.Updates[0])
				require.Len(t, fields, 2)
				for i := range fields {
					assert.LessOrEqual(t, len(fields[i].Text), maxText)
					assert.NotContains(t, redact.Text(string(fields[i].Text)), "12", "%d bytes before the limit of %s", back, value[:20])
				}
			}
		}
	}
	long := strings.Repeat("ü", maxText)
	frame, err := decode(t, `{"message":{"messageId":0,"callInfo":{"name":"`+long+`"}}}`)
	require.NoError(t, err)
	assert.Equal(t, long[:maxText], string(frame.Fields(&frame.Updates[0])[0].Text), "text without secrets is cut where it was")
}
