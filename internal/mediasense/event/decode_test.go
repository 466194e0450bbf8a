// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// Every documented element of the fixtures has its documented type.
func TestTypes(t *testing.T) {
	e := one(t, fixture(t, "session-ended.json"))
	assert.Equal(t, SessionEnded, e.Type)
	assert.Equal(t, "6f0137aa21c0de", e.SessionID())
	assert.Equal(t, KindBool, e.Forwarded.Kind)
	assert.True(t, e.Forwarded.Bool())
	duration, ok := e.Int(SessionDuration)
	assert.True(t, ok)
	assert.EqualValues(t, 83940, duration)
	assert.Empty(t, e.Extra)
	for i := range e.Body {
		assert.NotEqual(t, Unknown, e.Body[i].Field, e.Body[i].Name)
	}
	require.Len(t, e.Items(Tracks), 2)
	track := e.Items(Tracks)[0]
	number, _ := track.Member(TrackNumber)
	assert.EqualValues(t, 1, number.Int())
	participants, _ := track.Member(Participants)
	require.Len(t, participants.Items, 2)
	conference, _ := participants.Items[1].Member(IsConference)
	assert.Equal(t, KindBool, conference.Kind)
	assert.True(t, conference.Bool())
	assert.EqualValues(t, 1718010090123, e.NewestDate())
	assert.Len(t, e.Items(URLs), 3)
}

// Quoted numbers, a boolean forwardedEvent, urls as one object in other letters.
func TestTolerance(t *testing.T) {
	e := one(t, fixture(t, "session-ended-error-object-urls.json"))
	start, ok := e.Int(SessionStartDate)
	assert.True(t, ok)
	assert.EqualValues(t, 1718010000623, start)
	assert.Equal(t, KindBool, e.Forwarded.Kind)
	assert.False(t, e.Forwarded.Bool())
	var kinds []string
	for _, item := range e.Items(URLs) {
		require.Len(t, item.Members, 1)
		kinds = append(kinds, item.Members[0].Name)
	}
	assert.Equal(t, []string{"mp4Url", "rtspUrl"}, kinds)

	f := func(body string, want ...Type) {
		t.Helper()
		batch := decode(body)
		assert.Empty(t, batch.Malformed)
		var got []Type
		for i := range batch.Events {
			got = append(got, batch.Events[i].Type)
		}
		assert.Equal(t, want, got, body)
	}
	deleted := fixture(t, "session-deleted.json")
	f(fixture(t, "malformed-two-objects.txt"), SessionDeleted, SessionPruned)
	f("["+deleted+","+deleted+"]", SessionDeleted, SessionDeleted)
	f(deleted+","+deleted, SessionDeleted, SessionDeleted)
	f("[]")
	f(" \n")
	f("")
	f(`{"eventType":"session_event","eventAction":"Deleted","eventBody":{"sessionIds":["a"]}}`, SessionDeleted)
	f(fixture(t, "unknown-event-type.json"), TypeUnknown)
	f(`{"eventType":"SESSION_EVENT","eventAction":"ARCHIVED","eventBody":{"sessionId":"a"}}`, TypeUnknown)
}

// TestFrame: a byte order mark or NULs around a body are no part of it.
func TestFrame(t *testing.T) {
	deleted := strings.TrimSpace(fixture(t, "session-deleted.json"))
	for _, body := range []string{
		"\ufeff" + deleted, deleted + "\x00", "\x00\x00" + deleted + "\x00\x00", "\ufeff\r\n" + deleted + "\r\n\x00\r\n", "\x00\ufeff" + deleted, "\ufeff[" + deleted + "]\x00",
	} {
		e := one(t, body)
		assert.Equal(t, SessionDeleted, e.Type)
		assert.Equal(t, deleted, e.Raw)
		assert.Equal(t, strings.Index(body, deleted), e.Offset)
	}
	for _, body := range []string{"\x00", "\ufeff", "\ufeff\x00 \n"} {
		assert.Equal(t, Batch{}, decode(body), "%q", body)
	}
	// UTF-16 has NULs inside: all bytes of it are kept.
	var wide strings.Builder
	for _, c := range deleted {
		wide.WriteRune(c)
		wide.WriteByte(0)
	}
	batch := decode(wide.String())
	require.Len(t, batch.Malformed, 1)
	assert.Equal(t, wide.String(), batch.Malformed[0].Raw)
	assert.Empty(t, batch.Events)
}

func TestValues(t *testing.T) {
	f := func(name, value string, want Value) {
		t.Helper()
		e := one(t, `{"eventType":"SESSION_EVENT","eventAction":"STARTED","eventBody":{"`+name+`":`+value+`}}`)
		require.Len(t, e.Body, 1)
		assert.Equal(t, want, e.Body[0].Value, "%s: %s", name, value)
	}
	text := func(s string) Value { return Value{Kind: KindText, Text: s} }
	number := func(n int64, s string) Value {
		v := Value{Text: s}
		v.setInt(n)
		return v
	}
	double := Value{Text: "1.5"}
	double.setDouble(1.5)
	f("sessionStartDate", "1284074053", number(1284074053000, "1284074053"))
	f("sessionStartDate", "1284074053123", number(1284074053123, "1284074053123"))
	f("sessionStartDate", "1284074053123456", number(1284074053123, "1284074053123456"))
	f("sessionStartDate", "0", number(0, "0"))
	f("sessionStartDate", "-5", number(-5, "-5"))
	f("sessionStartDate", `" 1284074053123 "`, number(1284074053123, " 1284074053123 "))
	f("sessionStartDate", `"yesterday"`, text("yesterday"))
	f("sessionStartDate", "true", text("true"))
	f("sessionStartDate", "null", Value{})
	f("sessionDuration", "83940", number(83940, "83940"))
	f("sessionDuration", "8.394e4", number(83940, "8.394e4"))
	f("sessionDuration", "1.5", double)
	f("sessionDuration", "123456789012345678901234567890", text("123456789012345678901234567890"))
	f("sessionDuration", "1e999", text("1e999"))
	f("sessionId", "42", text("42"))
	f("sessionId", "true", text("true"))
	f("sessionIds", `"a"`, Value{Kind: KindList, Items: []Value{text("a")}})
	f("sessionIds", `["a", 7]`, Value{Kind: KindList, Items: []Value{text("a"), text("7")}})
	f("tracks", `"none"`, text("none"))
	f("urls", `"rtsp://x"`, text("rtsp://x"))
	f("urls", `[]`, Value{Kind: KindList, Items: []Value{}})
	f("future", "42", text("42"))
	f("future", "null", Value{})
	f("future", `[1,{"y":null}]`, Value{Kind: KindList, Items: []Value{number(1, "1"), {Kind: KindMap, Members: []Member{{Name: "y"}}}}})

	e := one(t, `{"eventType":"SESSION_EVENT","eventAction":"STARTED","eventBody":{"tracks":{"trackNumber":"1","participants":{"isConference":"TRUE"}}}}`)
	require.Len(t, e.Items(Tracks), 1, "one object alone is a list of it")
	participants, _ := e.Items(Tracks)[0].Member(Participants)
	conference, _ := participants.Items[0].Member(IsConference)
	assert.Equal(t, KindBool, conference.Kind)
}

func TestForwarded(t *testing.T) {
	f := func(value string, want Kind, forwarded bool) {
		t.Helper()
		e := one(t, `{"eventType":"TAG_EVENT","eventAction":"ADDED","forwardedEvent":`+value+`,"eventBody":{}}`)
		assert.Equal(t, want, e.Forwarded.Kind, value)
		assert.Equal(t, forwarded, e.Forwarded.Bool(), value)
	}
	for _, yes := range []string{`"TRUE"`, `"true"`, `true`, `1`, `"1"`} {
		f(yes, KindBool, true)
	}
	for _, no := range []string{`"FALSE"`, `false`, `0`, `" 0 "`} {
		f(no, KindBool, false)
	}
	f(`"perhaps"`, KindText, false)
	f(`"yes"`, KindText, false)
	f(`2`, KindText, false)
	f(`1.5`, KindText, false)
	f(`null`, KindNull, false)
}

// outcome is what a damaged body should give: what is kept of it and what is
// put aside.
type outcome struct {
	events    []Type
	sessions  []string
	malformed []string
	err       error
}

func (o outcome) holds(t *testing.T, body string) Batch {
	t.Helper()
	batch := decode(body)
	var events []Type
	var sessions, malformed []string
	for i := range batch.Events {
		events = append(events, batch.Events[i].Type)
		sessions = append(sessions, batch.Events[i].SessionID())
	}
	for i := range batch.Malformed {
		m := &batch.Malformed[i]
		malformed = append(malformed, m.Raw)
		assert.Equal(t, m.Raw, body[m.Offset:m.Offset+len(m.Raw)])
		assert.ErrorIs(t, m.Err, o.err)
	}
	assert.Equal(t, o.events, events, body)
	assert.Equal(t, o.sessions, sessions, body)
	assert.Equal(t, o.malformed, malformed, body)
	return batch
}

// The outcome of each damaged fixture.
func TestDamagedFixtures(t *testing.T) {
	trimmed := func(name string) string { return strings.TrimRight(fixture(t, name), "\n") }
	comma := trimmed("malformed-missing-comma.json")
	batch := outcome{
		events: []Type{SessionStarted}, sessions: []string{"Session-6-192.0.2.57-1718010000123"},
		malformed: []string{comma}, err: jsonscan.ErrSyntax,
	}.holds(t, comma)
	assert.Equal(t, "2728859999-0000065536-0000020001", batch.Events[0].Text(CCID), "behind the damage")
	assert.True(t, batch.Events[0].Forwarded.Bool())
	assert.Len(t, batch.Events[0].Body, 6)

	newline := trimmed("malformed-newline-in-string.json")
	batch = outcome{
		events: []Type{SessionStarted}, sessions: []string{"Session-6-192.0.2.57-1718010000123"},
		malformed: []string{newline}, err: jsonscan.ErrSyntax,
	}.holds(t, newline)
	assert.Len(t, batch.Events[0].Body, 1, "the damaged text is not kept, nor what it stood in alone")

	truncated := fixture(t, "malformed-truncated.json")
	batch = outcome{malformed: []string{truncated}, err: jsonscan.ErrSyntax}.holds(t, truncated)
	assert.Equal(t, TagAdded, batch.Malformed[0].Readable.Type, "what could be read is known")
}

// Damage of one object touches no other.
func TestResume(t *testing.T) {
	a, b := `{"eventType":"SESSION_EVENT","eventAction":"UPDATED","eventBody":{"sessionId":"a"}}`, `{ "eventAction":"ENDED","eventType":"SESSION_EVENT","eventBody":{"sessionId":"b"}}`
	f := func(body string, o outcome) {
		t.Helper()
		o.err = jsonscan.ErrSyntax
		o.holds(t, body)
	}
	both := []Type{SessionUpdated, SessionEnded}
	// Cut at every byte of the first: the second is read, and each byte of the first is in quarantine.
	for cut := 1; cut < len(a); cut++ {
		batch := decode(a[:cut] + b)
		require.Len(t, batch.Malformed, 1, "%q", a[:cut])
		assert.Equal(t, a[:cut], batch.Malformed[0].Raw)
		require.NotEmpty(t, batch.Events, "%q", a[:cut])
		assert.Equal(t, "b", batch.Events[len(batch.Events)-1].SessionID(), "%q", a[:cut])
		if len(batch.Events) == 2 {
			assert.Equal(t, "a", batch.Events[0].SessionID(), "%q", a[:cut])
		}
	}
	f(a[:len(a)-1]+b, outcome{events: both, sessions: []string{"a", "b"}, malformed: []string{a[:len(a)-1]}})
	f("garbage"+b, outcome{events: both[1:], sessions: []string{"b"}, malformed: []string{"garbage"}})
	f(a+"garbage"+b, outcome{events: both, sessions: []string{"a", "b"}, malformed: []string{"garbage"}})
	f(a+"\x01", outcome{events: both[:1], sessions: []string{"a"}, malformed: []string{"\x01"}})
	f(a[:len(a)-1]+",}"+b, outcome{events: both, sessions: []string{"a", "b"}, malformed: []string{a[:len(a)-1] + ",}"}})

	g := func(body string, err error, malformed ...string) {
		t.Helper()
		batch := outcome{malformed: malformed, err: err}.holds(t, body)
		assert.False(t, batch.Malformed[0].IsEvent)
	}
	g(`5`, ErrNotObject, `5`)
	g(`"x"`, ErrNotObject, `"x"`)
	g(`[[]]`, ErrNotObject, `[]`)
	g(`{}`, ErrNoType, `{}`)
	g(`{"eventType":["SESSION_EVENT"]}`, ErrNoType, `{"eventType":["SESSION_EVENT"]}`)
	g(`{"eventType":"SESSION_EVENT","eventAction":"ENDED"}`, ErrNoBody, `{"eventType":"SESSION_EVENT","eventAction":"ENDED"}`)
	g(`{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":[]}`, ErrNoBody, `{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":[]}`)
	g(`[`, ErrArrayNotClosed, `[`)
	g("]", jsonscan.ErrSyntax, "]")
}

// What is not complete is not kept: a number that may be cut, a text before
// something that belongs nowhere.
func TestOnlyWhatIsCompleteIsKept(t *testing.T) {
	const head = `{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":{"sessionId":"a",`
	f := func(rest string, want ...string) {
		t.Helper()
		batch := decode(head + rest)
		require.Len(t, batch.Malformed, 1, rest)
		require.Len(t, batch.Events, 1, rest)
		var got []string
		for _, m := range batch.Events[0].Body {
			got = append(got, m.Name)
		}
		assert.Equal(t, append([]string{"sessionId"}, want...), got, rest)
	}
	f(`"sessionDuration":8394`)
	f(`"sessionDuration":83940,`, "sessionDuration")
	f(`"sessionState":"CLOSED_NORMAL"`, "sessionState")
	f(`"sessionState":"CLOSED_NORMAL" ?`)
	f(`"sessionState":"CLOSED_NOR`)
	f(`"sessionState":"CLOSED`+"\n"+`NORMAL","ccid":"1"}}`, "ccid")
	f(`"sessionState":`)
	f(`"sessionState"`)
	f(`"tracks":[`)
	f(`"tracks":[{`)
	f(`"tracks":[{"trackNumber":0,`, "tracks")
	f(`"tracks":[{"trackNumber":0} {"trackNumber":1}],"ccid":"1"}}`, "tracks", "ccid")
	f(`"ccid":"1",}}`, "ccid")
	f(`"x":NaN,"ccid":"1"}}`)
}

func TestLimits(t *testing.T) {
	f := func(body string, err error) Batch {
		t.Helper()
		batch := decode(body)
		require.NotEmpty(t, batch.Malformed)
		require.ErrorIs(t, batch.Malformed[0].Err, err)
		keptCount := 0
		for i := range batch.Malformed {
			keptCount += len(batch.Malformed[i].Raw)
		}
		assert.Equal(t, len(body), keptCount)
		return batch
	}
	f(strings.Repeat("{", 1<<16), jsonscan.ErrSyntax)
	f(`{"a":`+strings.Repeat("[", 1<<16), jsonscan.ErrSyntax)
	f(`{"a":[`+strings.Repeat("0,", 1<<19)+"0]}", ErrManyValues)
	members := make([]string, 200)
	for i := range members {
		members[i] = `"a` + strings.Repeat("b", i) + `":1`
	}
	f("{"+strings.Join(members, ",")+"}", ErrManyMembers)
	batch := f(strings.Repeat("{}", 1<<16), ErrNoType)
	assert.LessOrEqual(t, len(batch.Malformed), maxMalformedParts)
}

// Faults that touch each other are one, so their number is not bounded: looking
// for the next event behind each of them must not be a look at the whole body.
// If it were, this would take the better part of an hour.
func TestManyFaultsCostNoMoreThanOne(t *testing.T) {
	const faults = 100_000
	for name, fault := range map[string]string{"texts": `""`, "objects": "{\"a\":\"\n\"}"} {
		body := strings.Repeat(fault, faults) + strings.Repeat("{", 4<<20-faults*len(fault))
		var d Decoder
		batch := d.Decode(body)
		assert.Empty(t, batch.Events, name)
		require.Len(t, batch.Malformed, 1, name)
		assert.Len(t, batch.Malformed[0].Raw, len(body), name)
	}
}

// What was found for one fault is not taken for what is behind the next one.
func TestEventsBetweenFaults(t *testing.T) {
	const event = `{"eventType":"TAG_EVENT","eventAction":"ADDED","eventBody":{"sessionId":"s"}}`
	var d Decoder
	for range 2 {
		batch := d.Decode(`""""` + event + `""""` + event + `""` + event)
		assert.Len(t, batch.Events, 3)
		assert.Len(t, batch.Malformed, 3)
	}
}
