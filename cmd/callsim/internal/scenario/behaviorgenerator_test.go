// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestLivelyKeepsTheStory: nothing of the scenario changes, and the same scenario has the
// same behaviour in it.
func TestLivelyKeepsTheStory(t *testing.T) {
	cfg := Config{Seed: 5, Bridges: 3, Meetings: 30, Restarts: 2, Start: start, Short: true}
	lively := slices.Collect(WithBehavior(cfg, New(cfg).Events()))
	assert.Equal(t, lively, slices.Collect(WithBehavior(cfg, New(cfg).Events())))
	var story []Event
	for i, ev := range lively {
		switch ev.Payload.(type) {
		case BehaviorChanged, SettingsChanged:
		default:
			story = append(story, ev)
		}
		if i > 0 {
			assert.False(t, ev.At.Before(lively[i-1].At))
		}
	}
	assert.Equal(t, playAll(cfg), story)
	assert.Greater(t, len(lively), len(story)*3/2, "there is little life in it")
}

// TestLivelyPeople: everything they can do is done, by people who are in a call,
// and one at a time speaks and presents in a meeting.
func TestLivelyPeople(t *testing.T) {
	cfg := Config{Seed: 7, Bridges: 2, Meetings: 60, Restarts: 1, Start: start}
	seen := map[string]bool{}
	legs, session := map[string]Leg{}, map[string]string{}
	speaks, presents := map[string]string{}, map[string]string{} // person by correlator
	correlator := map[string]string{}
	for ev := range WithBehavior(cfg, New(cfg).Events()) {
		switch payload := ev.Payload.(type) {
		case CallStarted:
			correlator[payload.Call.ID] = payload.Call.Correlator
		case LegStarted:
			legs[payload.Leg.ID], session[payload.Leg.ID] = payload.Leg, ev.Session
		case LegChanged:
			if former := legs[payload.Leg.ID]; former.Call() != payload.Leg.Call() {
				forgetRoles(speaks, presents, former.Participant)
			}
			legs[payload.Leg.ID] = payload.Leg
		case LegEnded:
			delete(legs, payload.Leg.ID)
			if payload.Leg.Kind == KindPerson {
				forgetRoles(speaks, presents, payload.Leg.Participant)
			}
		case BridgeRestarted:
			for id, l := range legs {
				if session[id] != ev.Session && l.Kind == KindPerson {
					forgetRoles(speaks, presents, l.Participant)
				}
			}
		case SettingsChanged:
			seen["locked"] = seen["locked"] || payload.Settings.Locked
			seen["mute on arrival"] = seen["mute on arrival"] || payload.Settings.MuteOnArrive
		case BehaviorChanged:
			l, m := payload.Leg, payload.Behavior
			assert.Equal(t, legs[l.ID].Call(), l.Call())
			assert.NotEmpty(t, l.Call())
			assert.Equal(t, KindPerson, l.Kind)
			assert.Equal(t, session[l.ID], ev.Session)
			k := correlator[l.Call()]
			hold(t, speaks, k, l.Participant, m.ActiveSpeaker)
			hold(t, presents, k, l.Participant, m.Presenter)
			for name, is := range map[string]bool{
				"speaker": m.ActiveSpeaker, "presenter": m.Presenter, "audio": m.AudioMuted, "video": m.VideoMuted,
				"hold": m.OnHold, "recording": m.EndpointRecording, "importance": m.Importance > 0,
				"ringing": m.State(l.Phase) == StateRinging, "named later": l.DisplayName == "" && m.Name != "",
			} {
				seen[name] = seen[name] || is
			}
		}
	}
	for _, want := range []string{
		"locked", "mute on arrival", "speaker", "presenter", "audio", "video", "hold", "recording", "importance", "ringing", "named later",
	} {
		assert.True(t, seen[want], want)
	}
}

// hold books who has a role in a meeting and requires that nobody else has it.
func hold(t *testing.T, roles map[string]string, meeting, person string, has bool) {
	t.Helper()
	switch {
	case has:
		assert.Contains(t, []string{"", person}, roles[meeting])
		roles[meeting] = person
	case roles[meeting] == person:
		roles[meeting] = ""
	}
}

func forgetRoles(speaks, presents map[string]string, person string) {
	for _, roles := range []map[string]string{speaks, presents} {
		for meeting, x := range roles {
			if x == person {
				roles[meeting] = ""
			}
		}
	}
}

// TestCrowdsAreCrowded: the seats of all crowds are taken most of the time.
func TestCrowdsAreCrowded(t *testing.T) {
	people, calls, samples, sum := map[string]bool{}, 0, 0, 0
	for _, ev := range playAll(Config{Seed: 1, Bridges: 3, Meetings: 1, Crowds: 10, CrowdSize: 20}) {
		switch payload := ev.Payload.(type) {
		case CallStarted:
			calls++
		case LegStarted:
			if payload.Leg.Kind == KindPerson {
				people[payload.Leg.ID] = true
			}
		case LegEnded:
			delete(people, payload.Leg.ID)
		}
		if at := ev.At.Sub(start); at > 2*time.Minute && at < 55*time.Minute {
			samples++
			sum += len(people)
		}
	}
	assert.Empty(t, people)
	assert.GreaterOrEqual(t, calls, 20)
	assert.InDelta(t, 200, sum/samples, 20)
}
