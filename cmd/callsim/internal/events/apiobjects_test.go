// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// node is any element.
type node struct {
	XMLName  xml.Name
	ID       string `xml:"id,attr"`
	Total    int    `xml:"total,attr"`
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

func (n node) child(name string) node {
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			return c
		}
	}
	return node{}
}

// ask reads an object of a bridge.
func (p *play) ask(bridge int, path string) (status int, answer node) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.cluster.URLs()[bridge]+"/api/v1"+path, http.NoBody)
	require.NoError(p.t, err)
	r.SetBasicAuth("api", "x")
	response, err := p.hc.Do(r)
	require.NoError(p.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	if len(text) > 0 && !strings.HasPrefix(string(text), "<html") {
		require.NoError(p.t, xml.Unmarshal(text, &answer), "%s", text)
	}
	return response.StatusCode, answer
}

// all reads a collection to its end.
func (p *play) all(bridge int, path string) (items []node) {
	p.t.Helper()
	for {
		status, page := p.ask(bridge, fmt.Sprintf("%s?limit=100&offset=%d", path, len(items)))
		require.Equal(p.t, http.StatusOK, status)
		items = append(items, page.Children...)
		if len(page.Children) == 0 || len(items) >= page.Total {
			return items
		}
	}
}

// At every moment the lists, the details and the status of the API say the same.
func TestAPIIsConsistent(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 3, Bridges: 2, Meetings: 12}, func(o *events.Options) { o.Target = "http://c:8080/cdr" })
	most, bad := 0, 0
	for i, ev := range p.story {
		p.happen(ev)
		if i%97 != 0 {
			continue
		}
		for bridge := range 2 {
			status, system := p.ask(bridge, "/system/status")
			if status != http.StatusOK {
				continue
			}
			legs := p.all(bridge, "/callLegs")
			assert.Equal(t, system.child("callLegsActive").Text, strconv.Itoa(len(legs)))
			most = max(most, len(legs))
			calls := p.all(bridge, "/calls")
			inCalls := 0
			for _, c := range calls {
				_, detail := p.ask(bridge, "/calls/"+c.ID)
				var n int
				_, err := fmt.Sscan(detail.child("numCallLegs").Text, &n)
				require.NoError(t, err)
				inCalls += n
			}
			withCall := 0
			for _, l := range legs {
				status, detail := p.ask(bridge, "/callLegs/"+l.ID)
				require.Equal(t, http.StatusOK, status)
				assert.Equal(t, l.child("call").Text, detail.child("call").Text)
				if l.child("call").Text != "" {
					withCall++
				}
				if len(l.child("alarms").Children) > 0 {
					bad++
				}
			}
			assert.Equal(t, withCall, inCalls)
			assert.Len(t, p.all(bridge, "/participants"), participantsOf(p, bridge, calls))
		}
	}
	assert.Greater(t, most, 10, "more than a page")
	assert.Positive(t, bad, "some lines are bad")
	status, answer := p.ask(0, "/callLegs/nobody")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "callLegDoesNotExist", answer.Children[0].XMLName.Local)
}

// participantsOf adds up what the details of calls say.
func participantsOf(p *play, bridge int, calls []node) (n int) {
	for _, c := range calls {
		_, detail := p.ask(bridge, "/calls/"+c.ID)
		var local, remote int
		_, err := fmt.Sscan(detail.child("numParticipantsLocal").Text, &local)
		require.NoError(p.t, err)
		_, err = fmt.Sscan(detail.child("numParticipantsRemote").Text, &remote)
		require.NoError(p.t, err)
		n += local + remote
	}
	return n
}

// Each bridge tells where the others are, what it is licensed for, and where its
// records go.
func TestAPIOfTheEstate(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 1, Bridges: 2, Meetings: 1}, func(o *events.Options) { o.Target = "http://c:8080/cdr" })
	for _, b := range p.all(0, "/callBridges") {
		_, detail := p.ask(1, "/callBridges/"+b.ID)
		assert.Contains(t, p.cluster.URLs(), detail.child("address").Text)
		assert.Equal(t, b.child("name").Text, detail.child("name").Text)
	}
	_, licensing := p.ask(0, "/system/licensing")
	assert.Equal(t, "2100-Jan-01", licensing.child("features").child("callBridge").child("expiry").Text)
	_, receivers := p.ask(0, "/system/cdrReceivers")
	assert.Equal(t, "http://c:8080/cdr", receivers.child("cdrReceiver").child("uri").Text)
	_, database := p.ask(0, "/system/database")
	assert.Len(t, database.child("cluster").Children, 4, "two texts and two nodes")
	_, load := p.ask(0, "/system/load")
	assert.Equal(t, "0", load.child("mediaProcessingLoad").Text)
	_, alarms := p.ask(0, "/system/alarms")
	assert.Zero(t, alarms.Total)
}

func TestAPIFaults(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 1, Bridges: 2, Meetings: 1}, func(o *events.Options) { o.Faults.DatabaseDown, o.Faults.LicenceDays = true, 20 })
	for bridge := range 2 {
		_, database := p.ask(bridge, "/system/database")
		var up []string
		for _, node := range database.child("cluster").Children {
			if node.XMLName.Local == "node" {
				up = append(up, node.child("up").Text)
			}
		}
		assert.Equal(t, []string{"true", "false"}, up)
		_, licensing := p.ask(bridge, "/system/licensing")
		_, status := p.ask(bridge, "/system/status")
		now, err := time.Parse(time.RFC3339, status.child("cdrTime").Text)
		require.NoError(t, err)
		assert.Equal(t, now.UTC().AddDate(0, 0, 20).Format("2006-Jan-02"), licensing.child("features").child("callBridge").child("expiry").Text)
	}
	p = newPlay(t, scenario.Config{Seed: 1, Bridges: 1, Meetings: 1}, func(o *events.Options) { o.Faults.APIBusy = 1 })
	status, _ := p.ask(0, "/system/load")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	status, _ = p.ask(0, "/system/status")
	assert.Equal(t, http.StatusOK, status)
	p = newPlay(t, scenario.Config{Seed: 1, Bridges: 1, Meetings: 1}, func(o *events.Options) { o.Faults.APIHTML = 1 })
	status, _ = p.ask(0, "/system/load")
	assert.Equal(t, http.StatusBadGateway, status)
}
