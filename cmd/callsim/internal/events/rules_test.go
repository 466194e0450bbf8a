// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/eventstest"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// The actors of the tests below.
var (
	room   = scenario.Call{ID: "c1", Correlator: "k1", Type: scenario.CallCoSpace, Name: "Board"}
	remote = scenario.Call{ID: "c2", Correlator: "k1", Type: scenario.CallCoSpace, Name: "Board"}
	ines   = scenario.Leg{
		ID: "l1", Participant: "p1", Kind: scenario.KindPerson, Phase: scenario.PhaseActive, Calls: []string{"c1"},
		Direction: "incoming", RemoteParty: "ines@example.test", DisplayName: "Ines",
	}
)

func on(bridge int, payload scenario.Payload) scenario.Event {
	return scenario.Event{At: start, Time: start, Bridge: bridge, Session: "s", Payload: payload}
}

func behaved(l scenario.Leg, change func(*scenario.Behavior)) scenario.Event {
	m := scenario.InitialBehavior(l)
	change(&m)
	return on(0, scenario.BehaviorChanged{Leg: l, Behavior: m})
}

// stageFor sets a stage with one call and Ines in it.
func stageFor(t *testing.T, change func(*events.Options)) *play {
	t.Helper()
	p := newPlay(t, scenario.Config{Seed: 1, Bridges: 2, Meetings: 1}, change)
	p.happen(on(0, scenario.CallStarted{Call: room}), on(0, scenario.LegStarted{Leg: ines}))
	return p
}

// TestTheConversation follows one conversation word by word.
func TestTheConversation(t *testing.T) {
	p := stageFor(t, nil)
	r := p.raw(0)
	r.subscribe("0", `{"index":3,"type":"calls","elements":["name","participants","lockState"]}`)
	r.expect(`{"type":"messageAck","messageAck":{"messageId":0,"status":"success"}}`)
	r.expect(`{"type":"message","message":{"messageId":0,"type":"subscriptionUpdate","subscriptions":[{"index":3,"state":"pending"}]}}`)
	r.ack("0")
	r.expect(`{"type":"message","message":{"messageId":1,"type":"subscriptionUpdate","subscriptions":[{"index":3,"state":"active"}]}}`)
	r.ack("1")
	r.expect(`{"type":"message","message":{"messageId":2,"type":"callListUpdate","subscriptionIndex":3,"updates":[
		{"call":"c1","updateType":"add","name":"Board","participants":1,"lockState":"notLocked"}]}}`)
	r.ack("2")
	r.subscribe("7", `{"index":1,"type":"callRoster","call":"c1","elements":["name","uri","state"]},
		{"index":2,"type":"callInfo","call":"c1","elements":["lockState","joinAudioMuteOverride"]},
		{"index":3,"type":"calls","elements":["name","participants","lockState"]},
		{"index":4,"type":"callRoster","call":"nobody"}`)
	r.expect(`{"type":"messageAck","messageAck":{"messageId":7,"status":"success"}}`)
	r.expect(`{"type":"message","message":{"messageId":3,"type":"subscriptionUpdate","subscriptions":[
		{"index":1,"state":"pending"},{"index":2,"state":"pending"},{"index":4,"state":"pending"},{"index":3,"state":"active"}]}}`)
	r.ack("3")
	r.expect(`{"type":"message","message":{"messageId":4,"type":"subscriptionUpdate","subscriptions":[
		{"index":1,"state":"active"},{"index":2,"state":"active"},{"index":4,"state":"deactivated"}]}}`)
	r.ack("4")
	r.expect(`{"type":"message","message":{"messageId":5,"type":"rosterUpdate","subscriptionIndex":1,"updates":[
		{"participant":"p1","updateType":"add","name":"Ines","uri":"ines","state":"connected"}]}}`)
	r.ack("5")
	r.expect(`{"type":"message","message":{"messageId":6,"type":"callInfoUpdate","subscriptionIndex":2,"callInfo":{"lockState":"unlocked","joinAudioMuteOverride":false}}}`)
	r.ack("6")

	// Elements nobody asked for trigger nothing.
	p.happen(behaved(ines, func(m *scenario.Behavior) { m.AudioMuted = true }))
	p.happen(behaved(ines, func(m *scenario.Behavior) { m.AudioMuted, m.OnHold = true, true }))
	r.expect(`{"type":"message","message":{"messageId":7,"type":"rosterUpdate","subscriptionIndex":1,"updates":[
		{"participant":"p1","updateType":"update","state":"onHold"}]}}`)
	r.ack("7")
	p.happen(on(0, scenario.SettingsChanged{Correlator: "k1", Settings: scenario.MeetingSettings{Locked: true}}))
	assert.Equal(t, "locked", r.next()["updates"].([]any)[0].(map[string]any)["lockState"])
	assert.Equal(t, map[string]any{"lockState": "locked"}, r.next()["callInfo"])

	// The bridge leaves a meeting that continues elsewhere: the roster loses its last local
	// participant, then the subscriptions, then the list its call.
	p.happen(on(1, scenario.CallStarted{Call: remote}))
	p.happen(on(0, scenario.LegEnded{Leg: ines, Reason: scenario.ReasonRemote}))
	assert.Equal(t, []any{map[string]any{"participant": "p1", "updateType": "remove", "reason": "remoteTeardown"}}, r.next()["updates"])
	assert.Equal(t, []any{map[string]any{"call": "c1", "updateType": "update", "participants": 0.0}}, r.next()["updates"])
	p.happen(on(0, scenario.CallEnded{Call: room}))
	assert.Equal(t, []any{
		map[string]any{"index": 1.0, "state": "deactivated"}, map[string]any{"index": 2.0, "state": "deactivated"},
	}, r.next()["subscriptions"])
	assert.Equal(t, []any{map[string]any{"call": "c1", "updateType": "remove"}}, r.next()["updates"])

	r.subscribe("8", "")
	assert.Equal(t, []any{map[string]any{"index": 3.0, "state": "deactivated"}}, r.next()["subscriptions"])
	require.True(t, p.cluster.Drain(t.Context()))
	assert.Empty(t, p.cluster.Accounts()[0].Misuse)
}

// TestANewIndexIsANewSubscription, with a snapshot; an old one is left alone.
func TestANewIndexIsANewSubscription(t *testing.T) {
	p := stageFor(t, nil)
	r := p.raw(0)
	r.subscribe("1", `{"index":1,"type":"calls"}`)
	for _, want := range []string{"subscriptionUpdate", "subscriptionUpdate", "callListUpdate"} {
		assert.Equal(t, want, r.next()["type"])
	}
	r.subscribe("2", `{"index":1,"type":"calls"}`)
	r.subscribe("3", `{"index":2,"type":"calls"}`)
	assert.Equal(t, []any{
		map[string]any{"index": 1.0, "state": "deactivated"}, map[string]any{"index": 2.0, "state": "pending"},
	}, r.next()["subscriptions"])
	r.next()
	m := r.next()
	assert.Equal(t, []any{map[string]any{"call": "c1", "updateType": "add"}}, m["updates"])
	assert.InDelta(t, 2, m["subscriptionIndex"], 0)
	require.True(t, p.cluster.Drain(t.Context()))
	assert.Equal(t, map[events.Misuse]int{events.Renumbered: 1}, p.cluster.Accounts()[0].Misuse)
}

func TestLimits(t *testing.T) {
	p := stageFor(t, nil)
	var list []string
	for i := range 101 {
		list = append(list, fmt.Sprintf(`{"index":%d,"type":"callInfo","call":"x%d"}`, i, i))
	}
	r := p.raw(0)
	r.subscribe("1", strings.Join(list, ","))
	r.expect(`{"type":"messageAck","messageAck":{"messageId":1,"status":"failure"}}`)
	r.subscribe("2", strings.Join(list[:100], ","))
	r.expect(`{"type":"messageAck","messageAck":{"messageId":2,"status":"success"}}`)
	for range 4 {
		p.raw(0)
	}
	_, err := p.dial(t.Context(), 0)
	assert.ErrorContains(t, err, "got 503")
	p.raw(1) // another server has sockets of its own
	r.conn.CloseNow()
	p.eventually(func() bool {
		_, err := p.dial(t.Context(), 0)
		return err == nil
	}, "a socket that is gone is still counted")
	a := p.cluster.Accounts()[0]
	assert.Equal(t, map[events.Misuse]int{events.OverLimit: 1}, a.Misuse)
	assert.NotZero(t, a.RefusedSockets)
	assert.Equal(t, []int{5, 100}, []int{a.MostSockets, a.MostSubscriptions})
}

// TestSilenceWithoutAcknowledgement: one message goes out, and when its
// acknowledgement is late nothing ever follows, while requests are still
// answered.
func TestSilenceWithoutAcknowledgement(t *testing.T) {
	p := stageFor(t, func(o *events.Options) { o.AckTimeout = 20 * time.Millisecond })
	r := p.raw(0)
	r.subscribe("1", `{"index":1,"type":"calls","elements":["participants"]}`)
	r.expect(`{"type":"messageAck","messageAck":{"messageId":1,"status":"success"}}`)
	r.read()
	p.eventually(func() bool { return p.cluster.Accounts()[0].Misuse[events.WithheldAck] == 1 }, "the missing acknowledgement is not counted")
	r.ack("0")
	p.happen(on(0, scenario.LegEnded{Leg: ines}))
	r.subscribe("2", "")
	r.expect(`{"type":"messageAck","messageAck":{"messageId":2,"status":"success"}}`)
	assert.Equal(t, 1, p.cluster.Accounts()[0].Messages)
}

func TestMisuseIsCounted(t *testing.T) {
	const calls = `{"index":1,"type":"calls"}`
	for name, tc := range map[events.Misuse]func(raw){
		events.AckOfAck:     func(r raw) { r.subscribe("9", ""); r.read(); r.ack("9") },
		events.UnknownAck:   func(r raw) { r.ack("77") },
		events.DuplicateAck: func(r raw) { r.subscribe("9", calls); r.next(); r.ack("0") },
		events.FailedAck: func(r raw) {
			r.subscribe("9", calls)
			r.read()
			r.read()
			r.send(`{"type":"messageAck","messageAck":{"messageId":0,"status":"no"}}`)
		},
		events.Binary:            func(r raw) { _ = r.conn.Write(r.t.Context(), websocket.MessageBinary, []byte("{}")) },
		events.Fragmented:        fragment,
		events.Ping:              ping,
		events.Malformed:         func(r raw) { r.send(`{"type":"message","message":{"messageId":"1"}}`) },
		events.UnknownMessage:    func(r raw) { r.send(`{"type":"message","message":{"messageId":1,"type":"hello"}}`) },
		events.UnknownType:       func(r raw) { r.subscribe("1", `{"index":1,"type":"people"}`) },
		events.UnknownElement:    func(r raw) { r.subscribe("1", `{"index":1,"type":"calls","elements":["coffee"]}`) },
		events.MissingIndex:      func(r raw) { r.subscribe("1", `{"type":"calls"}`) },
		events.DuplicateIndex:    func(r raw) { r.subscribe("1", calls+`,{"index":1,"type":"callInfo","call":"c1"}`) },
		events.DuplicateResource: func(r raw) { r.subscribe("1", calls+`,{"index":2,"type":"calls"}`) },
		events.IndexReused: func(r raw) {
			r.subscribe("1", calls)
			r.subscribe("2", "")
			r.subscribe("3", `{"index":1,"type":"callInfo","call":"c1"}`)
		},
	} {
		t.Run(string(name), func(t *testing.T) {
			p := stageFor(t, nil)
			r := p.raw(0)
			tc(raw{t, r.conn})
			p.eventually(func() bool { return p.cluster.Accounts()[0].Misuse[name] == 1 }, "not noticed")
			assert.Len(t, p.cluster.Accounts()[0].Misuse, 1)
		})
	}
}

func fragment(r raw) {
	w, err := r.conn.Writer(r.t.Context(), websocket.MessageText)
	require.NoError(r.t, err)
	for _, part := range []string{`{"type":"message","message":{"messageId":1,"type":`, `"subscribeRequest","subscriptions":[]}}`} {
		_, err = io.WriteString(w, part)
		require.NoError(r.t, err)
	}
	require.NoError(r.t, w.Close())
	r.expect(`{"type":"messageAck","messageAck":{"messageId":1,"status":"success"}}`)
}

// ping gets no pong.
func ping(r raw) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Millisecond)
	defer cancel()
	assert.ErrorIs(r.t, r.conn.Ping(ctx), context.DeadlineExceeded)
}

func TestTheAPI(t *testing.T) {
	p := stageFor(t, nil)
	base := p.cluster.URLs()[0]
	token, status, err := eventstest.Token(t.Context(), p.hc, base, "api", "x")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	assert.Len(t, token, 36)
	_, status, err = eventstest.Token(t.Context(), p.hc, base, "api", "y")
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, status)
	_, status, err = eventstest.Dial(t.Context(), p.hc, base, "no-token")
	require.Error(t, err)
	assert.Equal(t, http.StatusUnauthorized, status)
	_, status, err = eventstest.Dial(t.Context(), p.hc, p.cluster.URLs()[1], token)
	require.Error(t, err, "a token is good on one server")
	assert.Equal(t, http.StatusUnauthorized, status)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/system/status", http.NoBody)
	require.NoError(t, err)
	req.SetBasicAuth("api", "x")
	res, err := p.hc.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Regexp(t, `^<\?xml version="1\.0"\?><status><hostId>[0-9a-f-]{36}</hostId><softwareVersion>3\.7\.1</softwareVersion>`+
		`<uptimeSeconds>0</uptimeSeconds><cdrTime>2026-01-05T08:00:00Z</cdrTime><activated>true</activated>`+
		`<clusterEnabled>true</clusterEnabled><clusterId>[0-9a-f-]{36}</clusterId><cdrCorrelatorIndex>1</cdrCorrelatorIndex>`+
		`<callLegsActive>1</callLegsActive><callLegsMaxActive>1</callLegsMaxActive><callLegsCompleted>0</callLegsCompleted>`+
		`<audioBitRateOutgoing>33966</audioBitRateOutgoing><audioBitRateIncoming>33966</audioBitRateIncoming>`+
		`<videoBitRateOutgoing>812448</videoBitRateOutgoing><videoBitRateIncoming>812448</videoBitRateIncoming></status>$`, string(body))
	a := p.cluster.Accounts()[0]
	assert.Equal(t, []int{1, 1, 1}, []int{a.Tokens, a.RefusedTokens, a.Misuse[events.BadLogin]})
}

func TestTLS(t *testing.T) {
	config, text, err := events.SelfSigned([]string{"cms.example.test"})
	require.NoError(t, err)
	p := stageFor(t, func(o *events.Options) { o.TLS = config })
	p.hc.Transport.(*http.Transport).TLSClientConfig = trusting(t, text)
	r := p.raw(0)
	r.subscribe("1", "")
	r.expect(`{"type":"messageAck","messageAck":{"messageId":1,"status":"success"}}`)
}
