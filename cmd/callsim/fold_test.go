// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

// folded is what a naive reader of the records concludes of an object.
type folded struct {
	kind       string
	start, end time.Time
	ended      bool
	records    int
	calls      []string
	completed  int
	active     int
	peak       int
	menu       time.Duration
	lobby      time.Duration
	phase      string
	since      time.Time
	last       element
}

// apply reads printed records in the order of their indices.
type fold struct {
	t       *testing.T
	objects map[string]*folded
	next    map[string]uint64 // next correlatorIndex by session
}

func foldPosts(t *testing.T, posts []post) *fold {
	t.Helper()
	f := &fold{t: t, objects: map[string]*folded{}, next: map[string]uint64{}}
	for _, p := range posts {
		root := parse(t, p.body)
		require.Equal(t, "records", root.XMLName.Local)
		for _, rec := range root.Children {
			f.record(root.attr("session"), rec)
		}
	}
	return f
}

func (f *fold) record(session string, rec element) {
	index, err := strconv.ParseUint(rec.attr("correlatorIndex"), 10, 64)
	require.NoError(f.t, err)
	require.Equal(f.t, f.next[session], index, "session %s", session)
	require.Equal(f.t, strconv.FormatUint(index+1, 10), rec.attr("recordIndex"))
	f.next[session]++
	at, err := time.Parse("2006-01-02T15:04:05Z", rec.attr("time"))
	require.NoError(f.t, err)
	require.Len(f.t, rec.Children, 1)
	entity := rec.Children[0]

	o := f.objects[entity.attr("id")]
	switch rec.attr("type") {
	case "callStart", "callLegStart", "recordingStart", "streamingStart":
		require.Nil(f.t, o, "started twice")
		o = &folded{kind: entity.XMLName.Local, start: at, since: at}
		f.objects[entity.attr("id")] = o
	case "callEnd", "callLegEnd", "recordingEnd", "streamingEnd":
		require.NotNil(f.t, o)
		require.False(f.t, o.ended, "ended twice")
		o.ended, o.end = true, at
	}
	o.records++
	o.last = entity
	if o.kind == "callLeg" {
		f.leg(o, rec.attr("type"), entity, at)
	}
}

func (f *fold) leg(o *folded, kind string, e element, at time.Time) {
	switch spent := at.Sub(o.since); o.phase {
	case "menu":
		o.menu += spent
	case "lobby":
		o.lobby += spent
	}
	o.since = at
	_, menu := e.child("ivr")
	switch {
	case kind == "callLegEnd":
		o.phase = ""
		f.leave(o, true)
	case menu:
		o.phase = "menu"
	case e.text("deactivated") == "true":
		o.phase = "lobby"
	default:
		o.phase = ""
	}
	if call := e.text("call"); call != "" && (len(o.calls) == 0 || o.calls[len(o.calls)-1] != call) {
		f.leave(o, false)
		o.calls = append(o.calls, call)
		if c := f.objects[call]; assert.NotNil(f.t, c, "a leg in a call that has not started") {
			c.active++
			c.peak = max(c.peak, c.active)
		}
	}
}

func (f *fold) leave(o *folded, ended bool) {
	if len(o.calls) == 0 {
		return
	}
	c := f.objects[o.calls[len(o.calls)-1]]
	c.active--
	if ended {
		c.completed++
	}
}

// TestTruthIsWhatTheRecordsTell applies the printed records independently and compares
// every number with the truth and with what the records claim.
func TestTruthIsWhatTheRecordsTell(t *testing.T) {
	for _, args := range [][]string{
		{"-meetings", "60"},
		{"-meetings", "60", "-seed", "2", "-unclustered", "-bridges", "4"},
		{"-meetings", "40", "-seed", "3", "-faults", "restart=5,scan=70,skew=30s"},
		{"-meetings", "40", "-seed", "4", "-faults", "reorder,restart=2"},
		{"-meetings", "20", "-seed", "5", "-bridges", "1"},
		{"-meetings", "9", "-seed", "6", "-bridges", "1", "-unclustered"},
	} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			posts, want := playWithTruth(t, args...)
			f := foldPosts(t, posts)
			assert.False(t, want.Interrupted)
			total := 0
			for _, c := range want.Calls {
				o := f.take(t, c.ID, "call", c.Start, c.End)
				total += o.records
				assert.Equal(t, o.completed, c.LegsCompleted, c.ID)
				assert.Equal(t, o.peak, c.LegsMaxActive, c.ID)
				if !o.ended {
					assert.EqualValues(t, "bridge_restarted", c.Outcome)
					continue
				}
				assert.Equal(t, o.seconds(), *c.DurationSeconds, c.ID)
				assert.Equal(t, strconv.Itoa(o.completed), o.last.text("callLegsCompleted"), c.ID)
				assert.Equal(t, strconv.Itoa(o.peak), o.last.text("callLegsMaxActive"), c.ID)
				assert.Equal(t, strconv.Itoa(o.seconds()), o.last.text("durationSeconds"), c.ID)
			}
			for _, l := range want.Legs {
				o := f.take(t, l.ID, "callLeg", l.Start, l.End)
				total += o.records
				assert.ElementsMatch(t, o.calls, l.Calls)
				assert.Equal(t, int(o.menu/time.Second), l.IVRSeconds)
				assert.Equal(t, int(o.lobby/time.Second), l.LobbySeconds)
				if !o.ended {
					assert.EqualValues(t, "bridge_restarted", l.Outcome)
					continue
				}
				assert.Equal(t, o.seconds(), *l.DurationSeconds)
				assert.Equal(t, strconv.Itoa(o.seconds()), o.last.text("durationSeconds"))
				active := int((o.end.Sub(o.start) - o.menu - o.lobby) / time.Second)
				assert.Equal(t, active, *l.ActivatedSeconds)
				assert.Equal(t, strconv.Itoa(active), o.last.text("activatedDuration"))
				assert.Equal(t, l.Reason, o.last.text("reason"))
			}
			for _, s := range append(want.Recordings, want.Streamings...) {
				total += f.take(t, s.ID, "", s.Start, s.End).records
			}
			assert.Empty(t, f.objects, "objects the truth does not know")
			assert.Equal(t, f.count(), total)
			var counted uint64
			for _, n := range want.Counts {
				counted += n
			}
			assert.EqualValues(t, total, counted)
		})
	}
}

func (o *folded) seconds() int { return int(o.end.Sub(o.start) / time.Second) }

// take removes an object after comparing the common fields.
func (f *fold) take(t *testing.T, id, kind string, start time.Time, end *time.Time) *folded {
	t.Helper()
	o := f.objects[id]
	require.NotNil(t, o, id)
	delete(f.objects, id)
	if kind != "" {
		assert.Equal(t, kind, o.kind)
	}
	assert.Equal(t, o.start, start, id)
	assert.Equal(t, o.ended, end != nil, id)
	if end != nil {
		assert.Equal(t, o.end, *end, id)
	}
	return o
}

func (f *fold) count() int {
	sum := 0
	for _, n := range f.next {
		sum += int(n)
	}
	return sum
}

// TestConferencesHoldEveryCallOnce also checks the rule they are made by.
func TestConferencesHoldEveryCallOnce(t *testing.T) {
	_, want := playWithTruth(t, "-meetings", "120", "-seed", "7", "-faults", "restart=3")
	byID := map[string]int{}
	for i, c := range want.Calls {
		byID[c.ID] = i
	}
	seen := map[string]bool{}
	several, again := 0, map[string]int{}
	for _, conf := range want.Conferences {
		again[conf.Correlator]++
		if len(conf.Calls) > 1 {
			several++
		}
		for _, id := range conf.Calls {
			assert.False(t, seen[id])
			seen[id] = true
			c := want.Calls[byID[id]]
			assert.Equal(t, conf.Correlator, c.Correlator)
			assert.False(t, c.Start.Before(conf.Start))
		}
		assert.Equal(t, conf.Start, want.Calls[byID[conf.FoundingCall]].Start)
	}
	assert.Len(t, seen, len(want.Calls))
	assert.NotZero(t, several, "no distributed meeting")
	most := 0
	for _, n := range again {
		most = max(most, n)
	}
	assert.Greater(t, most, 2, "no coSpace is used again")
}

// TestAnObserverFindsTheConferences groups the calls as an observer has to, by the wire's
// clock with a tolerance and without knowing when a bridge restarted: the scenario must
// leave no doubt.
func TestAnObserverFindsTheConferences(t *testing.T) {
	const tolerance = 5 * time.Second
	for _, args := range [][]string{
		{"-meetings", "150", "-seed", "11"},
		{"-meetings", "150", "-seed", "12", "-faults", "restart=20"},
		{"-meetings", "150", "-seed", "13", "-faults", "restart=10,skew=2s"},
		{"-meetings", "150", "-seed", "14", "-live", "-speed", "0", "-faults", "restart=20,skew=2s"},
	} {
		_, want := playWithTruth(t, args...)
		last := map[string]time.Time{}
		for _, b := range want.Bridges {
			for _, s := range b.Sessions {
				if s.LastRecordTime != nil {
					last[s.Session] = *s.LastRecordTime
				}
			}
		}
		slices.SortFunc(want.Calls, func(a, b *truth.Call) int { return a.Start.Compare(b.Start) })
		groups, end := map[string][][]string{}, map[string]time.Time{}
		for _, c := range want.Calls {
			over := last[c.Session]
			if c.End != nil {
				over = *c.End
			}
			list := groups[c.Correlator]
			if len(list) == 0 || c.Start.After(end[c.Correlator].Add(tolerance)) {
				list, end[c.Correlator] = append(list, nil), over
			}
			list[len(list)-1] = append(list[len(list)-1], c.ID)
			groups[c.Correlator] = list
			if over.After(end[c.Correlator]) {
				end[c.Correlator] = over
			}
		}
		found := map[string]bool{}
		n := 0
		for _, list := range groups {
			for _, ids := range list {
				slices.Sort(ids)
				found[strings.Join(ids, " ")] = true
				n++
			}
		}
		for _, conf := range want.Conferences {
			assert.True(t, found[strings.Join(conf.Calls, " ")], "%v %v", args, conf.Calls)
		}
		assert.Len(t, want.Conferences, n, args)
	}
}

// TestTruthHasNoNull keeps the file easy to read for programs in any language.
func TestTruthHasNoNull(t *testing.T) {
	_, want := playWithTruth(t, "-meetings", "1", "-faults", "restart=1")
	text, err := json.Marshal(want)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "null")
}
