// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func playAll(cfg Config) []Event {
	if cfg.Bridges == 0 {
		cfg.Bridges = 3
	}
	cfg.Start = start
	return slices.Collect(New(cfg).Events())
}

func TestSameConfigSameStory(t *testing.T) {
	cfg := Config{Seed: 5, Meetings: 20, Restarts: 2, ScanBurst: 9, Skew: 3 * time.Second}
	first := playAll(cfg)
	assert.Equal(t, first, playAll(cfg))
	cfg.Seed++
	assert.NotEqual(t, first, playAll(cfg))
}

// TestEverythingHappens: a scenario of moderate length shows every kind of thing a receiver
// has to cope with.
func TestEverythingHappens(t *testing.T) {
	seen := map[string]bool{}
	started := map[string]bool{} // calls
	for _, ev := range playAll(Config{Seed: 1, Meetings: 60, Restarts: 2, ScanBurst: 30}) {
		seen[reflect.TypeOf(ev.Payload).Name()] = true
		switch payload := ev.Payload.(type) {
		case CallStarted:
			started[payload.Call.ID] = true
			seen[string(payload.Call.Type)] = true
		case LegStarted:
			l := payload.Leg
			for _, fact := range []string{string(l.Kind), l.Type, l.SubType, l.LyncSubType, l.Direction, l.Confirmation} {
				seen[fact] = true
			}
			seen["moved"] = seen["moved"] || l.MovedFrom != "" && l.MovedFromBridge != "" && l.ReplacesSIPCallID != ""
			seen["guest"] = seen["guest"] || l.Guest
			seen["nameless"] = seen["nameless"] || l.Kind == KindPerson && l.DisplayName == ""
			seen["no call yet"] = seen["no call yet"] || l.Call() == ""
			seen["call at once"] = seen["call at once"] || l.Call() != ""
		case LegChanged:
			seen[fmt.Sprint("phase ", payload.Leg.Phase)] = true
			seen["bare"] = seen["bare"] || payload.Bare
			seen["two calls"] = seen["two calls"] || len(payload.Leg.Calls) > 1
		case LegEnded:
			seen[string(payload.Reason)] = true
			see(seen, payload.Media)
		case RecordingStarted:
			seen[fmt.Sprint("older recorder ", payload.Recording.URI == "")] = true
		case StreamingStarted:
			seen[fmt.Sprint("older streamer ", payload.Streaming.URI == "")] = true
		}
	}
	for _, want := range []string{
		"CallStarted", "CallEnded", "LegStarted", "LegChanged", "LegEnded", "RecordingStarted", "RecordingEnded",
		"StreamingStarted", "StreamingEnded", "BridgeRestarted",
		"coSpace", "adHoc", "lyncConferencing", "forwarding",
		"person", "link", "recorder", "streamer", "sharing", "scanner",
		"sip", "acano", "lync", "avaya", "webApp", "lyncdistribution", "distributionLink", "audioVideo", "applicationSharing",
		"incoming", "outgoing", "required", "notRequired",
		"moved", "guest", "nameless", "no call yet", "call at once", "bare", "two calls", "phase 1", "phase 2", "phase 3",
		"apiInitiatedTeardown", "callDeactivated", "callEnded", "callMoved", "clientInitiatedTeardown", "confirmationTimeout",
		"dnsFailure", "encryptionRequired", "error", "incorrectPasscode", "ivrTimeout", "ivrUnknownCall", "localTeardown",
		"participantLimitReached", "remoteBusy", "remoteRejected", "remoteTeardown", "ringingTimeout",
		"tenantParticipantLimitReached", "timeout", "unknownDestination",
		"packetLoss", "excessiveJitter", "highRoundTripTime", "alarm of 0.0", "no media", "no video", "loss", "no loss",
		"older recorder true", "older recorder false", "older streamer true", "older streamer false",
		"g711u", "g711a", "g722", "g728", "g729", "g722_1", "g722_1c", "aac", "speexNb", "speexWb", "speexUwb", "isacWb", "isacSwb", "opus",
		"h261", "h263", "h263+", "h264", "h264Lync", "vp8", "rtVideo",
	} {
		assert.True(t, seen[want], want)
	}
}

func see(seen map[string]bool, m *Media) {
	if m == nil {
		seen["no media"] = true
		return
	}
	seen["no video"] = seen["no video"] || m.Usage == nil
	for _, a := range m.Alarms {
		seen[a.Kind] = true
		seen["alarm of 0.0"] = seen["alarm of 0.0"] || a.Percent == 0
	}
	for _, s := range []*Stream{m.AudioIn, m.AudioOut, m.VideoIn, m.VideoOut} {
		if s != nil {
			seen[s.Codec] = true
			seen["loss"] = seen["loss"] || s.Loss != nil && s.Loss.BurstSeconds > 0
			seen["no loss"] = seen["no loss"] || s.Loss == nil
		}
	}
}

// TestLaws checks what must hold in every scenario.
func TestLaws(t *testing.T) {
	for seed := range uint64(12) {
		cfg := Config{
			Seed: seed, Meetings: 60, Restarts: int(seed % 4), ScanBurst: 10, Bridges: 1 + int(seed/2)%4,
			Unclustered: seed%2 == 1, Short: seed%3 == 0, Skew: time.Duration(seed) * time.Second,
		}
		last, skew := start, map[int]time.Duration{}
		open := map[string]bool{}
		session := map[int]string{}
		links := map[string]map[int]bool{}     // bridges by SIP Call-ID
		cut := map[string]map[time.Time]bool{} // ends by SIP Call-ID
		for _, ev := range playAll(cfg) {
			assert.False(t, ev.At.Before(last))
			last = ev.At
			assert.Zero(t, ev.Time.Nanosecond())
			off := ev.Time.Sub(ev.At)
			assert.LessOrEqual(t, off.Abs(), cfg.Skew)
			if known, ok := skew[ev.Bridge]; ok {
				assert.Equal(t, known, off, "a clock is off by the same amount all the time")
			}
			skew[ev.Bridge] = off
			switch payload := ev.Payload.(type) {
			case BridgeRestarted:
				session[ev.Bridge] = ev.Session
			case LegStarted:
				open[payload.Leg.ID] = true
				if payload.Leg.SubType == "distributionLink" {
					assert.False(t, cfg.Unclustered && ev.Bridge == cfg.Bridges-1, "a link to a bridge that stands alone")
					if links[payload.Leg.SIPCallID] == nil {
						links[payload.Leg.SIPCallID] = map[int]bool{}
					}
					links[payload.Leg.SIPCallID][ev.Bridge] = true
				}
			case LegEnded:
				require.True(t, open[payload.Leg.ID])
				delete(open, payload.Leg.ID)
				if payload.Leg.SubType == "distributionLink" {
					if cut[payload.Leg.SIPCallID] == nil {
						cut[payload.Leg.SIPCallID] = map[time.Time]bool{}
					}
					cut[payload.Leg.SIPCallID][ev.At] = true
				}
				assert.GreaterOrEqual(t, payload.Activated(), time.Duration(0))
			}
			if known, ok := session[ev.Bridge]; ok {
				assert.Equal(t, known, ev.Session)
			}
			session[ev.Bridge] = ev.Session
		}
		for id, ends := range links {
			assert.Len(t, ends, 2, id)
		}
		if cfg.Restarts == 0 {
			assert.Empty(t, open)
			for id, ends := range cut {
				assert.Len(t, ends, 1, "both ends of %s end together", id)
			}
		}
	}
}

// TestRestarts: each one begins a new session, which is heard of again, and
// leaves something open at least once.
func TestRestarts(t *testing.T) {
	restarts, heard := 0, map[string]bool{}
	openCalls, forgotten := map[string]int{}, 0
	for _, ev := range playAll(Config{Seed: 2, Meetings: 40, Restarts: 6}) {
		switch payload := ev.Payload.(type) {
		case BridgeRestarted:
			restarts++
			for id, bridge := range openCalls {
				if bridge == ev.Bridge {
					delete(openCalls, id)
					forgotten++
				}
			}
		case CallStarted:
			openCalls[payload.Call.ID] = ev.Bridge
		case CallEnded:
			_, ok := openCalls[payload.Call.ID]
			assert.True(t, ok, "a forgotten call has ended")
			delete(openCalls, payload.Call.ID)
		}
		if _, ok := ev.Payload.(BridgeRestarted); !ok {
			heard[ev.Session] = true
		}
	}
	assert.Equal(t, 6, restarts)
	assert.Len(t, heard, 3+6)
	assert.GreaterOrEqual(t, forgotten, 6)
	assert.Empty(t, openCalls)
}

// TestRoomsAreUsedAgain, one meeting after the other.
func TestRoomsAreUsedAgain(t *testing.T) {
	type meeting struct{ begun, over time.Time }
	calls, rooms := map[string]string{}, map[string][]meeting{}
	for _, ev := range playAll(Config{Seed: 3, Meetings: 80, Bridges: 1}) {
		switch payload := ev.Payload.(type) {
		case CallStarted:
			calls[payload.Call.ID] = payload.Call.CoSpace
			rooms[payload.Call.CoSpace] = append(rooms[payload.Call.CoSpace], meeting{begun: ev.At})
		case CallEnded:
			list := rooms[calls[payload.Call.ID]]
			list[len(list)-1].over = ev.At
		}
	}
	delete(rooms, "")
	maxSeconds := 0
	for id, list := range rooms {
		maxSeconds = max(maxSeconds, len(list))
		for i := 1; i < len(list); i++ {
			assert.GreaterOrEqual(t, list[i].begun.Sub(list[i-1].over), time.Minute, id)
		}
	}
	assert.Greater(t, maxSeconds, 2)
}

// TestADemonstrationIsLively: short calls, something in every few seconds.
func TestADemonstrationIsLively(t *testing.T) {
	world := New(Config{Seed: 1, Bridges: 3, Start: start, Short: true})
	seen, n := map[string]bool{}, 0
	for ev := range world.Events() {
		if ev.At.Sub(start) > 10*time.Minute {
			break
		}
		if n++; ev.At.Sub(start) < 15*time.Second {
			seen[reflect.TypeOf(ev.Payload).Name()] = true
		}
		if end, ok := ev.Payload.(CallEnded); ok {
			assert.LessOrEqual(t, end.Duration, time.Minute)
		}
	}
	for _, want := range []string{"CallStarted", "CallEnded", "LegStarted", "LegChanged", "LegEnded"} {
		assert.True(t, seen[want], want)
	}
	assert.InDelta(t, 2, float64(n)/600, 1, "events a second")
}

// Bridges of one estate keep their ids whatever scenario happens on them; their sessions
// are new, as after a restart.
func TestEstate(t *testing.T) {
	first, second := New(Config{Seed: 1, Estate: 5, Bridges: 3}), New(Config{Seed: 2, Estate: 5, Bridges: 3})
	assert.Equal(t, first.Bridges(), second.Bridges())
	assert.NotEqual(t, first.Sessions(), second.Sessions())
	assert.NotEqual(t, first.Bridges(), New(Config{Seed: 1, Estate: 6, Bridges: 3}).Bridges())
	assert.NotEqual(t, New(Config{Seed: 1, Bridges: 3}).Bridges(), New(Config{Seed: 2, Bridges: 3}).Bridges(), "without an estate the seed chooses")
}

// The fault changes the alarms of about the share of the legs, and nothing else of the
// scenario.
func TestPacketLoss(t *testing.T) {
	lossy := func(share float64) (hit, all int, story []string) {
		for _, ev := range playAll(Config{Seed: 4, Bridges: 2, Meetings: 60, PacketLoss: share}) {
			story = append(story, fmt.Sprintf("%s %d %T", ev.At, ev.Bridge, ev.Payload))
			end, ended := ev.Payload.(LegEnded)
			if !ended || end.Media == nil || end.Media.AudioIn == nil {
				continue
			}
			all++
			for _, alarm := range end.Media.Alarms {
				if alarm.Kind == "packetLoss" && alarm.Percent == heavyLossPercent {
					hit++
				}
			}
		}
		return hit, all, story
	}
	none, _, plain := lossy(0)
	assert.Zero(t, none)
	hit, all, story := lossy(0.5)
	assert.InDelta(t, 0.5, float64(hit)/float64(all), 0.15)
	assert.Equal(t, plain, story)
	hit, all, _ = lossy(1)
	assert.Equal(t, all, hit)
}
