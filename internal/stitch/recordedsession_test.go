// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// What has the last word, as callstitchprocessor has it.
const (
	rankStarted = 1 + iota
	rankUpdated
	rankEnded
	rankTag
	rankTagDeleted
)

// date is a MediaSense date, in milliseconds.
func date(seconds int) int64 { return at(seconds) / millisecond }

// tag is one that was set some seconds after noon in a session that began then.
func tag(list, name string, seconds int) Item {
	return Item{List: list, At: int64(seconds) * 1000, ID: fmt.Sprint(date(seconds), name), Fields: []Field{
		textField(names.ElementTagName, name), textField(names.ElementTagType, "SYSTEM_DEFINED"),
		{names.ElementTagOffset, Int(int64(seconds) * 1000)},
		{names.ElementTagCreateDate, Int(date(seconds))},
	}}
}

func sessionTag(name string, seconds int) Item { return tag(names.MediaSenseTags, name, seconds) }
func trackTag(name string, seconds int) Item   { return tag(names.MediaSenseTrackTags, name, seconds) }

// participant of a track, with what else is known of it.
func participant(reference string, seconds int, more ...Field) Item {
	return Item{List: names.MediaSenseTrackParticipants, At: date(seconds), ID: reference, Fields: append([]Field{
		textField(names.ElementXRefCI, reference), {names.ElementParticipantStart, Int(date(seconds))},
	}, more...)}
}

// track of a session that began some seconds after noon.
func track(session string, n, start int, fields []Field, items ...Item) Part {
	id, _ := TrackID(session, int64(n))
	return Part{Kind: Track, ID: id, Items: items, Fields: append([]Field{
		{names.MediaSenseTrackNumber, Int(int64(n))}, {names.MediaSenseTrackStartDate, Int(date(start))},
	}, fields...)}
}

// recordedRecord is a record of a session that began some seconds after noon.
func recordedRecord(session string, phase Phase, start, seconds int, ccid string, tracks ...Part) Record {
	r := Record{
		Kind: RecordedSession, ID: session, Phase: phase, Time: at(seconds), Index: uint64(phase) + 1, Parts: tracks,
		Fields: []Field{{names.MediaSenseStartDate, Int(date(start))}, textField(names.MediaSenseCCID, ccid), textField(names.MediaSenseState, "ACTIVE")},
	}
	for i := range tracks {
		r.Items = append(r.Items, Item{List: names.MediaSenseTracks, ID: tracks[i].ID})
	}
	if phase == End {
		r.Fields[2] = textField(names.MediaSenseState, "CLOSED_NORMAL")
		r.Fields = append(r.Fields, Field{names.MediaSenseDuration, Int(int64(seconds-start) * 1000)})
	}
	return r
}

// withoutCCID is the record as a server before 8.5(3) sends it.
func withoutCCID(r Record, nearEnd, controller string) Record {
	r.Fields = slices.Clone(r.Fields)
	r.Fields[1] = textField(names.MediaSenseNearEnd, nearEnd)
	r.Fields = append(r.Fields, textField(names.MediaSenseController, controller))
	return r
}

// noteOn is what a tag event says.
func noteOn(kind Kind, id string, rank uint64, seconds int, items ...Item) Record {
	return Record{Kind: kind, ID: id, Phase: Note, Index: rank, Time: at(seconds), Items: items}
}

func removed(it Item) Item {
	it.Removed, it.Fields = true, nil
	return it
}

// duration is the field of what has ended.
func duration(key string, seconds int) Field { return Field{key, Int(int64(seconds) * 1000)} }

// session tells of a whole recorded session of two tracks.
func (w *world) session(n, ccid, start int) {
	id, end := fmt.Sprint("Session-", n), start+30+w.IntN(60)
	old := w.chance(40) // it is of a server that sends no ccid
	say := func(r Record) {
		if old && r.Phase != Note {
			r = withoutCCID(r, strconv.Itoa(27000000+ccid), "192.0.2.80")
		}
		w.all = append(w.all, happening{record: r, source: [2]string{"recorder", ""}})
	}
	name := fmt.Sprint("ccid ", ccid)
	say(recordedRecord(id, Start, start, start, name,
		track(id, 0, start, nil, participant("1", start, textField("device_id", "SEP1"))),
		track(id, 1, start, nil, participant("2", start, textField("device_id", "SEP2"))),
	))
	for range w.IntN(3) {
		at := start + w.IntN(30)
		say(recordedRecord(id, Update, start, at, name,
			track(id, w.IntN(3), start, nil, participant(strconv.Itoa(w.IntN(4)), at, Field{"is_conference", Bool(w.chance(50))})),
		))
	}
	for range w.IntN(4) {
		at := w.IntN(30)
		if w.chance(50) {
			note := sessionTag([]string{"Pause", "Resume"}[w.IntN(2)], at)
			if w.chance(20) {
				note = removed(note)
			}
			say(noteOn(RecordedSession, id, rankTag, at, note))
			continue
		}
		trackID, _ := TrackID(id, int64(w.IntN(4)))
		say(noteOn(Track, trackID, rankTag, at, trackTag([]string{"TrackActive", "TrackInactive"}[w.IntN(2)], at)))
	}
	r := recordedRecord(id, End, start, end, name,
		track(id, 0, start, []Field{duration(names.MediaSenseTrackDuration, end-start)}, participant("1", start, duration("participant_duration", end-start))))
	r.Items = append(r.Items, sessionTag("Pause", 3))
	say(r)
}

// TestSessionPermutations: the records of a session and its tags give the same
// in every order.
func TestSessionPermutations(t *testing.T) {
	t.Parallel()
	const id = "6f0137aa21c0de"
	var all []happening
	for _, r := range []Record{
		recordedRecord(id, Start, 0, 0, "c", track(id, 0, 0, nil, participant("1", 0, textField("device_id", "SEP1"))), track(id, 1, 0, nil, participant("2", 0))),
		recordedRecord(id, Update, 0, 30, "c", track(id, 0, 0, nil, participant("1", 0)), track(id, 1, 0, nil, participant("2", 0), participant("3", 30))),
		noteOn(RecordedSession, id, rankTag, 40, sessionTag("Pause", 40)),
		noteOn(RecordedSession, id, rankTagDeleted, 50, removed(sessionTag("complaint", 50))),
		noteOn(Track, id+"-track1", rankTag, 9, trackTag("TrackActive", 9)),
		noteOn(Track, id+"-track1", rankTag, 2, trackTag("TrackInactive", 2)),
		recordedRecord(id, Start, 90, 90, "other"),
		recordedRecord(id, End, 0, 80, "c",
			track(id, 1, 0, []Field{duration(names.MediaSenseTrackDuration, 80)}, participant("3", 30, duration("participant_duration", 50)), trackTag("TrackInactive", 20))),
	} {
		all = append(all, happening{record: r, source: [2]string{"recorder", ""}})
	}
	// The one before, and a tag of the same time that a user set.
	all[6].record = recordedRecord("former", End, -50, -1, "c")
	all[7].record.Items = append(all[7].record.Items, sessionTag("complaint", 50), sessionTag("Resume", 60))
	orders := 40320
	if raceEnabled {
		all, orders = slices.Concat(all[:2], all[3:5], all[6:]), 720
	}
	want := play(t, slices.Clone(all))
	require.Len(t, want, 4)
	runs := 0
	permute(all, 0, func() {
		runs++
		if got := play(t, all); !slices.Equal(want, got) {
			require.Equal(t, want, got, "%v", all)
		}
	})
	assert.Equal(t, orders, runs)
}

// record applies a record.
func (s *story) record(r Record) Ref {
	s.Helper()
	r.Source = NewSource("recorder", "")
	ref, err := s.e.Apply(s.now, &r)
	require.NoError(s, err)
	return ref
}

// shownList shows a list of a stitched object.
func shownList(o Stitched, key string) (shown []string) {
	for _, l := range o.Lists {
		if l.Key == key {
			for _, m := range l.Maps {
				var fields []string
				for _, f := range m {
					fields = append(fields, f.Key+"="+show(f.Value))
				}
				shown = append(shown, strings.Join(fields, " "))
			}
		}
	}
	return shown
}

// TestSession: what comes out of a session and its tracks.
func TestSession(t *testing.T) {
	s := newStory(t, options)
	const id = "S-1"
	s.record(recordedRecord(id, Start, 0, 0, "c",
		track(id, 1, 0, nil, participant("22", 0, textField("device_id", "SEP2"))), track(id, 0, 5, nil)))
	s.record(recordedRecord(id, Update, 0, 30, "c",
		track(id, 1, 0, nil, participant("23", 30, Field{"is_conference", Bool(true)}), participant("22", 0, duration("participant_duration", 30)))))
	s.record(noteOn(RecordedSession, id, rankTag, 10, sessionTag("Pause", 10)))
	s.record(noteOn(RecordedSession, id, rankTag, 14, sessionTag("Resume", 14)))
	s.record(noteOn(Track, "S-1-Track1", rankTag, 70, trackTag("TrackInactive", 70)))
	s.record(recordedRecord(id, End, 0, 80, "c", track(id, 1, 0, []Field{duration(names.MediaSenseTrackDuration, 79)}), track(id, 0, 5, nil)))
	s.wait(options.Linger)
	all := s.out()
	require.Len(t, all, 3)

	o := all["s-1"]
	assert.Equal(t, ids.Trace(names.KindSession, id), o.Trace)
	assert.Zero(t, o.Parent)
	assert.Equal(t, []string{clock(at(0)), clock(at(80))}, []string{clock(o.Start), clock(o.End)})
	assert.Equal(t, Complete, o.Outcome)
	assert.Equal(t, "2", field(o, names.MediaSenseTrackCount))
	assert.Equal(t, `"CLOSED_NORMAL"`, field(o, names.MediaSenseState))
	assert.Equal(t, []string{"duration=4000 offset=10000"}, shownList(o, names.MediaSensePauses))
	assert.Equal(t, "4", field(o, names.MediaSensePausedSeconds))
	assert.Len(t, shownList(o, names.MediaSenseTags), 2)
	assert.Empty(t, o.ErrorType)

	o = all["s-1-track1"]
	assert.Equal(t, ids.Trace(names.KindSession, id), o.Trace)
	assert.Equal(t, ids.Span(names.KindSession, id), o.Parent)
	assert.Equal(t, ids.Span(names.KindTrack, "s-1-track1"), o.Span)
	assert.Equal(t, at(79), o.End)
	assert.Equal(t, `"s-1"`, field(o, names.MediaSenseSessionID))
	assert.Equal(t, `"c"`, field(o, names.MediaSenseCCID))
	assert.Equal(t, []string{
		fmt.Sprintf(`device_id="SEP2" participant_duration=30000 participant_start_date=%d x_ref_ci="22"`, date(0)),
		fmt.Sprintf(`is_conference=true participant_start_date=%d x_ref_ci="23"`, date(30)),
	}, shownList(o, names.MediaSenseTrackParticipants))
	assert.Equal(t, []string{"duration=9000 offset=70000"}, shownList(o, names.MediaSenseSilences))
	assert.Equal(t, "9", field(o, names.MediaSenseSilentSeconds))

	o = all["s-1-track0"]
	assert.Equal(t, []string{clock(at(5)), clock(at(80))}, []string{clock(o.Start), clock(o.End)}, "without a duration: the session's end")
	assert.Equal(t, "0", field(o, names.MediaSenseSilentSeconds))
}

func TestSessionOutcomes(t *testing.T) {
	f := func(name string, want Outcome, start, end int, tell func(s *story)) {
		t.Helper()
		s := newStory(t, options)
		tell(s)
		s.wait(options.Linger)
		all := s.out()
		if len(all) == 0 {
			s.wait(options.MaxOpen)
			s.wait(options.Linger)
			all = s.out()
		}
		require.Contains(t, all, "s", name)
		for id, o := range all {
			assert.Equal(t, want, o.Outcome, "%s: %s", name, id)
			assert.Equal(t, clock(at(start)), clock(o.Start), "%s: start of %s", name, id)
			assert.Equal(t, clock(at(end)), clock(o.End), "%s: end of %s", name, id)
		}
		s.wait(3 * options.MaxOpen)
		assert.Empty(t, s.out(), name)
		requireEmpty(t, s.e)
	}
	f("the last record says it all", Complete, 0, 80, func(s *story) {
		s.record(recordedRecord("s", End, 0, 80, "", track("s", 0, 0, []Field{duration(names.MediaSenseTrackDuration, 80)})))
	})
	f("tracks end with their session", Complete, 0, 80, func(s *story) {
		s.record(recordedRecord("s", Start, 0, 0, "", track("s", 0, 0, nil), track("s", 1, 0, nil)))
		s.record(recordedRecord("s", End, 0, 80, ""))
	})
	f("also those whose record is late", Complete, 0, 80, func(s *story) {
		s.record(recordedRecord("s", End, 0, 80, ""))
		s.wait(time.Second)
		s.record(recordedRecord("s", Start, 0, 0, "", track("s", 0, 0, nil), track("s", 1, 0, nil)))
		s.e = restart(s.T, s.e, s.now)
		s.wait(options.Linger - time.Second)
		assert.Len(s, s.out(), 1)
		s.wait(graceFirst - options.Linger)
		assert.Empty(s, s.out(), "their own ends may come")
		s.wait(time.Second)
		assert.Len(s, s.out(), 2)
		s.e, s.now = New(options), noon
		s.record(recordedRecord("s", End, 0, 80, ""))
	})
	f("a time of 0 s", Complete, 0, 0, func(s *story) {
		s.record(recordedRecord("s", Start, 0, 0, "", track("s", 0, 0, nil)))
		s.record(recordedRecord("s", End, 0, 0, "", track("s", 0, 0, []Field{duration(names.MediaSenseTrackDuration, 0)})))
	})
	f("no end", Expired, 0, 30, func(s *story) {
		s.record(recordedRecord("s", Start, 0, 0, "", track("s", 0, 0, nil)))
		s.record(recordedRecord("s", Update, 0, 30, "", track("s", 0, 0, nil)))
		s.record(noteOn(RecordedSession, "s", rankTag, 500, sessionTag("a user's, later", 500)))
	})
	f("no date at all: the duration tells", Partial, 30, 80, func(s *story) {
		s.record(Record{Kind: RecordedSession, ID: "s", Phase: End, Time: at(80), Index: rankEnded, Fields: []Field{duration(names.MediaSenseDuration, 50)}})
	})
	f("dates that cannot be", Complete, 0, 80, func(s *story) {
		odd := []Field{{names.MediaSenseStartDate, Int(-5)}, {names.MediaSenseDuration, Double(1e300)}}
		s.record(Record{Kind: RecordedSession, ID: "s", Phase: Start, Time: at(0), Index: rankStarted, Fields: odd})
		s.record(Record{Kind: RecordedSession, ID: "s", Phase: End, Time: at(80), Index: rankEnded, Fields: odd})
	})
}

func TestSessionStatus(t *testing.T) {
	for state, want := range map[string]string{
		"CLOSED_NORMAL": "", "ACTIVE": "", "": "", "DELETED": "", "CLOSED": "", "closed_normal": "",
		"CLOSED_ERROR": "CLOSED_ERROR", "CLOSED_DISK_FULL": "CLOSED_DISK_FULL",
	} {
		s := newStory(t, options)
		r := recordedRecord("s", End, 0, 0, "")
		r.Fields[2] = textField(names.MediaSenseState, state)
		s.record(r)
		s.wait(options.Linger)
		assert.Equal(t, want, s.out()["s"].ErrorType, state)
	}
}

// TestOnlyNotes: what only tags were about is not emitted, and not kept for
// ever; neither are tags of what was emitted and forgotten long ago.
func TestOnlyNotes(t *testing.T) {
	for _, records := range [][]Record{
		{noteOn(RecordedSession, "s", rankTag, 0, sessionTag("x", 0))},
		{noteOn(Track, "s-track0", rankTag, 0, trackTag("x", 0))},
		{noteOn(RecordedSession, "s", rankTag, 0, sessionTag("x", 0)), noteOn(Track, "s-track0", rankTag, 0, trackTag("x", 0)), noteOn(Track, "s-track9", rankTag, 0)},
	} {
		s := newStory(t, options)
		for _, r := range records {
			s.record(r)
			s.wait(time.Minute)
		}
		s.e = restart(t, s.e, s.now)
		s.wait(options.MaxOpen)
		assert.Empty(t, s.out())
		assert.Positive(t, s.e.Stats().Unclaimed)
		requireEmpty(t, s.e)
	}

	s := newStory(t, options)
	s.record(noteOn(Track, "s-track5", rankTag, 0, trackTag("x", 0)))
	s.record(recordedRecord("s", End, 0, 10, ""))
	s.wait(options.Linger)
	assert.Len(t, s.out(), 1, "a track that its session does not know")

	s = newStory(t, options)
	s.record(noteOn(RecordedSession, "s", rankTag, 0))
	s.e.Finish(s.now)
	assert.Empty(t, s.out())
	requireEmpty(t, s.e)
}

// A session stays as long as a track of it is there, and is forgotten with it.
func TestTrackKeepsItsSession(t *testing.T) {
	s := newStory(t, options)
	s.record(recordedRecord("s", End, 0, 80, "c"))
	s.wait(options.Linger)
	assert.Len(t, s.out(), 1)
	s.record(noteOn(Track, "s-track0", rankTag, 5, trackTag("x", 5)))
	late := recordedRecord("s", Start, 0, 0, "c", track("s", 0, 0, nil), track("s", 1, 0, nil))
	ref := s.record(late)
	stamp, ok := s.e.Stamp(ref)
	require.True(t, ok)
	assert.Equal(t, []Field{textField(names.MediaSenseCCID, "c"), textField(names.MediaSenseSessionID, "s"), {names.MediaSenseStartDate, Int(date(0))}}, stamp.Context)
	assert.EqualValues(t, 1, s.e.Stats().Late)
	s.wait(options.Linger)
	assert.Empty(t, s.out(), "a late record makes no tracks")
	s.wait(2 * options.MaxOpen)
	requireEmpty(t, s.e)
}

// TestSameCall: a session links to the one before it with the same ccid,
// whether that is still there, was emitted, or came back with a restart.
func TestSameCall(t *testing.T) {
	for _, when := range []string{"open", "emitted", "restarted"} {
		s := newStory(t, options)
		s.record(recordedRecord("third", Start, 200, 200, "c"))
		s.record(recordedRecord("first", Start, 0, 0, "c"))
		s.record(recordedRecord("second", Start, 100, 100, "c"))
		s.record(recordedRecord("same", Start, 100, 100, "c"))
		s.record(recordedRecord("other", Start, 150, 150, "d"))
		s.record(recordedRecord("none", Start, 160, 160, ""))
		s.record(noteOn(RecordedSession, "noted", rankTag, 170))
		if when != "open" {
			for _, id := range []string{"first", "second", "same"} {
				s.record(recordedRecord(id, End, map[string]int{"first": 0}[id]+map[string]int{"second": 100, "same": 100}[id], 180, "c"))
			}
			s.wait(options.Linger)
			all := s.out()
			assert.Len(t, all, 3)
			want := []Link{{ids.Trace(names.KindSession, "first"), ids.Span(names.KindSession, "first"), linkSameCall}}
			assert.Equal(t, want, all["second"].Links)
			assert.Equal(t, want, all["same"].Links)
			assert.Empty(t, all["first"].Links)
		}
		if when == "restarted" {
			s.e = restart(t, s.e, s.now)
		}
		for id, start := range map[string]int{"third": 200, "other": 150, "none": 160} {
			r := recordedRecord(id, End, start, 300, "c")
			r.Fields[1].Value = Text(map[string]string{"third": "c", "other": "d"}[id])
			s.record(r)
		}
		s.wait(options.Linger)
		all := s.out()
		assert.Equal(t, []Link{{ids.Trace(names.KindSession, "same"), ids.Span(names.KindSession, "same"), linkSameCall}}, all["third"].Links, when)
		assert.Empty(t, all["other"].Links, when)
		assert.Empty(t, all["none"].Links, when)
	}
}

// TestSameCallByNearEnd: sessions without a ccid link by the near end's
// reference, at one call controller; a ccid counts alone where there is one.
func TestSameCallByNearEnd(t *testing.T) {
	sessions := []struct {
		id, ccid, nearEnd, controller string
		start                         int
		want                          string
	}{
		{"a1", "c", "", "", 0, ""},
		{"a2", "c", "", "", 75, "a1"},
		{"b1", "", "27000001", "192.0.2.80", 200, ""},
		{"b2", "", "27000001", "192.0.2.80", 260, "b1"},
		{"b3", "", "27000001", "192.0.2.80", 300, "b2"},
		{"other controller", "", "27000001", "192.0.2.81", 310, ""},
		{"no controller", "", "27000001", "", 320, ""},
		{"other leg", "", "27000002", "192.0.2.80", 330, ""},
		{"nothing", "", "", "", 340, ""},
		{"both", "c", "27000001", "192.0.2.80", 350, "a2"},
		{"the text of a reference", "27000001", "", "", 360, ""},
	}
	for _, when := range []string{"open", "emitted", "restarted"} {
		s := newStory(t, options)
		all := map[string]Stitched{}
		for _, c := range sessions {
			for _, phase := range []Phase{Start, End} {
				r := recordedRecord(c.id, phase, c.start, c.start+30, c.ccid)
				r.Fields = append(r.Fields, textField(names.MediaSenseNearEnd, c.nearEnd), textField(names.MediaSenseController, c.controller))
				s.record(r)
			}
			if when == "open" {
				continue
			}
			s.wait(options.Linger)
			maps.Copy(all, s.out())
			if when == "restarted" {
				s.e = restart(t, s.e, s.now)
			}
		}
		s.wait(options.Linger)
		maps.Copy(all, s.out())
		for _, c := range sessions {
			var want []Link
			if c.want != "" {
				want = []Link{{ids.Trace(names.KindSession, c.want), ids.Span(names.KindSession, c.want), linkSameCall}}
			}
			assert.Equal(t, want, all[c.id].Links, "%s: %s", when, c.id)
		}
	}
}

// TestItems: what has the last word, and what is gone.
func TestItems(t *testing.T) {
	s := newStory(t, options)
	user := func(kind string) Item {
		return Item{List: names.MediaSenseTags, At: 5, ID: "x", Fields: []Field{textField(names.ElementTagName, "x"), textField(names.ElementTagType, kind)}}
	}
	s.record(noteOn(RecordedSession, "s", rankTag+1, 5, user("updated")))
	s.record(noteOn(RecordedSession, "s", rankTag, 5, user("added")))
	s.record(noteOn(RecordedSession, "s", rankTagDeleted, 6, removed(sessionTag("gone", 6))))
	s.record(noteOn(RecordedSession, "s", rankTag, 6, sessionTag("gone", 6)))
	end := recordedRecord("s", End, 0, 80, "")
	end.Items = []Item{sessionTag("b", 0), sessionTag("a", 0), sessionTag("gone", 6), user("in the end"), sessionTag("later", 7)}
	s.record(end)
	s.wait(options.Linger)
	var tags []string
	for _, shown := range shownList(s.out()["s"], names.MediaSenseTags) {
		_, shown, _ = strings.Cut(shown, "tag_name=")
		tags = append(tags, strings.ReplaceAll(shown, `"`, ""))
	}
	assert.Equal(t, []string{
		"a tag_offset=0 tag_type=SYSTEM_DEFINED", "b tag_offset=0 tag_type=SYSTEM_DEFINED", "x tag_type=updated", "later tag_offset=7000 tag_type=SYSTEM_DEFINED",
	}, tags)
}

func TestSpells(t *testing.T) {
	f := func(want string, tags ...Item) {
		t.Helper()
		s := newStory(t, options)
		r := recordedRecord("s", End, 0, 100, "")
		r.Items = tags
		s.record(r)
		s.wait(options.Linger)
		o := s.out()["s"]
		var all []string
		for _, spell := range shownList(o, names.MediaSensePauses) {
			var duration, offset int
			_, err := fmt.Sscanf(spell, "duration=%d offset=%d", &duration, &offset)
			require.NoError(t, err)
			all = append(all, fmt.Sprintf("%d+%d", offset/1000, duration/1000))
		}
		assert.Equal(t, want, strings.Join(append(all, "= "+field(o, names.MediaSensePausedSeconds)), " "))
	}
	pause, resume := func(at int) Item { return sessionTag("Pause", at) }, func(at int) Item { return sessionTag("Resume", at) }
	f("= 0")
	f("10+20 = 20", resume(30), pause(10))
	f("10+5 40+60 = 65", pause(40), resume(15), pause(10))
	f("10+20 = 20", pause(10), pause(20), resume(30), resume(40))
	f("= 0", resume(40))
	f("90+10 = 10", pause(90), resume(200))
	f("100+0 = 0", pause(150))
	f("0+0 = 0", pause(0), resume(0))
	byUser := pause(10)
	byUser.Fields[1].Value = Text("USER_DEFINED")
	f("= 0", byUser)
	whole := pause(10)
	whole.At = -1
	f("= 0", whole)
}

// TestManyItems: a sender that names ever more items fills an object and no
// more; which of them are kept does not depend on the order.
func TestManyItems(t *testing.T) {
	var items []Item
	for n := range 3 * maxItems {
		items = append(items, sessionTag(fmt.Sprint("tag ", n), n))
	}
	shown := func(reverse bool) []string {
		s := newStory(t, options)
		all := slices.Clone(items)
		if reverse {
			slices.Reverse(all)
		}
		for some := range slices.Chunk(all, 100) {
			s.record(noteOn(RecordedSession, "s", rankTag, 0, some...))
		}
		s.record(recordedRecord("s", End, 0, 80, ""))
		assert.Positive(t, s.e.Stats().Dropped)
		s.wait(options.Linger)
		return shownList(s.out()["s"], names.MediaSenseTags)
	}
	want := shown(false)
	assert.Len(t, want, maxItems)
	assert.Equal(t, want, shown(true))
}

// TestHostileSessions: long values, long ids and many tracks take no more than
// their room, and the session ends.
func TestHostileSessions(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	s := newStory(t, options)
	r := recordedRecord("s", End, 0, 80, "c")
	r.Fields = append(r.Fields, textField("long", long), Field{"opaque", Opaque(long)})
	for n := range 1000 {
		it := sessionTag(long[:1<<20>>min(n, 8)], n)
		it.ID = fmt.Sprint(n, it.ID)
		it.Fields = append(it.Fields, Field{"opaque", Opaque(long)})
		r.Items = append(r.Items, it)
	}
	s.record(r)
	s.record(noteOn(Track, long+"-track0", rankTag, 0))
	s.record(recordedRecord(long, End, 0, 10, long, track(long, 0, 0, nil)))
	assert.LessOrEqual(t, s.e.Stats().Bytes, 3*maxBlock)
	s.e = restart(t, s.e, s.now)
	s.wait(options.Linger)
	s.e.VisitPendingEmits(Ref{}, 10, func(o *Stitched) {
		assert.Equal(t, Complete, o.Outcome)
		if o.ID == "s" {
			assert.Equal(t, at(80), o.End)
		}
	})
	finish(t, s.e, s.now)

	_, ok := TrackID("s", MaxTracks)
	assert.False(t, ok)
	_, ok = TrackID("s", -1)
	assert.False(t, ok)
}

// TestAlwaysFullOfSessions: an engine that is full all the time of sessions,
// their tracks, and tags of both.
func TestAlwaysFullOfSessions(t *testing.T) {
	limited := options
	limited.MaxObjects = 50
	for seed := range uint64(5) {
		w := newWorld(seed, 1)
		e := New(limited)
		now := noon
		for n := range 5_000 {
			now = now.Add(time.Second)
			id := fmt.Sprint("s", n/4+w.IntN(20))
			phase := Phase(w.IntN(4))
			r := recordedRecord(id, phase, n, n, fmt.Sprint("c", n/10), track(id, w.IntN(3), n, nil), track(id, w.IntN(3), n, nil))
			if phase == Note {
				r = noteOn(RecordedSession, id, rankTag, n, sessionTag("Pause", n))
				if w.chance(50) {
					r.Kind, r.ID = Track, id+"-track2"
				}
			}
			r.Source = NewSource("recorder", "")
			if _, err := e.Apply(now, &r); err != nil {
				require.ErrorIs(t, err, ErrFull)
			}
			if w.chance(20) {
				advance(e, now)
				emit(e, now)
			}
			require.LessOrEqual(t, e.objects.used(), limited.MaxObjects)
		}
		finish(t, e, now)
	}
}

// An engine that is full of what only tags were about lets that go.
func TestFullOfNotes(t *testing.T) {
	limited := options
	limited.MaxObjects = 100
	s := newStory(t, limited)
	for n := range 50 {
		id, _ := TrackID(fmt.Sprint("s", n), 0)
		s.record(noteOn(Track, id, rankTag, 0, trackTag("x", 0)))
	}
	_, err := s.try("a", CallLeg, "l", Start, 0)
	require.ErrorIs(t, err, ErrFull)
	assert.Empty(t, s.out())
	s.tell("a", CallLeg, "l", Start, 0)
	assert.Zero(t, s.e.Stats().Evicted)
}

// Of a recorded call with more sessions than are looked at none has a former
// one, in whatever order they came.
func TestTooManySessionsOfACall(t *testing.T) {
	s := newStory(t, options)
	for n := range 2 * maxSessionsOfCall {
		s.record(recordedRecord(fmt.Sprint("s", n), Start, n, n, "c"))
	}
	s.record(recordedRecord("s5", End, 5, 500, "c"))
	s.wait(options.Linger)
	before := s.e.steps
	assert.Empty(t, s.out()["s5"].Links)
	assert.LessOrEqual(t, s.e.steps-before, uint64(2*maxSessionsOfCall))
}
