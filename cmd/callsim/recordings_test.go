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
	"time"

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

// recordings folds events into what an observer knows.
type recordings struct {
	t          *testing.T
	ordered    bool // each server told in order, and nothing twice
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

// playRecordings prints the events of a story and returns their bodies.
func playRecordings(t *testing.T, args ...string) ([][]byte, truth.Truth) {
	t.Helper()
	posts, want := playWithTruth(t, append(args, "-target", "none", "-mediasense-target", "http://h/mediasense")...)
	var bodies [][]byte
	for _, p := range posts {
		assert.Equal(t, "http://h/mediasense", p.url)
		bodies = append(bodies, p.body)
	}
	return bodies, want
}

const allTheFaultsOfMediaSense = "ms-duplicate=0.1,ms-reorder=0.1,ms-lost=0.1,ms-malformed=0.1,ms-pair=0.1,ms-seconds=0.1,ms-urls=0.1,ms-boolean=0.1,ms-quoted=0.1"

func TestSameFlagsSameRecordings(t *testing.T) {
	for _, args := range [][]string{
		{"-meetings", "10", "-mediasense-target", "http://h/"},
		{"-meetings", "10", "-mediasense-target", "http://h/,http://i/", "-faults", allTheFaults + "," + allTheFaultsOfMediaSense},
	} {
		first := play(t, args...)
		assert.True(t, bytes.Equal(first, play(t, args...)), args)
		assert.False(t, bytes.Equal(first, play(t, append(args, "-seed", "2")...)), args)
	}
}

// TestRecordsBesideRecordings: the records of a seed are the same with and
// without MediaSense, byte for byte.
func TestRecordsBesideRecordings(t *testing.T) {
	args := []string{"-meetings", "20", "-faults", "restart=2,skew=5s,scan=40"}
	plain, want := playWithTruth(t, args...)
	both, got := playWithTruth(t, append(args, "-mediasense-target", "http://h/mediasense")...)
	both = slices.DeleteFunc(both, func(p post) bool { return p.url == "http://h/mediasense" })
	assert.Equal(t, joined(plain), joined(both))
	require.NotNil(t, got.MediaSense)
	got.MediaSense = nil
	assert.Equal(t, want, got)
}

// joined is the records without the bounds of their posts, which depend on when
// somebody looked.
func joined(posts []post) map[string]string {
	all := map[string]*strings.Builder{}
	for _, p := range posts {
		text := string(p.body)
		head, rest, _ := strings.Cut(text, "<record ")
		if all[head] == nil {
			all[head] = &strings.Builder{}
		}
		all[head].WriteString("<record " + strings.TrimSuffix(strings.TrimSpace(rest), "</records>"))
	}
	out := map[string]string{}
	for head, text := range all {
		out[head] = text.String()
	}
	return out
}

// TestRecordingsAgainstTheTruth folds what was posted, with and without faults.
func TestRecordingsAgainstTheTruth(t *testing.T) {
	for _, args := range [][]string{
		{"-meetings", "20"},
		{"-meetings", "20", "-seed", "2", "-live", "-speed", "0", "-start", "2026-01-05T08:00:00Z"},
		{"-meetings", "10", "-seed", "3", "-mediasense-servers", "1"},
		{"-meetings", "10", "-seed", "4", "-play-for", "10m"},
		{"-meetings", "20", "-seed", "5", "-faults", "ms-duplicate=0.3,ms-pair=0.2"},
		{"-meetings", "20", "-seed", "6", "-mediasense-disk", "1e6"},
	} {
		bodies, want := playRecordings(t, args...)
		ordered := !slices.Contains(args, "-faults")
		f := foldRecordings(t, bodies, ordered)
		ms := want.MediaSense
		assert.Empty(t, ms.Missed)
		assert.Equal(t, ms.Happened, ms.Distinct)
		if ordered {
			assert.Equal(t, ms.Distinct, f.distinct, args)
		}
		f.compare(ms)
		deleted, pruned := 0, 0
		for _, how := range f.gone {
			if how == "deleted" {
				deleted++
			} else {
				pruned++
			}
		}
		assert.Equal(t, []int{ms.Deleted, ms.Pruned}, []int{deleted, pruned})
		for _, d := range ms.Disks {
			disk := fmt.Sprint(d.NodeID, d.Partition)
			if ordered {
				assert.Equal(t, d.State, levels[f.level[disk]])
				assert.Equal(t, len(d.Thresholds), len(f.thresholds[disk]))
				for action, n := range d.Thresholds {
					assert.Equal(t, n, f.thresholds[disk][action])
				}
			}
			assert.Equal(t, len(d.Thresholds) > 0, d.LastPercent != nil)
		}
	}
}

// TestRecordingsWithFaults: what did not arrive is told to be missed, and the
// rest is the truth.
func TestRecordingsWithFaults(t *testing.T) {
	bodies, want := playRecordings(t, "-meetings", "20", "-faults", "ms-duplicate=0.1,ms-lost=0.2,ms-malformed=0.1,ms-pair=0.1")
	f := foldRecordings(t, bodies, false)
	ms := want.MediaSense
	require.NotEmpty(t, ms.Missed)
	missed := map[string]int{}
	for _, m := range ms.Missed {
		missed[m.Event]++
	}
	for kind, n := range ms.Happened {
		assert.Equal(t, n, ms.Distinct[kind]+missed[kind], kind)
		if !strings.HasPrefix(kind, "STORAGE") {
			assert.Equal(t, ms.Distinct[kind], f.distinct[kind], kind)
		}
	}
	f.compare(ms)
	whole := 0
	for _, s := range ms.Sessions {
		if len(s.Missed) == 0 {
			whole++
		}
	}
	assert.Positive(t, whole)
	assert.Less(t, whole, len(ms.Sessions))
}

// TestPausesAndSilences: the sums are those of the tags.
func TestPausesAndSilences(t *testing.T) {
	_, want := playRecordings(t, "-meetings", "20")
	paused, silent, open, former := 0, 0, 0, 0
	byID := map[string]*truth.RecordedSession{}
	for _, s := range want.MediaSense.Sessions {
		byID[s.ID] = s
		if s.PausedSeconds > 0 {
			paused++
			assert.LessOrEqual(t, s.PausedSeconds, time.Duration(s.EndUnixNano-s.StartUnixNano).Seconds())
		}
		for _, track := range s.Tracks {
			if n := len(track.Silences); n > 0 {
				silent++
				if track.Silences[n-1].EndUnixNano == track.EndUnixNano {
					open++
				}
			}
			for i, gap := range track.Silences {
				assert.GreaterOrEqual(t, gap.EndUnixNano, gap.StartUnixNano)
				assert.True(t, i == 0 || gap.StartUnixNano >= track.Silences[i-1].EndUnixNano)
			}
		}
		if s.Former != "" {
			former++
			assert.Equal(t, byID[s.Former].CCID, s.CCID)
		}
	}
	assert.Positive(t, paused)
	assert.Positive(t, silent)
	assert.Positive(t, open)
	assert.Positive(t, former)
}

func TestBadFlagsOfMediaSense(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-mediasense-target", "ftp://x"}, `-mediasense-target: must be http or https URLs, got "ftp://x"`},
		{[]string{"-mediasense-target", "http://x,"}, `-mediasense-target: must be http or https URLs, got "http://x,"`},
		{[]string{"-mediasense-target", "http://x", "-mediasense-api", "a:1"}, `-mediasense-target: does not go with -mediasense-api, got "http://x"`},
		{[]string{"-mediasense-api", "a:1,b:2,c:3"}, `-mediasense-api: must be one address or as many as there are servers (2), got "a:1,b:2,c:3"`},
		{[]string{"-mediasense-api", "a"}, `-mediasense-api: must be host:port with room for all servers, got "a"`},
		{[]string{"-mediasense-api", "a:1", "-print"}, `-mediasense-api: does not go with -print, which has no clock`},
		{[]string{"-mediasense-servers", "0"}, `-mediasense-servers: must be between 1 and 9, got "0"`},
		{[]string{"-mediasense-disk", "-1"}, `-mediasense-disk: must be between 0 and 1e9, got "-1"`},
		{[]string{"-mediasense-disk", "NaN"}, `-mediasense-disk: must be between 0 and 1e9, got "NaN"`},
		{[]string{"-mediasense-cert", "x"}, `-mediasense-cert: needs -mediasense-tls, got "x"`},
		{[]string{"-mediasense-tls"}, `-mediasense-tls: needs -mediasense-api`},
		{[]string{"-await-mediasense"}, `-await-mediasense: needs -mediasense-api`},
		{[]string{"-mediasense-retry", "-1s"}, `-mediasense-retry: must be at least 0s, got "-1s"`},
		{[]string{"-linger-mediasense", "-1s"}, `-linger-mediasense: must be at least 0s, got "-1s"`},
		{[]string{"-faults", "ms-lost=0.1"}, `-faults: faults of MediaSense need -mediasense-target or -mediasense-api, got "ms-lost=0.1"`},
		{[]string{"-faults", "ms-busy=1s", "-mediasense-target", "http://x"}, `-faults: faults of the MediaSense API need -mediasense-api, got "ms-busy=1s"`},
		{[]string{"-faults", "ms-lost=2"}, `-faults: ms-lost must be between 0 and 1, got "2"`},
		{[]string{"-faults", "ms-old=1"}, `-faults: ms-old takes no value, got "1"`},
	} {
		_, err := parseOptions(tc.args, nil)
		assert.EqualError(t, err, tc.want, tc.args)
	}
}
