// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// FuzzOrder: whatever records say, hostile or not, their order, duplicates and
// a restart make no difference. The bytes are read as a list of records.
func FuzzOrder(f *testing.F) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		content := make([]byte, 200)
		for i := range content {
			content[i] = byte(random.IntN(256))
		}
		f.Add(content, seed)
	}
	f.Fuzz(func(t *testing.T, content []byte, seed uint64) {
		all := happenings(content)
		want := play(t, all)
		random := rand.New(rand.NewPCG(seed, 4))
		again := slices.Concat(all, all[:random.IntN(len(all)+1)])
		random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		stop := random.IntN(len(again) + 1)
		e := New(options)
		for i := range again {
			if i == stop {
				e = restart(t, e, noon)
			}
			again[i].happen(t, e, noon)
		}
		require.Equal(t, want, finish(t, e, noon))
	})
}

var recordedSessions = []string{"Session-1", guid(6, 1)}

// fuzzedItems makes up items of few lists, places and ids.
func fuzzedItems(next func() int) (items []Item) {
	lists := []string{names.MediaSenseTags, names.MediaSenseTrackTags, names.MediaSenseTracks, "list"}
	tags := []string{"Pause", "Resume", "TrackInactive", "TrackActive", ""}
	for range next() % 4 {
		it := Item{List: lists[next()%len(lists)], At: int64(next()%5) - 1, ID: tags[next()%2], Removed: next()%8 == 0}
		for range next() % 3 {
			value := Text(tags[next()%len(tags)])
			if next()%4 == 0 {
				value = Int(int64(next()))
			}
			it.Fields = append(it.Fields, Field{[]string{names.ElementTagName, names.ElementTagType, "x"}[next()%3], value})
		}
		items = append(items, it)
	}
	return items
}

// happenings reads bytes as what happens. One record's index is one time, and an
// object is of one session, as the senders have it.
func happenings(content []byte) (all []happening) {
	next := func() int {
		if len(content) == 0 {
			return 0
		}
		b := content[0]
		content = content[1:]
		return int(b)
	}
	texts := []string{"", "x", guid(1, 1), guid(4, 1), guid(4, 2), "Call/1", "connected", lyncSharing, "incoming", "\xff\x00"}
	keys := []string{
		names.CallID, legKey("ivr"), legKey("state"), names.ParticipantID, names.SIPCallID, legKey("movedCallLeg"),
		legKey("replacesSipCallId"), names.CallCorrelator, legKey("lyncSubType"), legKey("direction"), "other",
		names.MediaSenseCCID, names.MediaSenseStartDate, names.MediaSenseDuration, names.MediaSenseState, names.MediaSenseTrackStartDate, names.MediaSenseTrackDuration,
		names.MediaSenseNearEnd, names.MediaSenseController,
	}
	for len(content) > 0 && len(all) < 40 {
		index := next()
		resource := string(rune('a' + index%2))
		if index == 255 {
			all = append(all, happening{session: "session a", at: at(next())})
			continue
		}
		r := Record{
			Kind: Kind(next() % int(kinds)), Phase: Phase(next() % 3), Time: at(next()), Index: uint64(len(all)),
			ID: texts[2+next()%4],
		}
		switch r.Kind {
		case RecordedSession:
			r.ID, r.Phase = recordedSessions[next()%2], r.Phase+Phase(next()%2)
		case Track:
			r.ID, r.Phase = recordedSessions[next()%2]+"-track"+strconv.Itoa(next()%2), r.Phase+Phase(next()%2)
		case Dialog, DialogFork:
			all = append(all, happening{record: fuzzedMessage(next), source: [2]string{"resource " + resource, ""}})
			continue
		case APIRequest, ScheduledMeeting:
			all = append(all, happening{record: fuzzedRequest(next), source: [2]string{"resource " + resource, ""}})
			continue
		case Call, CallLeg, Recording, Streaming:
		}
		seen := map[string]bool{}
		for range next() % 6 {
			key := keys[next()%len(keys)]
			if seen[key] || key == r.Kind.IDKey() {
				continue
			}
			seen[key] = true
			value := Text(texts[next()%len(texts)])
			switch next() % 8 {
			case 0:
				value = Int(int64(next()) - 100)
			case 1:
				value = Double(float64(next()) / 4)
			case 2:
				value = Bool(true)
			case 3:
				value = Opaque("o")
			}
			r.Fields = append(r.Fields, Field{key, value})
		}
		r.Items = fuzzedItems(next)
		if r.Kind == RecordedSession {
			for range next() % 3 {
				r.Parts = append(r.Parts, Part{Kind: Track, ID: recordedSessions[next()%2] + "-track" + strconv.Itoa(next()%2), Items: fuzzedItems(next)})
			}
		}
		all = append(all, happening{record: r, source: [2]string{"resource " + resource, "session a"}})
	}
	return all
}

// fuzzedRequest is a request of one of two clients about one of a few calls or spaces. A
// bridge gives a number once.
func fuzzedRequest(next func() int) Record {
	number, seconds := next(), next()
	methods := []string{"GET", "POST", "PUT", "DELETE", ""}
	routes := []string{routeCalls, routeCall, routeCallLegs, routeSpace, "/api/v1/system/status", ""}
	calls := []string{guid(1, 1), "Call/1", ""}
	more := []Field{
		onCall(calls[next()%3]), onSpace(guid(9, next()%2)), textField(names.ClientAddress, []string{"192.0.2.9", "192.0.2.8", ""}[next()%3]),
	}
	if next()%2 == 0 {
		more = append(more, created("/api/v1/calls/x"))
	}
	if access := next() % 3; access > 0 {
		more = append(more, opened(access == 1))
	}
	if next()%4 == 0 {
		more = append(more, textField(names.CallLegID, guid(4, next()%2)), titled("\xff"))
	}
	return apiRequest("bridge", int64(number), seconds, methods[next()%len(methods)], routes[next()%len(routes)], int64(100+100*(next()%5)), more...)
}
