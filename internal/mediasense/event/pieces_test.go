// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// list writes so many items as JSON.
func list(n int, item func(int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

// TestPieces: a long event becomes several, none of them long, that together say
// what it says, each of it once.
func TestPieces(t *testing.T) {
	id := func(i int) string { return fmt.Sprintf(`"5f%012d"`, i) }
	tag := func(i int) string {
		return fmt.Sprintf(`{"tagName":"TrackInactive","tagType":"SYSTEM_DEFINED","tagCreateDate":1718010011326,"tagOffset":%d}`, i)
	}
	party := func(i int) string {
		return fmt.Sprintf(`{"deviceRef":"%d","participantStartDate":1718010011326,"xRefCi":"%d"}`, i, 27000001+i)
	}
	session := func(tags, trackTags, parties int) string {
		return `{"eventType":"SESSION_EVENT","eventAction":"ENDED","beside":"x","eventBody":{"sessionId":"a","sessionStartDate":1718010000123,"sessionDuration":83940,` +
			`"sessionState":"CLOSED_NORMAL","tags":` + list(tags, tag) + `,"tracks":[{"trackNumber":1,"codec":"PCMU","tags":` + list(trackTags, tag) +
			`,"participants":` + list(parties, party) + `},{"trackNumber":0,"codec":"PCMU"}],"urls":[{"wavUrl":"x"}]}}`
	}
	pruned := `{"eventType":"SESSION_EVENT","eventAction":"PRUNED","eventBody":{"sessionIds":` + list(20_000, id) + `}}`
	for name, c := range map[string]struct {
		body                                       string
		sessions, tags, tracks, trackTags, parties int
	}{
		"pruned sessions": {pruned, 20_000, 0, 0, 0, 0},
		"a damaged one":   {strings.TrimSuffix(pruned, "}") + ",", 20_000, 0, 0, 0, 0},
		"session tags":    {session(10_000, 3, 2), 0, 10_000, 2, 3, 2},
		"track tags":      {session(3, 10_000, 2), 0, 3, 2, 10_000, 2},
		"participants":    {session(3, 2, 9_000), 0, 3, 2, 2, 9_000},
		"everything":      {session(8_000, 8_000, 8_000), 0, 8_000, 2, 8_000, 8_000},
	} {
		t.Run(name, func(t *testing.T) {
			batch := decode(c.body)
			coversAll(t, c.body, &batch)
			require.Greater(t, len(batch.Events), 1)
			var sessions, tags, trackTags, parties int
			tracks := map[int64]bool{}
			keys := map[Key]bool{}
			for i := range batch.Events {
				e := &batch.Events[i]
				assert.Equal(t, batch.Events[0].Type, e.Type)
				assert.Equal(t, []int{i + 1, len(batch.Events)}, []int{e.Part, e.Parts})
				assert.Less(t, sizeOf(&Value{Kind: KindMap, Members: e.Body}), 2*MaxPiece)
				assert.True(t, json.Valid([]byte(e.Raw)))
				alone := one(t, e.Raw)
				assert.True(t, reflect.DeepEqual(e.Body, alone.Body), "what the piece alone would have been posted as")
				for _, key := range e.Keys(nil) {
					if keys[key] {
						t.Fatal("a key twice")
					}
					keys[key] = true
				}
				if c.sessions > 0 {
					sessions += len(e.SessionIDs())
				}
				tags += len(e.Items(SessionTags))
				for _, track := range e.Items(Tracks) {
					n, ok := track.Member(TrackNumber)
					require.True(t, ok)
					tracks[n.Int()] = true
					of, _ := track.Member(TrackTags)
					trackTags += len(of.Items)
					of, _ = track.Member(Participants)
					parties += len(of.Items)
				}
				if c.sessions == 0 {
					assert.Equal(t, "a", e.SessionID())
					duration, _ := e.Int(SessionDuration)
					assert.EqualValues(t, 83940, duration)
				}
				assert.Equal(t, i == 0 && c.sessions == 0, len(e.Extra) == 1)
				_, hasURLs := e.Member(URLs)
				assert.Equal(t, i == 0 && c.sessions == 0, hasURLs)
			}
			assert.Equal(t, []int{c.sessions, c.tags, c.tracks, c.trackTags, c.parties}, []int{sessions, tags, len(tracks), trackTags, parties})
			again := decode(c.body)
			assert.True(t, slices.EqualFunc(batch.Events, again.Events, func(a, b Event) bool { return slices.Equal(a.Keys(nil), b.Keys(nil)) }))
		})
	}
	whole := one(t, `{"eventType":"SESSION_EVENT","eventAction":"PRUNED","eventBody":{"sessionIds":`+list(10_000, id)+`}}`)
	assert.Zero(t, whole.Parts)
	assert.Zero(t, one(t, `{"eventType":"TAG_EVENT","eventAction":"ADDED","eventBody":{"sessionId":"a","tagName":"`+strings.Repeat("x", 2*MaxPiece)+`"}}`).Parts, "a single text")
}
