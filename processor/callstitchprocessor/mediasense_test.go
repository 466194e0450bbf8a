// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

const session = "6f0137aa21c0de"

// tagOf is the record of a tag.
func tagOf(event, name string, offset int64, more map[string]any) plog.Logs {
	attributes := map[string]any{
		names.MediaSenseSessionID: session, names.MediaSenseTagName: name, names.MediaSenseTagType: "SYSTEM_DEFINED",
		names.MediaSenseTagOffset: offset, names.MediaSenseTagCreateDate: int64(1718010000000) + offset,
	}
	maps.Copy(attributes, more)
	return say(event, 0, attributes)
}

// TestMediaSenseStamps: what is stamped, with what, when nothing is known yet.
func TestMediaSenseStamps(t *testing.T) {
	onTrack := map[string]any{names.MediaSenseTagTrackNumber: 1}
	for name, c := range map[string]struct {
		logs plog.Logs
		want string // kind and id
	}{
		"tag on a session":     {tagOf(names.EventTagAdded, "x", 5, nil), names.KindSession + " " + session},
		"tag on a track":       {tagOf(names.EventTagAdded, "x", 5, onTrack), names.KindTrack + " " + session + "-track1"},
		"by the track's id":    {tagOf(names.EventTagDeleted, "x", 5, map[string]any{names.MediaSenseTrackID: session + "-track12"}), names.KindTrack + " " + session + "-track12"},
		"a track nobody has":   {tagOf(names.EventTagAdded, "x", 5, map[string]any{names.MediaSenseTagTrackNumber: 64}), names.KindSession + " " + session},
		"a track's own record": {say(names.EventTrackEnded, 0, map[string]any{names.MediaSenseSessionID: session, names.MediaSenseTrackID: session + "-track0"}), names.KindTrack + " " + session + "-track0"},
		"one was deleted":      {say(names.EventSessionDeleted, 0, map[string]any{names.MediaSenseSessionIDs: []any{session}}), names.KindSession + " " + session},
		"two were pruned":      {say(names.EventSessionPruned, 0, map[string]any{names.MediaSenseSessionIDs: []any{session, "b"}}), ""},
		"none was":             {say(names.EventSessionPruned, 0, map[string]any{names.MediaSenseSessionIDs: []any{}}), ""},
		"no text":              {say(names.EventSessionPruned, 0, map[string]any{names.MediaSenseSessionIDs: []any{1}}), ""},
		"a tag of nothing":     {say(names.EventTagAdded, 0, map[string]any{names.MediaSenseTagName: "x"}), ""},
		"a session of nothing": {say(names.EventSessionEnded, 0, map[string]any{names.MediaSenseDuration: 1}), ""},
		"the storage":          {say(names.EventStorageEnterLow, 0, map[string]any{names.MediaSenseStorageNodeID: 1}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(t, nil)
				r.consume(c.logs)
				lr := records(r.next.passed.AllLogs()...)[0]
				kind, id, found := strings.Cut(c.want, " ")
				if !found {
					assert.True(t, lr.TraceID().IsEmpty())
					assert.True(t, lr.SpanID().IsEmpty())
					return
				}
				assert.EqualValues(t, ids.Trace(names.KindSession, session), lr.TraceID())
				assert.EqualValues(t, ids.Span(kind, id), lr.SpanID())
				time.Sleep(r.config.MaxOpen + linger)
				synctest.Wait()
				assert.Empty(t, r.next.spans(), "it says nothing of a session's life")
				assert.Zero(t, r.counts()["open_objects session"]+r.counts()["open_objects track"])
			})
		})
	}
}

// TestDeletedChangesNothing: whether a recording still exists says nothing of
// the session that it is of.
func TestDeletedChangesNothing(t *testing.T) {
	gone := stage(t, "mediasense/session-deleted.json")
	id := pcommon.NewSlice()
	id.AppendEmpty().SetStr(session)
	for _, lr := range records(gone) {
		id.CopyTo(lr.Attributes().PutEmptySlice(names.MediaSenseSessionIDs))
	}
	run := func(deleted bool) map[string]string {
		var spans map[string]string
		synctest.Test(t, func(t *testing.T) {
			r := newHarness(t, nil)
			for _, request := range []string{"session-started", "session-ended"} {
				r.consume(stage(t, "mediasense/"+request+".json"))
				if deleted {
					r.consume(gone)
				}
			}
			time.Sleep(linger)
			r.consume(gone)
			time.Sleep(r.config.MaxOpen + linger)
			r.consume(gone)
			time.Sleep(r.config.MaxOpen + linger)
			synctest.Wait()
			spans = bySpan(t, r.next.spans())
			assert.Zero(t, r.counts()["open_objects session"])
		})
		return spans
	}
	assert.Len(t, run(true), 3)
	assert.Equal(t, run(false), run(true))
}

// FuzzMediaSense: whatever is in records of sessions and tags, nothing but the
// stamps is changed in them, and what comes out in the end does not depend on
// their order or on duplicates.
func FuzzMediaSense(f *testing.F) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 5))
		content := make([]byte, 400)
		for i := range content {
			content[i] = byte(random.IntN(256))
		}
		f.Add(content, seed)
	}
	f.Fuzz(func(t *testing.T, content []byte, seed uint64) {
		all := fuzzedRecords(content)
		want := stitched(t, all)
		random := rand.New(rand.NewPCG(seed, 6))
		again := slices.Concat(all, all[:random.IntN(len(all)+1)])
		random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		require.Equal(t, want, stitched(t, again))
	})
}

// stitched merges and stamps requests, and returns all that is emitted then.
func stitched(t *testing.T, all []plog.Logs) (lines []string) {
	t.Helper()
	s := newState(createDefaultConfig().(*Config))
	known := newSources()
	br := &requestReader{engine: s.engine, sources: &known}
	for _, logs := range all {
		logs = clone(logs)
		before := clone(logs)
		_, err := br.merge(logs, alone(noon))
		require.NoError(t, err)
		require.NoError(t, br.stamp(alone(noon)))
		br.reset()
		var ignored strings.Builder
		describeStamps(t, &ignored, before, logs)
	}
	for s.engine.Finish(noon) {
	}
	b := newBatch("")
	s.engine.VisitPendingEmits(stitch.Ref{}, 1000, b.add)
	for _, lr := range records(b.logs) {
		lines = append(lines, bytesOf(t, lr))
	}
	slices.Sort(lines)
	return lines
}

// fuzzedRecords reads bytes as requests of one record each.
func fuzzedRecords(content []byte) (all []plog.Logs) {
	next := func() int {
		if len(content) == 0 {
			return 0
		}
		b := content[0]
		content = content[1:]
		return int(b)
	}
	events := []string{
		names.EventSessionStarted, names.EventSessionUpdated, names.EventSessionEnded, names.EventTagAdded, names.EventTagUpdated,
		names.EventTagDeleted, names.EventTrackStarted, names.EventSessionPruned, names.EventStorageEnterLow,
	}
	keys := []string{
		names.MediaSenseSessionIDs, names.MediaSenseCCID, names.MediaSenseStartDate, names.MediaSenseDuration, names.MediaSenseState,
		names.MediaSenseTracks, names.MediaSenseTags, names.MediaSenseURLs, names.MediaSenseTrackID, names.MediaSenseTagName, names.MediaSenseTagType,
		names.MediaSenseTagOffset, names.MediaSenseTagCreateDate, names.MediaSenseTagTrackNumber, names.MediaSenseForwarded, names.MediaSensePauses, names.SpanName,
	}
	for len(content) > 0 && len(all) < 12 {
		logs := say(events[next()%len(events)], next(), nil)
		attributes := records(logs)[0].Attributes()
		attributes.PutStr(names.MediaSenseSessionID, []string{session, "B", "b", ""}[next()%4])
		for range next() % 8 {
			fuzzedValue(attributes.PutEmpty(keys[next()%len(keys)]), next, 3)
		}
		all = append(all, logs)
	}
	return all
}

// fuzzedValue makes up a value; lists and maps are at most so deep.
func fuzzedValue(to pcommon.Value, next func() int, deep int) {
	texts := []string{"", "Pause", "Resume", "TrackInactive", "TrackActive", "SYSTEM_DEFINED", "CLOSED_ERROR", session + "-track1", "\xff\x00", "c", "27000001"}
	elements := []string{
		names.ElementTrackNumber, names.ElementParticipants, names.ElementTags, names.ElementDeviceRef, names.ElementXRefCI, names.ElementParticipantStart,
		names.ElementTagName, names.ElementTagType, names.ElementTagOffset, names.ElementTagCreateDate, "track_start_date", "track_duration", "",
	}
	kind := next() % 8
	if deep == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		to.SetStr(texts[next()%len(texts)])
	case 1:
		to.SetInt(int64(next()) - 2)
	case 2:
		to.SetInt(noon.UnixMilli() + int64(next()))
	case 3:
		to.SetDouble(float64(next()) / 3)
	case 4:
		to.SetBool(next()%2 == 0)
	case 5, 6:
		list := to.SetEmptySlice()
		for range next() % 4 {
			fuzzedValue(list.AppendEmpty(), next, deep-1)
		}
	default:
		m := to.SetEmptyMap()
		for range next() % 6 {
			fuzzedValue(m.PutEmpty(elements[next()%len(elements)]), next, deep-1)
		}
	}
}

// TestNearEnd: which sessions are of one call where no ccid says so. Each case
// is two sessions.
func TestNearEnd(t *testing.T) {
	party := func(reference string, since int64) map[string]any {
		return map[string]any{names.ElementXRefCI: reference, names.ElementParticipantStart: since}
	}
	track := func(number int, participants ...any) map[string]any {
		return map[string]any{names.ElementTrackNumber: number, names.ElementParticipants: participants}
	}
	near, far := party("27000001", 5), party("27000003", 5)
	for name, c := range map[string]struct {
		first, second map[string]any
		reason        string
	}{
		"hold and resume":         {map[string]any{names.MediaSenseCCID: "c"}, map[string]any{names.MediaSenseCCID: "c"}, "same_call"},
		"before 8.5(3)":           {map[string]any{names.MediaSenseTracks: []any{track(1, far), track(0, near)}}, map[string]any{names.MediaSenseTracks: []any{track(0, near)}}, "same_call"},
		"the first participant's": {map[string]any{names.MediaSenseTracks: []any{track(0, near)}}, map[string]any{names.MediaSenseTracks: []any{track(0, party("27000009", 9), near, party("", 1))}}, "same_call"},
		"the far end's":           {map[string]any{names.MediaSenseTracks: []any{track(1, near)}}, map[string]any{names.MediaSenseTracks: []any{track(1, near)}}, ""},
		"without a reference":     {map[string]any{names.MediaSenseTracks: []any{track(0, party("", 5))}}, map[string]any{names.MediaSenseTracks: []any{track(0, party("", 5))}}, ""},
		"made up by the recorder": {map[string]any{names.MediaSenseTracks: []any{track(0, party("a1b2", 5))}}, map[string]any{names.MediaSenseTracks: []any{track(0, party("a1b2", 5))}}, ""},
		"a gateway's": {
			map[string]any{names.MediaSenseControllerType: "Cisco-SIPGateway", names.MediaSenseTracks: []any{track(0, near)}},
			map[string]any{names.MediaSenseControllerType: "Cisco-SIPGateway", names.MediaSenseTracks: []any{track(0, near)}},
			"",
		},
		"another ccid": {
			map[string]any{names.MediaSenseCCID: "c", names.MediaSenseTracks: []any{track(0, near)}},
			map[string]any{names.MediaSenseCCID: "d", names.MediaSenseTracks: []any{track(0, near)}},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(t, nil)
				start := noon.UnixMilli()
				for i, attributes := range []map[string]any{c.second, c.first} { // the order does not count
					more := map[string]any{names.MediaSenseSessionID: []string{"2", "1"}[i], names.MediaSenseStartDate: start - int64(i)*60_000, names.MediaSenseDuration: 30_000}
					maps.Copy(more, attributes)
					r.consume(say(names.EventSessionEnded, 0, more))
				}
				time.Sleep(linger)
				synctest.Wait()
				for _, lr := range r.next.spans() {
					if lr.EventName() != names.EventSessionSpan {
						continue
					}
					id, _ := lr.Attributes().Get(names.MediaSenseSessionID)
					links, linked := lr.Attributes().Get(names.SpanLinks)
					if id.Str() == "1" || c.reason == "" {
						assert.False(t, linked, id.Str())
						continue
					}
					require.True(t, linked)
					link := links.Slice().At(0).Map().AsRaw()
					assert.Equal(t, c.reason, link["reason"])
					span := ids.Span(names.KindSession, "1")
					assert.Equal(t, hex.EncodeToString(span[:]), link["span_id"])
				}
			})
		})
	}
}

// TestHugeSession: a sender that sends far too much is counted, not followed.
func TestHugeSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		logs := stage(t, "mediasense/session-ended.json")
		attributes := records(logs)[0].Attributes()
		tracks, _ := attributes.Get(names.MediaSenseTracks)
		long := strings.Repeat("x", 1<<20)
		tracks.Slice().At(0).Map().PutStr("long", long)
		tags, _ := attributes.Get(names.MediaSenseTags)
		for n := range 10_000 {
			track := tracks.Slice().AppendEmpty().SetEmptyMap()
			track.PutInt(names.ElementTrackNumber, int64(n+2))
			tags.Slice().AppendEmpty().SetEmptyMap().PutInt(names.ElementTagOffset, int64(n))
		}
		tags.Slice().AppendEmpty().SetStr("no map")
		r.consume(logs)
		assert.EqualValues(t, 64, r.counts()["open_objects track"])
		assert.Greater(t, r.counts()["attributes_dropped"], int64(19_000))
		time.Sleep(linger)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 65)
	})
}

// TestTagInSeconds: a tag whose date comes in seconds in one record and in
// milliseconds in another is one tag, and can be deleted.
func TestTagInSeconds(t *testing.T) {
	run := func(all ...plog.Logs) (tags []any) {
		synctest.Test(t, func(t *testing.T) {
			r := newHarness(t, nil)
			r.consume(all...)
			r.consume(stage(t, "mediasense/session-ended.json"))
			time.Sleep(linger)
			synctest.Wait()
			for _, lr := range r.next.spans() {
				if v, ok := lr.Attributes().Get(names.MediaSenseTags); ok {
					tags = v.Slice().AsRaw()
				}
			}
		})
		return tags
	}
	complaint := say(names.EventTagAdded, 0, map[string]any{
		names.MediaSenseSessionID: session, names.MediaSenseTagName: "complaint", names.MediaSenseTagType: "USER_DEFINED",
		names.MediaSenseTagCreateDate: int64(1718010090000),
	})
	assert.Len(t, run(), 2)
	assert.Len(t, run(complaint), 2)
	records(complaint)[0].SetEventName(names.EventTagDeleted)
	assert.Len(t, run(complaint), 1)
}

// TestTrackWithoutNumber: it is not mixed up with the first track.
func TestTrackWithoutNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		logs := stage(t, "mediasense/session-ended.json")
		tracks, _ := records(logs)[0].Attributes().Get(names.MediaSenseTracks)
		before := tracks.Slice().Len()
		odd := tracks.Slice().AppendEmpty().SetEmptyMap()
		odd.PutStr("codec", "ZZZZ")
		r.consume(logs)
		assert.EqualValues(t, before, r.counts()["open_objects track"])
		assert.EqualValues(t, 1, r.counts()["attributes_dropped"])
		time.Sleep(linger)
		synctest.Wait()
		for _, lr := range r.next.spans() {
			if codec, ok := lr.Attributes().Get(trackPrefix + "codec"); ok {
				assert.NotEqual(t, "ZZZZ", codec.Str())
			}
		}
	})
}
