// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// TestALeavingBridgeEmptiesItsRoster: a bridge that leaves a meeting which continues
// elsewhere removes the remote people from its roster, without a reason, before it ends the
// subscription. The other bridge announces them all the time.
func TestALeavingBridgeEmptiesItsRoster(t *testing.T) {
	p := stageFor(t, nil)
	far := scenario.Leg{
		ID: "l2", Participant: "p2", Kind: scenario.KindPerson, Phase: scenario.PhaseActive, Calls: []string{"c2"},
		Direction: "incoming", RemoteParty: "olga@example.test", DisplayName: "Olga",
	}
	p.happen(on(1, scenario.CallStarted{Call: remote}), on(1, scenario.LegStarted{Leg: far}))
	r := p.raw(0)
	r.subscribe("0", `{"index":1,"type":"callRoster","call":"c1","elements":["name"]}`)
	// until collects the updates of the roster, however they are joined, up to the
	// state of the subscription or so many of them.
	until := func(n int) (updates []any) {
		t.Helper()
		for n < 0 || len(updates) < n {
			switch m := r.next(); m["type"] {
			case "rosterUpdate":
				updates = append(updates, m["updates"].([]any)...)
			case "subscriptionUpdate":
				if m["subscriptions"].([]any)[0].(map[string]any)["state"] == "deactivated" {
					return updates
				}
			}
		}
		return updates
	}
	assert.Len(t, until(2), 2)
	p.happen(on(0, scenario.LegEnded{Leg: ines, Reason: scenario.ReasonRemote}), on(0, scenario.CallEnded{Call: room}))
	assert.Equal(t, []any{
		map[string]any{"participant": "p1", "updateType": "remove", "reason": "remoteTeardown"},
		map[string]any{"participant": "p2", "updateType": "remove"},
	}, until(-1))
	other := p.raw(1)
	other.subscribe("0", `{"index":1,"type":"callRoster","call":"c2","elements":["name"]}`)
	for m := other.next(); ; m = other.next() {
		if m["type"] == "rosterUpdate" {
			assert.Equal(t, []any{map[string]any{"participant": "p2", "updateType": "add", "name": "Olga"}}, m["updates"])
			return
		}
	}
}

// TestTheAPITellsTheBridgeOfItself: the cluster's list, and the own name in it.
func TestTheAPITellsTheBridgeOfItself(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 1, Bridges: 2, Meetings: 1, Unclustered: true}, nil)
	get := func(bridge int, path string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.cluster.URLs()[bridge]+"/api/v1"+path, http.NoBody)
		require.NoError(t, err)
		r.SetBasicAuth("api", "x")
		answer, err := p.hc.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		return string(text)
	}
	own := scenario.New(scenario.Config{Seed: 1, Bridges: 2, Meetings: 1, Unclustered: true, Start: start}).Bridges()[0].CallBridge
	require.NotEmpty(t, own)
	const prolog = `<?xml version="1.0"?>`
	assert.Equal(t, prolog+`<cluster><uniqueName>cms1</uniqueName><loadLimit>96000</loadLimit></cluster>`, get(0, "/system/configuration/cluster"))
	assert.Equal(t, prolog+`<callBridges total="1"><callBridge id="`+own+`"><name>cms1</name></callBridge></callBridges>`, get(0, "/callBridges"))
	assert.Equal(t, prolog+`<callBridges total="1"></callBridges>`, get(0, "/callBridges?offset=1"))
	assert.Equal(t, prolog+`<callBridges total="0"></callBridges>`, get(1, "/callBridges"))
	assert.Empty(t, p.cluster.Accounts()[0].Misuse[events.BadLogin])
}
