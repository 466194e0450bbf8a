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
	lively := slices.Collect(Lively(cfg, New(cfg).Events()))
	assert.Equal(t, lively, slices.Collect(Lively(cfg, New(cfg).Events())))
	var story []Event
	for i, ev := range lively {
		switch ev.What.(type) {
		case PersonBehaved, MeetingBehaved:
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
	for ev := range Lively(cfg, New(cfg).Events()) {
		switch what := ev.What.(type) {
		case CallStarted:
			correlator[what.Call.ID] = what.Call.Correlator
		case LegStarted:
			legs[what.Leg.ID], session[what.Leg.ID] = what.Leg, ev.Session
		case LegChanged:
			if former := legs[what.Leg.ID]; former.Call() != what.Leg.Call() {
				forgetRoles(speaks, presents, former.Participant)
			}
			legs[what.Leg.ID] = what.Leg
		case LegEnded:
			delete(legs, what.Leg.ID)
			if what.Leg.Kind == KindPerson {
				forgetRoles(speaks, presents, what.Leg.Participant)
			}
		case BridgeRestarted:
			for id, l := range legs {
				if session[id] != ev.Session && l.Kind == KindPerson {
					forgetRoles(speaks, presents, l.Participant)
				}
			}
		case MeetingBehaved:
			seen["locked"] = seen["locked"] || what.Manner.Locked
			seen["mute on arrival"] = seen["mute on arrival"] || what.Manner.MuteOnArrive
		case PersonBehaved:
			l, m := what.Leg, what.Manner
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
func hold(t *testing.T, roles map[string]string, meeting, who string, has bool) {
	t.Helper()
	switch {
	case has:
		assert.Contains(t, []string{"", who}, roles[meeting])
		roles[meeting] = who
	case roles[meeting] == who:
		roles[meeting] = ""
	}
}

func forgetRoles(speaks, presents map[string]string, who string) {
	for _, roles := range []map[string]string{speaks, presents} {
		for meeting, x := range roles {
			if x == who {
				roles[meeting] = ""
			}
		}
	}
}

// TestCrowdsAreCrowded: the seats of all crowds are taken most of the time.
func TestCrowdsAreCrowded(t *testing.T) {
	people, calls, samples, sum := map[string]bool{}, 0, 0, 0
	for _, ev := range playAll(Config{Seed: 1, Bridges: 3, Meetings: 1, Crowds: 10, CrowdSize: 20}) {
		switch what := ev.What.(type) {
		case CallStarted:
			calls++
		case LegStarted:
			if what.Leg.Kind == KindPerson {
				people[what.Leg.ID] = true
			}
		case LegEnded:
			delete(people, what.Leg.ID)
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
