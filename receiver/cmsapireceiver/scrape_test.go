// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/legato-otel/legato/internal/names"
)

// Everything that the recorded answers say is in the metrics, with its value.
func TestScrape(t *testing.T) {
	b := newBridge(t)
	leg := "f59f5a17-6773-49a0-83d3-be6e9791c27a"
	link := "fb5305cd-f335-442d-8865-ab289bee19cd"
	b.legs, b.alarmed[leg] = []string{leg, link}, true
	b.details[leg], b.details[link] = fixture(t, "callLeg-detail-sip.xml"), fixture(t, "callLeg-detail-minimal.xml")
	b.answers["/system/database"] = `<database clustered="enabled"><cluster><totalNodes>2</totalNodes>` +
		`<node hostname="db1" up="true" syncBehind="0" master="true"/><node hostname="db2" up="false" syncBehind="-1" master="false"/></cluster></database>`
	r := newHarness(t, func(c *Config) { c.CDRReceiverURI = "http://otel.example.test:8444/cdr" }, b)
	all := r.scrape()
	require.Len(t, all, 1)
	got := all[northID]
	want := points{
		"uptime": int64(333717), "record.created": int64(8), "call_leg.active": int64(2), "call_leg.active.max": int64(31), "call_leg.completed": int64(4120),
		"activated": int64(1), "cluster.enabled": int64(1),
		"bit_rate{direction=rx,media.type=audio}": int64(40380), "bit_rate{direction=tx,media.type=audio}": int64(67932),
		"bit_rate{direction=rx,media.type=video}": int64(2416854), "bit_rate{direction=tx,media.type=video}": int64(839112),
		"alarm.active{alarm.type=cdrConnectionFailure}": int64(1), "alarm.active{alarm.type=callBridgeConnectionFailure}": int64(1),
		"alarm.active{alarm.type=_OTHER}": int64(1), "alarm.active{alarm.type=recorderLowDiskSpace}": int64(0),
		"alarm.duration{alarm.type=cdrConnectionFailure,reason=connectFailure}":     int64(3919),
		"alarm.duration{alarm.type=callBridgeConnectionFailure,reason=unspecified}": int64(61),
		"alarm.duration{alarm.type=_OTHER,reason=unspecified}":                      int64(1),
		"media_processing.load": int64(88000), "media_processing.load.limit": int64(96000), "media_processing.utilization": 88000.0 / 96000,
		"media_processing.load.threshold{conference=new}": 0.5, "media_processing.load.threshold{conference=existing}": 0.8,
		"peer_link.bit_rate.limit": int64(10000000),
		"database.error":           int64(0), "database.node.count": int64(2),
		"database.node.up{node.address=db1}": int64(1), "database.node.up{node.address=db2}": int64(0),
		"database.node.primary{node.address=db1}": int64(1), "database.node.primary{node.address=db2}": int64(0),
		"database.node.sync_behind{node.address=db1}":           int64(0),
		"license.state{feature=callBridge,state=activated}":     int64(1),
		"license.state{feature=customizations,state=noLicense}": int64(1),
		"license.state{feature=recording,state=activated}":      int64(1),
		"license.state{feature=turn,state=grace}":               int64(1),
		"license.state{feature=webBridge,state=activated}":      int64(1),
		"call_bridge.count": int64(2), "call.count": int64(5), "participant.count": int64(2), "participant.local": int64(1), "cospace.count": int64(4),
		"cdr_receiver.count": int64(2), "cdr_receiver.limit": int64(4), "cdr_receiver.present": int64(1),
		"call_leg.impaired": int64(1), "call_leg.alarm.active{alarm.type=packetLoss}": int64(1),
		"call_leg.alarm.active{alarm.type=excessiveJitter}": int64(0), "call_leg.alarm.active{alarm.type=highRoundTripTime}": int64(0),

		"call_leg.live.jitter{direction=rx,media.type=audio}":                            [2]float64{1, 0.039},
		"call_leg.live.jitter{direction=tx,media.type=audio}":                            [2]float64{1, 0.002},
		"call_leg.live.jitter{direction=rx,media.type=video}":                            [2]float64{1, 0.011},
		"call_leg.live.jitter{direction=tx,media.type=video}":                            [2]float64{1, 0.004},
		"call_leg.live.jitter{direction=rx,media.type=presentation}":                     [2]float64{1, 0.009},
		"call_leg.live.packet_loss.ratio{direction=rx,media.type=video}":                 [2]float64{1, 0.023},
		"call_leg.live.packet_loss.ratio{direction=rx,media.type=presentation}":          [2]float64{1, 0},
		"call_leg.live.round_trip_time{direction=tx,media.type=video}":                   [2]float64{1, 0.215},
		"call_leg.live.bit_rate{direction=rx,media.type=video}":                          [2]float64{1, 1975241},
		"call_leg.live.bit_rate{direction=rx,media.type=video,subtype=distributionLink}": [2]float64{1, 1975241},
	}
	for key, value := range want {
		if f, is := value.(float64); is {
			assert.InDelta(t, f, got[key], 1e-9, "%s", key)
			continue
		}
		if pair, is := value.([2]float64); is {
			require.Contains(t, got, key)
			assert.InDeltaSlice(t, pair[:], func() []float64 { p := got[key].([2]float64); return p[:] }(), 1e-9, "%s", key)
			continue
		}
		assert.Equal(t, value, got[key], "%s", key)
	}
	assert.NotContains(t, got, "database.node.sync_behind{node.address=db2}", "-1 is no value")
	assert.NotContains(t, got, "license.remaining{feature=recording}", "no date is no value")
	assert.NotContains(t, got, "participant.limit", "an empty limit is none")
	assert.Greater(t, got["license.remaining{feature=callBridge}"], int64(20_000))
	assert.Less(t, got["clock.offset"], 0.0)
	assert.Nil(t, r.host.last())
	assert.LessOrEqual(t, len(b.asked()), 30)
	r.scrape()
	assert.NotContains(t, strings.Join(b.asked(), " "), "licensing", "what changes rarely is read rarely")
}

// What a server does not say has no series.
func TestUnknownHasNoSeries(t *testing.T) {
	b := newBridge(t)
	b.answers["/system/status"] = fixture(t, "system-status-2.0.xml")
	b.answers["/system/configuration/cluster"] = fixture(t, "cluster-no-limit.xml")
	b.answers["/callBridges"] = fixture(t, "callBridges-unclustered.xml")
	b.answers["/system/licensing"] = fixture(t, "licensing-none.xml")
	b.answers["/system/alarms"] = fixture(t, "system-alarms-none.xml")
	for _, path := range []string{"/calls", "/coSpaces", "/participants", "/system/cdrReceivers", "/system/database"} {
		delete(b.answers, path) // an old release
	}
	r := newHarness(t, nil, b)
	for range 2 {
		all := r.scrape()
		require.Len(t, all, 1)
		for instance, got := range all {
			assert.True(t, strings.HasPrefix(instance, "127.0.0.1:"), "a server in no cluster is named by its address: %s", instance)
			have := got.names()
			for _, name := range []string{
				"record.created", "bit_rate", "media_processing.load.limit", "media_processing.utilization", "media_processing.load.threshold",
				"license.state", "license.remaining", "alarm.duration", "call.count", "cospace.count", "participant.count", "participant.local",
				"cdr_receiver.count", "cdr_receiver.present", "database.error", "database.node.count", "call_leg.live.jitter",
			} {
				assert.False(t, have[name], "%s", name)
			}
			for _, name := range []string{"uptime", "call_leg.active", "call_leg.completed", "media_processing.load", "alarm.active", "call_bridge.count", "call_leg.impaired"} {
				assert.True(t, have[name], "%s", name)
			}
		}
	}
	assert.Nil(t, r.host.last(), "an object that a release does not know is no fault")
	b.asked()
	r.scrape()
	assert.NotContains(t, strings.Join(b.asked(), " "), "/calls", "it is not asked for at each scrape")
}

// Each way in which a server fails is one line, one status, one metric with the
// reason, no series, and no harm to others; so is its end.
func TestFailures(t *testing.T) {
	f := func(break1 func(*bridge), problem, text string, most int) {
		t.Helper()
		bad, good := newBridge(t), newBridge(t)
		good.answers["/system/configuration/cluster"] = `<cluster><uniqueName>cb-north-2</uniqueName></cluster>`
		r := newHarness(t, nil, bad, good)
		bad.set(break1)
		for range 3 {
			all := r.scrape()
			require.Len(t, all, 1)
			require.Contains(t, all, southID)
			assert.Equal(t, int64(333717), all[southID]["uptime"])
		}
		errors := r.log.FilterLevelExact(2).All()
		require.Len(t, errors, 1, "%v", errors)
		line := fmt.Sprint(errors[0].Message, errors[0].ContextMap())
		assert.Contains(t, line, text)
		assert.NotContains(t, line, password)
		assert.Equal(t, componentstatus.StatusRecoverableError, r.host.last().Status())
		assert.Equal(t, int64(1), r.counter("receiver_cmsapi_problems", problem))
		assert.LessOrEqual(t, len(bad.asked()), most)
		assert.NotContains(t, fmt.Sprint(r.host.last().Err()), password)
	}
	status := func(n int) func(*bridge) { return func(b *bridge) { b.statuses[""] = n } }
	f(func(b *bridge) { b.password = "another" }, "unauthorized", "answered 401 Unauthorized", 1)
	f(status(http.StatusForbidden), "forbidden", "answered 403 Forbidden", 1)
	f(func(b *bridge) { b.answers["/system/status"] = fixture(t, "malformed-html-503.html") }, "not_api", "a page of HTML", 3)
	f(status(http.StatusNotFound), "not_api", "answered 404", 3)
	f(status(http.StatusInternalServerError), "refused", "answered 500", 3)
	f(func(b *bridge) { b.answers["/system/status"] = "<status><uptimeSeconds>" }, "malformed", "cannot be read", 3)
	f(func(b *bridge) { b.server.Config.Handler = nil; b.server.Listener.Close() }, "unreachable", "connection refused", 0)
}

// A fault of one object leaves the others; its end is seen.
func TestOneObjectFails(t *testing.T) {
	b := newBridge(t)
	b.statuses["/system/load"] = http.StatusInternalServerError
	r := newHarness(t, nil, b)
	for range 2 {
		have := r.scrape()[northID].names()
		assert.False(t, have["media_processing.load"])
		assert.False(t, have["media_processing.utilization"])
		assert.True(t, have["call.count"])
	}
	assert.Equal(t, 1, r.log.FilterLevelExact(2).Len())
	assert.Equal(t, int64(1), r.counter("receiver_cmsapi_problems", "refused"))
	b.set(func(b *bridge) { delete(b.statuses, "/system/load") })
	assert.True(t, r.scrape()[northID].names()["media_processing.load"])
	assert.Equal(t, componentstatus.StatusOK, r.host.last().Status())
	assert.Equal(t, 1, r.log.FilterMessageSnippet("scraped again").Len())
	assert.Zero(t, r.counter("receiver_cmsapi_problems", "refused"))
}

// A server that does not say which bridge it is has no metrics under another name,
// until it is clear that it will not.
func TestIdentity(t *testing.T) {
	b := newBridge(t)
	b.statuses["/callBridges"] = http.StatusInternalServerError
	r := newHarness(t, func(c *Config) {
		c.ResourceAttributes = map[string]string{"service.namespace": "all", "deployment.environment.name": "lab"}
		c.Servers[0].ResourceAttributes = map[string]string{"service.namespace": "one"}
	}, b)
	assert.Empty(t, r.scrape())
	b.set(func(b *bridge) { delete(b.statuses, "/callBridges") })
	data := r.all.scrape(t.Context()).metrics
	require.NotZero(t, data.ResourceMetrics().Len())
	own := r.all.snapshot()[0]
	for _, rm := range data.ResourceMetrics().All() {
		assert.Equal(t, map[string]any{
			names.ServiceName: names.MeetingServerService, names.ServiceInstanceID: northID, names.CallBridgeID: northID,
			names.ServerAddress: own.host, names.ServerPort: int64(own.port),
			"service.namespace": "one", "deployment.environment.name": "lab",
		}, rm.Resource().Attributes().AsRaw())
	}

	b = newBridge(t)
	b.statuses["/callBridges"] = http.StatusInternalServerError
	r = newHarness(t, nil, b)
	for range maxIdentityTries - 1 {
		assert.Empty(t, r.scrape())
	}
	assert.Contains(t, r.scrape(), r.all.snapshot()[0].name)
}

// A restart is a new start time, and nothing else is.
func TestStartTime(t *testing.T) {
	b := newBridge(t)
	r := newHarness(t, nil, b)
	start := func() time.Time {
		t.Helper()
		data := r.all.scrape(t.Context()).metrics
		for _, m := range data.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			if m.Name() == names.MetricCallLegCompleted {
				assert.True(t, m.Sum().IsMonotonic())
				assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
				return m.Sum().DataPoints().At(0).StartTimestamp().AsTime()
			}
		}
		require.Fail(t, "no sum")
		return time.Time{}
	}
	uptime := func(seconds int) {
		b.set(func(b *bridge) {
			b.answers["/system/status"] = fmt.Sprintf("<status><uptimeSeconds>%d</uptimeSeconds><callLegsCompleted>7</callLegsCompleted></status>", seconds)
		})
	}
	uptime(1000)
	first := start()
	assert.WithinDuration(t, time.Now().Add(-1000*time.Second), first, 30*time.Second)
	uptime(1001)
	assert.Equal(t, first, start(), "a second more or less is none")
	uptime(12)
	second := start()
	assert.WithinDuration(t, time.Now().Add(-12*time.Second), second, 30*time.Second)
}

func TestStartClock(t *testing.T) {
	began := time.Now()
	f := func(want bool, second int64, after, took time.Duration) {
		t.Helper()
		var c startClock
		first, restarted := c.observe(began, 1000, 0)
		assert.False(t, restarted)
		got, restarted := c.observe(began.Add(after), second, took)
		assert.Equal(t, want, restarted)
		assert.Equal(t, want, !got.Equal(first))
	}
	f(false, 1060, time.Minute, 0)
	f(false, 1055, time.Minute, 0)
	f(false, 1065, time.Minute, 0)
	f(false, 1050, time.Minute, 9*time.Second)
	f(false, 9000, time.Minute, 0) // this process stood still
	f(true, 10, time.Minute, 0)
	f(true, 0, time.Second*7, 0)
	f(true, 1500, 10*time.Minute, 0) // it restarted between two scrapes that are far apart
	var c startClock
	start, _ := c.observe(began, 1<<62, 0)
	assert.True(t, start.IsZero())
}

// A scrape of a bridge with a thousand legs costs no more than any other, and all
// legs are looked at in turn, those with an alarm in each.
func TestThousandLegs(t *testing.T) {
	for _, test := range []struct {
		page   int
		events bool
	}{{10, false}, {20, false}, {10, true}, {20, true}} {
		b := newBridge(t)
		b.page = test.page
		b.addLegs("leg", 1000)
		b.answers["/participants"] = `<participants total="1000">` + strings.Repeat("<participant/>", 10) + `</participants>`
		for i := range 3 {
			b.alarmed[b.legs[100*i]] = true
		}
		r := newHarness(t, nil, b)
		r.all.wantsEvents = test.events
		looked := make(map[string]int)
		scrapes := 0
		for ; len(looked) < 1000 && scrapes < 200; scrapes++ {
			got := r.scrape()[northID]
			requests := b.asked()
			require.LessOrEqual(t, len(requests), 30)
			ids := details(requests)
			require.LessOrEqual(t, len(ids), r.config.Sample)
			require.GreaterOrEqual(t, len(ids), 10)
			for _, id := range ids {
				looked[id]++
			}
			assert.Equal(t, int64(3), got["call_leg.impaired"])
			assert.NotContains(t, got, "participant.local", "it is not known")
			for i := range 3 {
				require.Equal(t, scrapes+1, looked[b.legs[100*i]])
			}
		}
		assert.Less(t, scrapes, 150)
	}
}

// Legs that end between the list and their details are no fault.
func TestVanishedLegs(t *testing.T) {
	b := newBridge(t)
	b.addLegs("leg", 5)
	b.answers["/callLegs/leg-0002"] = ""
	b.answers["/callLegs/leg-0003"] = ""
	r := newHarness(t, nil, b)
	got := r.scrape()[northID]
	assert.Equal(t, [2]float64{3, 0.06}, got["call_leg.live.jitter{direction=rx,media.type=audio}"])
	assert.Nil(t, r.host.last())
	assert.Equal(t, int64(2), r.counter("receiver_cmsapi_legs", "gone"))
	assert.Equal(t, int64(3), r.counter("receiver_cmsapi_legs", "sampled"))
	assert.Zero(t, r.counter("receiver_cmsapi_legs", "failed"))
}

// A metric that the user turned off is not there.
func TestMetricTurnedOff(t *testing.T) {
	r := newHarness(t, func(c *Config) { c.Metrics.CiscoMeetingServerUptime.Enabled = false }, newBridge(t))
	assert.False(t, r.scrape()[northID].names()["uptime"])
}

// A licence takes effect with a restart of the Call Bridge, so it is read then. Its former
// state goes to 0.
func TestLicenceChanges(t *testing.T) {
	b := newBridge(t)
	r := newHarness(t, nil, b)
	r.scrape()
	b.set(func(b *bridge) {
		b.answers["/system/status"] = "<status><uptimeSeconds>5</uptimeSeconds></status>"
		b.answers["/system/licensing"] = `<licensing><features><turn><status>EXPIRED</status><expiry>2001-Jan-01</expiry></turn></features></licensing>`
	})
	got := r.scrape()[northID]
	assert.Equal(t, int64(0), got["license.state{feature=turn,state=grace}"])
	assert.Equal(t, int64(1), got["license.state{feature=turn,state=expired}"])
	assert.Negative(t, got["license.remaining{feature=turn}"])
	assert.NotContains(t, got, "license.remaining{feature=callBridge}")
}
