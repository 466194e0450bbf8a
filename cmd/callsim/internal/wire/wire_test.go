// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

var person = scenario.Leg{
	ID: "l1", Participant: "p1", Kind: scenario.KindPerson, Type: "sip", Direction: "incoming",
	RemoteParty: "a@x", LocalAddress: "b@y", RemoteAddress: "a@x", DisplayName: `R&D <"東京">`, SIPCallID: "c1",
}

// with returns a changed copy of the person's leg.
func with(change func(*scenario.Leg)) scenario.Leg {
	l := person
	change(&l)
	return l
}

// TestEncode compares whole entities: element names, their order and the forms
// of empty ones are what a receiver has to cope with.
func TestEncode(t *testing.T) {
	for _, tc := range []struct {
		payload scenario.Payload
		kind    string
		entity  string
	}{
		{
			scenario.CallStarted{Call: scenario.Call{ID: "i", Correlator: "k", Type: scenario.CallAdHoc, Name: "A & B"}},
			"callStart",
			`<call id="i"><name>A &amp; B</name><callType>adHoc</callType><callCorrelator>k</callCorrelator><coSpaceMetaDataConfigured>false</coSpaceMetaDataConfigured></call>`,
		},
		{
			scenario.CallStarted{Call: scenario.Call{ID: "i", Correlator: "k", Type: scenario.CallCoSpace, CoSpace: "s", Tenant: "t", Tag: "g", MetaData: true}},
			"callStart",
			`<call id="i"><name></name><ownerName> </ownerName><callType>coSpace</callType><coSpace>s</coSpace><tenant>t</tenant><cdrTag>g</cdrTag><callCorrelator>k</callCorrelator><coSpaceMetaDataConfigured>true</coSpaceMetaDataConfigured></call>`,
		},
		{
			scenario.CallEnded{Call: scenario.Call{ID: "i"}, LegsCompleted: 3, LegsMaxActive: 2, Duration: 61 * time.Second},
			"callEnd",
			`<call id="i"><callLegsCompleted>3</callLegsCompleted><callLegsMaxActive>2</callLegsMaxActive><durationSeconds>61</durationSeconds><endpointRecorded>false</endpointRecorded></call>`,
		},
		{
			scenario.LegStarted{Leg: person},
			"callLegStart",
			`<callLeg id="l1"><remoteParty>a@x</remoteParty><localAddress>b@y</localAddress><displayName>R&amp;D &lt;&quot;東京&quot;&gt;</displayName><remoteAddress>a@x</remoteAddress><type>sip</type><direction>incoming</direction><groupId>p1</groupId><sipCallId>c1</sipCallId></callLeg>`,
		},
		{
			scenario.LegStarted{Leg: with(func(l *scenario.Leg) {
				*l = scenario.Leg{
					ID: "l2", Participant: "p2", Kind: scenario.KindPerson, Type: "sip", Direction: "outgoing", RemoteParty: "+1;user=phone",
					Calls: []string{"c0", "c1"}, Guest: true, CanMove: true, MovedFrom: "m", MovedFromBridge: "mb",
					ReplacesSIPCallID: "r", OwnerID: "o", Tag: "t", Confirmation: "required",
				}
			})},
			"callLegStart",
			`<callLeg id="l2"><remoteParty>+1;user=phone</remoteParty><displayName/><type>sip</type><direction>outgoing</direction><call>c1</call><groupId>p2</groupId><replacesSipCallId>r</replacesSipCallId><ownerId>o</ownerId><cdrTag>t</cdrTag><guestConnection>true</guestConnection><canMove>true</canMove><movedCallLeg>m</movedCallLeg><movedCallLegCallBridge>mb</movedCallLegCallBridge><confirmationStatus>required</confirmationStatus></callLeg>`,
		},
		{
			scenario.LegStarted{Leg: scenario.Leg{ID: "l3", Participant: "p3", Kind: scenario.KindRecorder, Type: "sip", Direction: "outgoing", RemoteParty: "r@x"}},
			"callLegStart",
			`<callLeg id="l3"><remoteParty>r@x</remoteParty><type>sip</type><direction>outgoing</direction><groupId>p3</groupId><recording>true</recording></callLeg>`,
		},
		{
			scenario.LegStarted{Leg: scenario.Leg{ID: "l3", Participant: "p3", Kind: scenario.KindStreamer, Type: "acano", Direction: "outgoing", RemoteParty: "r@x"}},
			"callLegStart",
			`<callLeg id="l3"><remoteParty>r@x</remoteParty><type>acano</type><direction>outgoing</direction><groupId>p3</groupId><streaming>true</streaming></callLeg>`,
		},
		{
			scenario.LegChanged{Leg: with(func(l *scenario.Leg) { l.Phase = scenario.PhaseMenu; l.DisplayName = "" })},
			"callLegUpdate",
			`<callLeg id="l1"><state>connected</state><ivr></ivr><deactivated>false</deactivated><groupId>p1</groupId><sipCallId>c1</sipCallId></callLeg>`,
		},
		{
			scenario.LegChanged{Leg: with(func(l *scenario.Leg) {
				l.Phase, l.Calls, l.DisplayName = scenario.PhaseLobby, []string{"c"}, "N"
			})},
			"callLegUpdate",
			`<callLeg id="l1"><state>connected</state><call>c</call><deactivated>true</deactivated><groupId>p1</groupId><sipCallId>c1</sipCallId><displayName>N</displayName></callLeg>`,
		},
		{
			scenario.LegChanged{Bare: true, Leg: scenario.Leg{ID: "l", Participant: "p", Kind: scenario.KindLink, Phase: scenario.PhaseActive, Calls: []string{"c"}}},
			"callLegUpdate",
			`<callLeg id="l"><call>c</call><groupId>p</groupId></callLeg>`,
		},
		{
			scenario.LegEnded{Leg: person, Reason: scenario.ReasonUnknownDestination},
			"callLegEnd",
			`<callLeg id="l1"><reason>unknownDestination</reason><remoteTeardown>false</remoteTeardown><durationSeconds>0</durationSeconds><activatedDuration>0</activatedDuration><sipCallId>c1</sipCallId></callLeg>`,
		},
		{
			scenario.LegEnded{Leg: scenario.Leg{ID: "l"}, Reason: scenario.ReasonRemote, Detail: "SIP", Duration: 45 * time.Second, Menu: 6 * time.Second, Lobby: 10 * time.Second, Media: &scenario.Media{
				Usage:   &scenario.Usage{MainViewer: 98.94, MainContributor: 0, PresentationViewer: -1, PresentationContributor: 100},
				Screens: 2, Alarms: []scenario.Alarm{{Kind: "packetLoss", Percent: 1.4}, {Kind: "excessiveJitter"}}, Encrypted: true,
				AudioIn:  &scenario.Stream{Codec: "g722", Loss: &scenario.Loss{BurstSeconds: 1.25, BurstDensity: 6.754, GapSeconds: 43, GapDensity: 0}},
				VideoOut: &scenario.Stream{Codec: "h264", Width: 1280, Height: 720},
			}},
			"callLegEnd",
			`<callLeg id="l"><reason>remoteTeardown</reason><remoteTeardown>true</remoteTeardown><reasonDetails>SIP</reasonDetails><durationSeconds>45</durationSeconds><activatedDuration>29</activatedDuration><mediaUsagePercentages><mainVideoViewer>98.9</mainVideoViewer><mainVideoContributor>0.0</mainVideoContributor><presentationContributor>100.0</presentationContributor><multistreamVideo>98.9</multistreamVideo></mediaUsagePercentages><multistreamVideo><maxScreens>2</maxScreens></multistreamVideo><alarm type="packetLoss" durationPercentage="1.4" /><alarm type="excessiveJitter" durationPercentage="0.0" /><encryptedMedia>true</encryptedMedia><rxAudio><codec>g722</codec><packetStatistics><packetLossBursts><duration>1.250</duration><density>6.75</density></packetLossBursts><packetGap><duration>43.000</duration><density>0.00</density></packetGap></packetStatistics></rxAudio><txVideo><codec>h264</codec><maxSizeWidth>1280</maxSizeWidth><maxSizeHeight>720</maxSizeHeight></txVideo></callLeg>`,
		},
		{
			scenario.RecordingStarted{Recording: scenario.Recording{ID: "r", Path: "p", URL: "u", Call: "c", Leg: "l"}},
			"recordingStart",
			`<recording id="r"><path>p</path><recorderUrl>u</recorderUrl><call>c</call><callLeg>l</callLeg></recording>`,
		},
		{scenario.RecordingEnded{Recording: scenario.Recording{ID: "r", URI: "x"}}, "recordingEnd", `<recording id="r"></recording>`},
		{
			scenario.StreamingStarted{Streaming: scenario.Streaming{ID: "s", URI: "u", Call: "c", Leg: "l"}},
			"streamingStart",
			`<streaming id="s"><streamerUri>u</streamerUri><call>c</call><callLeg>l</callLeg></streaming>`,
		},
		{scenario.StreamingEnded{Streaming: scenario.Streaming{ID: "s"}}, "streamingEnd", `<streaming id="s"/>`},
	} {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		rec, ok := Encode(scenario.Event{Time: at, Payload: tc.payload})
		require.True(t, ok)
		assert.Equal(t, tc.kind, rec.Type)
		assert.Equal(t, at, rec.Time)
		assert.Equal(t, tc.entity, string(rec.Entity))
	}
	_, ok := Encode(scenario.Event{Payload: scenario.BridgeRestarted{}})
	assert.False(t, ok)
}

// TestBody compares whole bodies, undamaged and damaged.
func TestBody(t *testing.T) {
	at := time.Date(2024, 3, 5, 9, 14, 2, 0, time.UTC)
	record := func(entity string) Numbered {
		return Numbered{Record: Record{Type: "callEnd", Time: at, Entity: []byte(entity)}, Correlator: 4, Legacy: 5}
	}
	damaged := func(entity string, d Damage) Numbered {
		r := record(entity)
		r.Damage = d
		return r
	}
	missing := record(`<call id="x"></call>`)
	missing.Missing = 113
	const start = `<record type="callEnd" time="2024-03-05T09:14:02Z" recordIndex="5" correlatorIndex="4"`
	for _, tc := range []struct {
		bridge  string
		records []Numbered
		want    string
	}{
		{
			"b",
			[]Numbered{record(`<call id="x"></call>`), missing},
			`<?xml version="1.0"?><records session="s" callBridge="b">` + start + ">\n" + `<call id="x"></call></record>` + "\n" +
				start + ` numPrecedingRecordsMissing="113">` + "\n" + `<call id="x"></call></record>` + "\n</records>\n",
		},
		{
			"",
			[]Numbered{damaged(`<call id="x"><a>1</a></call>`, Mismatched), record("<y/>")},
			`<?xml version="1.0"?><records session="s">` + start + ">\n" + `<call id="x"><a>1</una></call></record>` + "\n" +
				start + ">\n<y/></record>\n</records>\n",
		},
		{
			"",
			[]Numbered{damaged(`<call id="x"/>`, Mismatched)},
			`<?xml version="1.0"?><records session="s">` + start + ">\n" + `<call id="x"></unlike></record>` + "\n</records>\n",
		},
		{
			"",
			[]Numbered{record("<y/>"), damaged(`<call>東京</call>`, Truncated)},
			`<?xml version="1.0"?><records session="s">` + start + ">\n<y/></record>\n" + start + ">\n<call>東",
		},
	} {
		assert.Equal(t, tc.want, string(Body("s", tc.bridge, tc.records)))
	}
}
