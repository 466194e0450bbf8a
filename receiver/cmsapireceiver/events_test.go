// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// scrapeEvents scrapes once and returns the events by name.
func (r *harness) scrapeEvents() map[string][]plog.LogRecord {
	r.t.Helper()
	r.all.wantsEvents = true
	all := make(map[string][]plog.LogRecord)
	for _, rl := range r.all.scrape(r.t.Context()).events.ResourceLogs().All() {
		id, _ := rl.Resource().Attributes().Get(names.CallBridgeID)
		assert.Equal(r.t, northID, id.Str())
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				all[lr.EventName()] = append(all[lr.EventName()], lr)
			}
		}
	}
	return all
}

func listedIDs(events []plog.LogRecord) (ids []any) {
	for _, lr := range events {
		ids = append(ids, lr.Attributes().AsRaw()[names.APIListIDs].([]any)...)
	}
	return ids
}

const twoCalls = `<calls total="2"><call id="B1"/><call id="b2"/></calls>`

// TestLists: the complete lists of a bridge are events, with the bridge's own time and
// start.
func TestLists(t *testing.T) {
	b := newBridge(t)
	b.answers["/calls"] = twoCalls
	b.addLegs("leg", 25)
	r := newHarness(t, nil, b)
	events := r.scrapeEvents()
	calls, legs := events[names.EventAPICallList], events[names.EventAPICallLegList]
	require.Len(t, calls, 1)
	require.Len(t, legs, 1)
	attributes := calls[0].Attributes().AsRaw()
	start := attributes[names.APIBridgeStart].(int64)
	assert.Equal(t, r.all.snapshot()[0].boot.start.Unix(), start)
	assert.Equal(t, map[string]any{
		names.APIListTotal: int64(2), names.APIListPart: int64(1), names.APIListParts: int64(1),
		names.APIBridgeStart: start, names.APIListIDs: []any{"B1", "b2"},
	}, attributes)
	assert.Equal(t, time.Date(2024, 3, 5, 9, 14, 8, 0, time.UTC), calls[0].Timestamp().AsTime(), "cdrTime of the status")
	assert.Equal(t, "the Call Bridge has 2 calls", calls[0].Body().Str())
	assert.Len(t, listedIDs(legs), 25)

	b.set(func(b *bridge) { b.answers["/calls"] = `<calls total="0"/>`; b.legs = nil })
	events = r.scrapeEvents()
	assert.Empty(t, listedIDs(events[names.EventAPICallList]), "an empty list is one too")
	assert.Len(t, events[names.EventAPICallList], 1)
	assert.Len(t, events[names.EventAPICallLegList], 1)

	b.set(func(b *bridge) { b.page = 200; b.addLegs("leg", 1200) })
	legs = r.scrapeEvents()[names.EventAPICallLegList]
	require.Len(t, legs, 3)
	assert.Len(t, listedIDs(legs), 1200)
	assert.Equal(t, int64(3), legs[2].Attributes().AsRaw()[names.APIListPart])
	assert.Equal(t, int64(1200), legs[2].Attributes().AsRaw()[names.APIListTotal])
}

// TestNoList: a list that is not sure is not sent.
func TestNoList(t *testing.T) {
	status := func(without string) func(b *bridge) {
		return func(b *bridge) {
			b.answers["/system/status"] = map[string]string{
				"cdrTime":       `<status><uptimeSeconds>100</uptimeSeconds></status>`,
				"uptimeSeconds": `<status><cdrTime>2026-03-05T14:12:31Z</cdrTime></status>`,
			}[without]
		}
	}
	for name, change := range map[string]func(*bridge){
		"no time of the bridge": status("cdrTime"),
		"no start":              status("uptimeSeconds"),
		"fewer than it says":    func(b *bridge) { b.answers["/calls"] = `<calls total="3"><call id="b1"/></calls>` },
		"twice on a page":       func(b *bridge) { b.answers["/calls"] = `<calls total="2"><call id="b1"/><call id="b1"/></calls>` },
		"busy":                  func(b *bridge) { b.statuses["/calls"] = http.StatusInternalServerError },
		"turned off":            func(*bridge) {},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBridge(t)
			b.answers["/calls"] = twoCalls
			change(b)
			r := newHarness(t, func(c *Config) { c.Events.Lists = name != "turned off" }, b)
			assert.Empty(t, r.scrapeEvents()[names.EventAPICallList])
		})
	}
	b := newBridge(t)
	b.addLegs("leg", 1000)
	r := newHarness(t, nil, b)
	assert.Empty(t, r.scrapeEvents()[names.EventAPICallLegList], "a hundred pages are too many")
	assert.LessOrEqual(t, len(b.asked()), 30)
	r = newHarness(t, func(c *Config) { c.MaxRequests = 150 }, b)
	assert.Len(t, listedIDs(r.scrapeEvents()[names.EventAPICallLegList]), 1000)
	b.set(func(b *bridge) { b.page = 100 })
	r = newHarness(t, nil, b)
	r.scrapeEvents() // reads the inventory too
	b.asked()
	assert.Len(t, listedIDs(r.scrapeEvents()[names.EventAPICallLegList]), 1000, "1000 legs within max_requests, where the server sends what is asked for")
	assert.LessOrEqual(t, len(b.asked()), 30)
}

// TestQualityEvents: what a bridge says of a live leg.
func TestQualityEvents(t *testing.T) {
	b := newBridge(t)
	b.legs = []string{"leg-1", "leg-2"}
	b.alarmed["leg-1"] = true
	b.details["leg-1"] = `<callLeg id="leg-1"><name>Alice</name><remoteParty>alice@example.test</remoteParty><call>c1</call><subType>webApp</subType>
		<status><state>connected</state><durationSeconds>77</durationSeconds><sipCallId>x@host</sipCallId><groupId>g1</groupId>
		<rxAudio><codec>opus</codec><packetLossPercentage>4.5</packetLossPercentage><jitter>31</jitter><bitRate>64000</bitRate></rxAudio>
		<txAudio><roundTripTime>120</roundTripTime></txAudio>
		<rxVideo><role>main</role><packetLossPercentage>0.0</packetLossPercentage><width>1280</width><height>720</height><frameRate>29.8</frameRate></rxVideo>
		<rxVideo><role>presentation</role><bitRate>10</bitRate></rxVideo><rxVideo><role>main</role><bitRate>99</bitRate></rxVideo>
		</status></callLeg>`
	b.details["leg-2"] = `<callLeg id="leg-2"><status><state>ringing</state></status></callLeg>`
	r := newHarness(t, nil, b)
	events := r.scrapeEvents()[names.EventAPICallLegQuality]
	require.Len(t, events, 2)
	status := "cisco.meeting_server.call_leg.status."
	assert.Equal(t, map[string]any{
		names.CallLegID: "leg-1", names.CallID: "c1", names.ParticipantID: "g1", names.SIPCallID: "x@host",
		"cisco.meeting_server.call_leg.sub_type": "webApp", "cisco.meeting_server.call_leg.alarms.packet_loss": true,
		status + "state": "connected", status + "duration_seconds": int64(77),
		status + "rx_audio.codec": "opus", status + "rx_audio.packet_loss_percentage": 4.5, status + "rx_audio.jitter": 31.0, status + "rx_audio.bit_rate": int64(64000),
		status + "tx_audio.round_trip_time":        120.0,
		status + "rx_video.packet_loss_percentage": 0.0,
		status + "rx_video.width":                  int64(1280),
		status + "rx_video.height":                 int64(720),
		status + "rx_video.frame_rate":             29.8,
		status + "rx_presentation.bit_rate":        int64(10),
	}, events[0].Attributes().AsRaw(), "names of people stay on the bridge: its records have them")
	assert.Equal(t, plog.SeverityNumberWarn, events[0].SeverityNumber())
	assert.Equal(t, "call leg now, received audio loss 4.5 % jitter 31 ms, received video loss 0.0 %", events[0].Body().Str())
	assert.Equal(t, plog.SeverityNumberInfo, events[1].SeverityNumber())
	assert.Equal(t, "call leg now without figures", events[1].Body().Str())
	assert.WithinDuration(t, time.Now(), events[1].Timestamp().AsTime(), time.Minute)

	r = newHarness(t, func(c *Config) { c.Events.Quality = false }, b)
	assert.Empty(t, r.scrapeEvents()[names.EventAPICallLegQuality])
}

// TestBothSignals: one receiver serves both, each may be alone, and a consumer that
// refuses events holds up no metrics.
func TestBothSignals(t *testing.T) {
	b := newBridge(t)
	b.addLegs("leg", 2)
	settings := receivertest.NewNopSettings(metadata.Type)
	logs, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	config := configOf(t, b)
	forLogs, err := NewFactory().CreateLogs(t.Context(), settings, config, logs)
	require.NoError(t, err)
	forMetrics, err := NewFactory().CreateMetrics(t.Context(), settings, config, metrics)
	require.NoError(t, err)
	assert.Same(t, forLogs, forMetrics)
	require.NoError(t, forLogs.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, forMetrics.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return logs.LogRecordCount() > 3 && metrics.DataPointCount() > 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, forLogs.Shutdown(context.WithoutCancel(t.Context())))
	require.NoError(t, forMetrics.Shutdown(context.WithoutCancel(t.Context())))

	logs.Reset()
	config = configOf(t, b)
	alone, err := NewFactory().CreateLogs(t.Context(), settings, config, logs)
	require.NoError(t, err)
	require.NoError(t, alone.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return logs.LogRecordCount() > 3 }, 10*time.Second, time.Millisecond)
	require.NoError(t, alone.Shutdown(context.WithoutCancel(t.Context())))

	config = configOf(t, b)
	refusing, err := consumer.NewLogs(func(context.Context, plog.Logs) error { return errors.New("full") })
	require.NoError(t, err)
	_, err = NewFactory().CreateLogs(t.Context(), settings, config, refusing)
	require.NoError(t, err)
	metrics.Reset()
	both, err := NewFactory().CreateMetrics(t.Context(), settings, config, metrics)
	require.NoError(t, err)
	require.NoError(t, both.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(metrics.AllMetrics()) > 2 }, 10*time.Second, time.Millisecond)
	require.NoError(t, both.Shutdown(context.WithoutCancel(t.Context())))
}
