// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestLiveCalls: calls are looked at in turn, and what a bridge says of them is counted.
func TestLiveCalls(t *testing.T) {
	b := newBridge(t)
	b.answers["/calls"] = `<calls total="4"><call id="c1"/><call id="c2"/><call id="c3"/><call id="c4"/></calls>`
	b.answers["/calls/c1"] = `<call id="c1"><callType>coSpace</callType><durationSeconds>120</durationSeconds><numCallLegs>5</numCallLegs><numParticipantsLocal>4</numParticipantsLocal>` +
		`<numDistributedInstances>1</numDistributedInstances><locked>true</locked><recording>false</recording><endpointRecording>true</endpointRecording><streaming>false</streaming></call>`
	b.answers["/calls/c2"] = `<call id="c2"><callType>somethingNew</callType><durationSeconds>99999999999</durationSeconds></call>`
	b.answers["/calls/c4"] = `<call id="c4"><callType>ADHOC</callType><numCallLegs>2</numCallLegs></call>`
	r := newHarness(t, func(c *Config) { c.SampleCalls = 2; c.MaxRequests = 60 }, b)
	r.scrape()
	got := r.scrape()[northID]
	assert.Equal(t, int64(4), got["call.count"])
	assert.Equal(t, int64(1), got["call.live{call.type=coSpace,endpoint_recording=true,locked=true,recording=false,streaming=false}"])
	assert.Equal(t, int64(1), got["call.live{call.type=_OTHER}"], "what is not documented is one label")
	assert.Equal(t, int64(1), got["call.live{call.type=adHoc}"])
	assert.Equal(t, [2]float64{1, 120}, got["call.live.duration"], "a duration that cannot be is left out")
	assert.Equal(t, [2]float64{2, 7}, got["call.live.legs"])
	assert.Equal(t, [2]float64{1, 4}, got["call.live.participants"])
	assert.Equal(t, [2]float64{1, 2}, got["call.live.bridges"])
	assert.Nil(t, r.host.last(), "c3 has ended since: no fault")
	asked := strings.Join(b.asked(), " ")
	for _, id := range []string{"c1", "c2", "c3", "c4"} {
		assert.Equal(t, 1, strings.Count(asked, "/calls/"+id), "each in turn")
	}
	r = newHarness(t, func(c *Config) { c.SampleCalls = 0 }, b)
	r.scrape()
	assert.NotContains(t, strings.Join(b.asked(), " "), "/calls/")
}

// TestLiveLegs: what a bridge says of a leg besides its streams.
func TestLiveLegs(t *testing.T) {
	b := newBridge(t)
	b.legs = []string{"l1", "l2"}
	b.details["l1"] = `<callLeg id="l1"><status><state>connected</state><durationSeconds>60</durationSeconds><encryptedMedia>true</encryptedMedia><unencryptedMedia>false</unencryptedMedia>` +
		`<rxVideo><role>main</role><width>1280</width><height>720</height><frameRate>29.5</frameRate></rxVideo></status></callLeg>`
	b.details["l2"] = `<callLeg id="l2"><status><state>ONHOLD</state></status></callLeg>`
	r := newHarness(t, nil, b)
	got := r.scrape()[northID]
	assert.Equal(t, int64(1), got["call_leg.live{encryption=encrypted,state=connected}"])
	assert.Equal(t, int64(1), got["call_leg.live{state=onHold}"])
	assert.Equal(t, [2]float64{1, 60}, got["call_leg.live.duration"])
	assert.Equal(t, [2]float64{1, 720}, got["call_leg.live.frame_height{direction=rx,media.type=video}"])
	assert.Equal(t, [2]float64{1, 29.5}, got["call_leg.live.frame_rate{direction=rx,media.type=video}"])
}

// TestStates: the participants of the bridge by state, and the database node in use.
func TestStates(t *testing.T) {
	b := newBridge(t)
	b.answers["/participants"] = `<participants total="3"><participant id="a"><status><state>connected</state></status></participant>` +
		`<participant id="b"><status><state>onHold</state></status></participant>` +
		`<participant id="c"><callBridge>` + southID + `</callBridge><status><state>connected</state></status></participant></participants>`
	b.answers["/system/database"] = `<database clustered="enabled"><cluster><totalNodes>2</totalNodes><nodeInUse>db1</nodeInUse>` +
		`<node><hostname>db1</hostname><up>true</up></node><node><hostname>db2</hostname><up>true</up></node></cluster></database>`
	got := newHarness(t, nil, b).scrape()[northID]
	for state, n := range map[string]int64{"connected": 1, "onHold": 1, "initial": 0, "ringing": 0} {
		assert.Equal(t, n, got["participant.state{state="+state+"}"], state)
	}
	assert.Equal(t, int64(1), got["database.node.in_use{node.address=db1}"])
	assert.Equal(t, int64(0), got["database.node.in_use{node.address=db2}"])
	b.set(func(b *bridge) {
		b.answers["/participants"] = `<participants total="1"><participant id="a"/></participants>`
	})
	got = newHarness(t, nil, b).scrape()[northID]
	assert.False(t, got.names()["participant.state"], "a release that says no states")
}
