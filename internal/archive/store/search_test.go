// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// searchDay has a call of everything that can be searched for.
func searchDay() *Batch {
	over := func(id string, seconds float64) Object {
		return Object{
			ID: id, TraceID: "t" + id, SpanID: "s" + id, State: StateEnded, Outcome: "complete", Bridge: "bridge-7", System: "cms-oslo", StartedAt: at(seconds),
			EndedAt: at(seconds + 60), LastHeardAt: at(seconds + 60), DurationSeconds: new(60.0), Phase: Stitched,
		}
	}
	return &Batch{
		Calls: []Call{{Object: over("c", 0), Room: Room{RoomName: "Übersee board"}, OwnerName: "Office of the CTO"}},
		Legs: []Leg{
			{Object: over("l1", 0), DisplayName: "Nora Quill", RemoteParty: "nora.quill@example.test", LocalAddress: "1000@meet.test", Role: "participant"},
			{Object: over("l2", 10), DisplayName: "NORA QUILL", RemoteParty: "n.quill@home.test", Role: "participant"},
			{Object: over("l3", 20), DisplayName: "100% \"quoted\" _name_", RemoteParty: "+4420794600", Role: "participant"},
			{Object: over("l4", 30), DisplayName: "Żaneta", Role: "participant"},
		},
		Dialogs: []Dialog{{Object: over("d", 40), FromName: "Ann Ash", ToParty: "desk@example.test", SIPCallID: "x"}},
	}
}

func searched(t *testing.T, s *Store, text string, limit int) ([]string, SearchResult) {
	t.Helper()
	v, err := s.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	r, err := v.Search(t.Context(), text, limit)
	require.NoError(t, err)
	var found []string
	for _, term := range r.Terms {
		found = append(found, string(term.Kind)+" "+term.Text)
	}
	slices.Sort(found)
	return found, r
}

// A text is found wherever it stands, whoever it belongs to, in any case and order
// of words.
func TestSearch(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		_, err := s.Write(t.Context(), searchDay())
		require.NoError(t, err)
		for text, want := range map[string][]string{
			"quill":        {"address n.quill@home.test", "address nora.quill@example.test", "name NORA QUILL"},
			"QUILL nora":   {"address nora.quill@example.test", "name NORA QUILL"},
			"079":          {"address +4420794600"},
			"erSEE":        {"room Übersee board"},
			"übersee":      {"room Übersee board"},
			"ŻAN":          {"name Żaneta"},
			"0% \"quo":     {"name 100% \"quoted\" _name_"},
			"_name_":       {"name 100% \"quoted\" _name_"},
			"of cto":       {"owner Office of the CTO"},
			"oslo":         {"bridge cms-oslo"},
			"bridge-7":     {"bridge bridge-7"},
			"1000@m":       {"dialled 1000@meet.test"},
			"ann":          {"name Ann Ash"},
			"desk":         {"address desk@example.test"},
			"no":           {"address nora.quill@example.test", "name NORA QUILL"}, // short: from the beginning
			"%%%":          nil,
			"\" OR \"":     nil,
			"nobody here":  nil,
			"":             nil,
			"   ":          nil,
			"n.quill home": {"address n.quill@home.test"},
		} {
			found, r := searched(t, s, text, 20)
			assert.Equal(t, want, found, text)
			assert.False(t, r.More, text)
		}
		found, r := searched(t, s, "quill", 1)
		assert.Len(t, found, 2, "one of each kind")
		assert.True(t, r.More)
		_, r = searched(t, s, "no", 20)
		assert.Equal(t, SearchBeginning, r.Way)
	})
}

// Who may not create the extension searches what was seen last.
func TestSearchWithoutTrigrams(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		if driver == SQLite {
			t.Skip("SQLite always has them")
		}
		s := openTest(t, driver, source)
		require.True(t, s.d.hasTrigrams(), "the tests' PostgreSQL has pg_trgm")
		s.d.(*postgresDialect).hasTrgm = false
		_, err := s.Write(t.Context(), searchDay())
		require.NoError(t, err)
		found, r := searched(t, s, "quill nor", 20)
		assert.Equal(t, []string{"address nora.quill@example.test", "name NORA QUILL"}, found)
		assert.Equal(t, SearchNewest, r.Way)
	})
}

// A term is written once a day, is made newer, and goes when its rows are gone.
func TestTermsAreWrittenOnceADay(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		seen := func() time.Time {
			_, r := searched(t, s, "n.quill", 20)
			require.Len(t, r.Terms, 1)
			return r.Terms[0].LastSeenAt
		}
		leg := func(id string, after time.Duration) *Batch {
			b := searchDay()
			l := b.Legs[1]
			l.ID, l.SpanID, l.StartedAt, l.EndedAt, l.LastHeardAt = id, id, l.StartedAt.Add(after), l.EndedAt.Add(after), l.LastHeardAt.Add(after)
			return &Batch{Legs: []Leg{l}}
		}
		for _, step := range []struct {
			after, want time.Duration
		}{{0, 0}, {time.Hour, 0}, {30 * time.Hour, 30 * time.Hour}, {2 * time.Hour, 30 * time.Hour}} {
			_, err := s.Write(t.Context(), leg("l"+step.after.String(), step.after))
			require.NoError(t, err)
			assert.Equal(t, at(70).Add(step.want), seen())
		}
		_, err := s.Expire(t.Context(), at(0).Add(40*time.Hour))
		require.NoError(t, err)
		seen() // its rows are gone, and a day's name may be a day older than its last row
		_, err = s.Expire(t.Context(), at(0).Add(100*time.Hour))
		require.NoError(t, err)
		found, _ := searched(t, s, "quill", 20)
		assert.Empty(t, found)
	})
}

// An archive of an older release can be searched after the upgrade.
func TestSearchOfAnOldArchive(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		old, err := open(t.Context(), driver, source, 2)
		require.NoError(t, err)
		tx, err := old.d.begin(t.Context())
		require.NoError(t, err)
		for i, name := range []string{"Nora Quill", "nora quill", "Żaneta"} {
			_, err = tx.exec(t.Context(), "INSERT INTO call_legs (id, trace_id, span_id, state, started_at, last_heard_at, display_name, phase, digest) "+
				"VALUES ($1, 't', 's', 'ended', '2026-03-05 12:00:00.000', '2026-03-05 12:00:01.000', $2, 4, 0)", strings.Repeat("l", i+1), name)
			require.NoError(t, err)
		}
		require.NoError(t, tx.commit(t.Context()))
		require.NoError(t, old.Close())
		s := openTest(t, driver, source)
		found, r := searched(t, s, "uill", 20)
		assert.Equal(t, []string{"name Nora Quill"}, found)
		assert.Equal(t, at(1), r.Terms[0].LastSeenAt)
		found, _ = searched(t, s, "żan", 20)
		assert.Equal(t, []string{"name Żaneta"}, found)
	})
}
