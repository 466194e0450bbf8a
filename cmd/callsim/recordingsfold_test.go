// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

// recorded is an event of MediaSense as a naive reader sees it.
type recorded struct {
	EventType, EventAction string
	ForwardedEvent         any
	EventBody              struct {
		SessionID        string
		SessionIDs       []string
		CCID             string
		SessionStartDate int64
		SessionDuration  *int64
		SessionState     string
		Tags             []wireTag
		Tracks           []wireTrack
		TrackNumber      *int
		wireTag
		NodeID                int
		Partition             string
		PercentageUtilization int
	}
}

type wireTag struct {
	TagName, TagType string
	TagCreateDate    int64
	TagOffset        *int64
}

type wireTrack struct {
	TrackNumber                   int
	TrackStartDate, TrackDuration int64
	TrackMediaType, Codec         string
	Participants                  []struct {
		DeviceRef, XRefCi, DeviceID               string
		IsConference                              bool
		ParticipantStartDate, ParticipantDuration int64
	}
	Tags []wireTag
}

// recordings applies events into what an observer knows.
type recordings struct {
	t          *testing.T
	ordered    bool // each server sends in order, and nothing twice
	seen       map[string]bool
	distinct   map[string]int
	malformed  int
	sessions   map[string]*session
	gone       map[string]string
	thresholds map[string]map[string]int
	level      map[string]int
}

type session struct {
	started, ended *recorded
	tags           map[string]wireTag // of the session and of its tracks, by key
	devices        map[string]string  // by leg
}

func foldRecordings(t *testing.T, bodies [][]byte, ordered bool) *recordings {
	t.Helper()
	f := &recordings{
		t: t, ordered: ordered, seen: map[string]bool{}, distinct: map[string]int{}, sessions: map[string]*session{},
		gone: map[string]string{}, thresholds: map[string]map[string]int{}, level: map[string]int{},
	}
	for _, body := range bodies {
		dec := json.NewDecoder(bytes.NewReader(body))
		for {
			var ev recorded
			err := dec.Decode(&ev)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				f.malformed++
				break
			}
			f.event(&ev)
		}
	}
	return f
}

// event takes in an event once.
func (f *recordings) event(ev *recorded) {
	b := &ev.EventBody
	kind := ev.EventType + " " + ev.EventAction
	switch ev.EventType {
	case "SESSION_EVENT":
		ev.ForwardedEvent = nil
		text, err := json.Marshal(ev)
		require.NoError(f.t, err)
		if f.first(string(text)) {
			f.distinct[kind]++
			f.session(ev)
		}
	case "TAG_EVENT":
		key := tagKey(b.wireTag, b.TrackNumber)
		if f.first(kind + b.SessionID + key) {
			f.distinct[kind]++
			f.tag(ev, key)
		}
	case "STORAGE_THRESHOLD_EVENT":
		// They have no time and no number: only in order does one know the copies.
		if f.ordered && ev.ForwardedEvent == nil {
			f.distinct[kind]++
			f.storage(ev)
		}
	default:
		require.Fail(f.t, "unknown", kind)
	}
}

func (f *recordings) first(key string) bool {
	was := f.seen[key]
	f.seen[key] = true
	return !was
}

func tagKey(tag wireTag, track *int) string {
	offset, number := int64(-1), -1
	if tag.TagOffset != nil {
		offset = *tag.TagOffset
	}
	if track != nil {
		number = *track
	}
	return fmt.Sprint(" ", number, " ", tag.TagName, " ", offset, " ", tag.TagCreateDate)
}

func (f *recordings) at(id string) *session {
	if f.sessions[id] == nil {
		f.sessions[id] = &session{tags: map[string]wireTag{}, devices: map[string]string{}}
	}
	return f.sessions[id]
}

func (f *recordings) session(ev *recorded) {
	b := &ev.EventBody
	switch ev.EventAction {
	case "STARTED":
		s := f.at(b.SessionID)
		s.started = ev
		for _, track := range b.Tracks {
			for _, p := range track.Participants {
				s.devices[fmt.Sprint(track.TrackNumber, p.XRefCi)] = p.DeviceID
			}
		}
	case "ENDED":
		f.at(b.SessionID).ended = ev
	case "UPDATED":
	default:
		assert.Empty(f.t, b.SessionID)
		for _, id := range b.SessionIDs {
			assert.Empty(f.t, f.gone[id])
			f.gone[id] = strings.ToLower(ev.EventAction)
		}
	}
}

func (f *recordings) tag(ev *recorded, key string) {
	tags := f.at(ev.EventBody.SessionID).tags
	switch ev.EventAction {
	case "ADDED":
		tags[key] = ev.EventBody.wireTag
	case "UPDATED":
		for k, tag := range tags {
			if tag.TagName == ev.EventBody.TagName && tag.TagType == "USER_DEFINED" {
				delete(tags, k)
			}
		}
		tags[key] = ev.EventBody.wireTag
	case "DELETED":
		delete(tags, key)
	}
}

var levels = []string{"NORMAL", "LOW", "CRITICAL", "EMERGENCY"}

// storage holds the thresholds to the documented hysteresis.
func (f *recordings) storage(ev *recorded) {
	b := &ev.EventBody
	disk := fmt.Sprint(b.NodeID, b.Partition)
	if f.thresholds[disk] == nil {
		f.thresholds[disk] = map[string]int{}
	}
	f.thresholds[disk][ev.EventAction]++
	enter, rest, _ := strings.Cut(ev.EventAction, "_")
	level := slices.Index(levels, strings.TrimSuffix(rest, "_STORAGE_SPACE"))
	require.Positive(f.t, level)
	limits := map[string][]int{"ENTER": {0, 75, 90, 99}, "EXIT": {0, 70, 85, 97}}[enter]
	if enter == "ENTER" {
		require.Equal(f.t, level-1, f.level[disk])
		require.GreaterOrEqual(f.t, b.PercentageUtilization, limits[level])
		f.level[disk] = level
	} else {
		require.Equal(f.t, level, f.level[disk])
		require.LessOrEqual(f.t, b.PercentageUtilization, limits[level])
		f.level[disk] = level - 1
	}
}

// compare requires the observer to know the truth, as far as events arrived.
func (f *recordings) compare(want *truth.MediaSense) {
	f.t.Helper()
	for _, s := range want.Sessions {
		got := f.sessions[s.ID]
		if len(s.Missed) > 0 {
			continue
		}
		require.NotNil(f.t, got, s.ID)
		require.NotNil(f.t, got.started)
		b := got.started.EventBody
		assert.Equal(f.t, s.CCID, b.CCID)
		assert.Equal(f.t, s.StartUnixNano, b.SessionStartDate*1e6)
		assert.Equal(f.t, s.Gone, f.gone[s.ID])
		if s.EndUnixNano == 0 {
			assert.Nil(f.t, got.ended)
			continue
		}
		require.NotNil(f.t, got.ended)
		b = got.ended.EventBody
		assert.Equal(f.t, s.State, b.SessionState)
		assert.Equal(f.t, s.EndUnixNano, (b.SessionStartDate+*b.SessionDuration)*1e6)
		f.compareTracks(s, got)
		f.compareTags(s, got)
	}
	assert.Equal(f.t, want.Malformed, f.malformed)
}

func (f *recordings) compareTracks(want *truth.RecordedSession, got *session) {
	f.t.Helper()
	tracks := got.ended.EventBody.Tracks
	slices.SortFunc(tracks, func(a, b wireTrack) int { return a.TrackNumber - b.TrackNumber })
	require.Len(f.t, tracks, len(want.Tracks))
	for i, track := range want.Tracks {
		is := tracks[i]
		assert.Equal(f.t, []any{track.Number, track.Media, track.Codec}, []any{is.TrackNumber, is.TrackMediaType, is.Codec})
		assert.Equal(f.t, track.EndUnixNano, (is.TrackStartDate+is.TrackDuration)*1e6)
		require.Len(f.t, is.Participants, len(track.Participants))
		for j, p := range track.Participants {
			one := is.Participants[j]
			assert.Empty(f.t, one.DeviceID, "the end names no devices")
			assert.Equal(f.t, truth.RecordedParticipant{
				DeviceRef: one.DeviceRef, XRefCi: one.XRefCi, DeviceID: got.devices[fmt.Sprint(track.Number, one.XRefCi)],
				Conference: one.IsConference, StartUnixNano: one.ParticipantStartDate * 1e6,
				EndUnixNano: (one.ParticipantStartDate + one.ParticipantDuration) * 1e6,
			}, p)
		}
	}
}

// compareTags compares the tags of the events with those of the truth.
func (f *recordings) compareTags(want *truth.RecordedSession, got *session) {
	f.t.Helper()
	keys := map[string]bool{}
	add := func(list []truth.RecordedTag, track *int) {
		for _, tag := range list {
			is := wireTag{TagName: tag.Name, TagCreateDate: tag.CreateUnixNano / 1e6}
			if tag.AtUnixNano > 0 {
				offset := (tag.AtUnixNano - want.StartUnixNano) / 1e6
				is.TagOffset = &offset
			}
			keys[tagKey(is, track)] = true
		}
	}
	add(want.Tags, nil)
	for _, track := range want.Tracks {
		add(track.Tags, &track.Number)
	}
	is := map[string]bool{}
	for key := range got.tags {
		is[key] = true
	}
	assert.Equal(f.t, keys, is, want.ID)
}
