// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// draftTexts are texts that JSON writes as they are, and others.
var draftTexts = []string{
	"", "plain", "Zoë Müller–Łódź 会議", "a \"quoted\" \\ one", "<b> & more", "line\u2028end\u2029", "bad \xff\xfe text", "\ufffd", "tab\tand\x7f\x00",
}

var draftDocuments = []string{
	"", `{}`, `{"a":1,"b":[true,null,"x y"],"ü":"–"}`, `{"a": 1}`, `{"a":"<&>"}`, `{"a":"\u2028"}`, "{\"a\":\"\u2028\"}", `{"a":"\u003c\"\\"}`, `null`, `[1.50e+3]`, "{\"bad\":\"\xff\"}",
}

var draftNumbers = []float64{0, math.Copysign(0, -1), 1, -2.5, 600.123, 1e-6, 9e-7, 1e21, 123456789012345678, 0.1}

var draftTimes = []time.Time{{}, noon, noon.Add(123 * time.Millisecond), noon.Add(1), noon.In(time.FixedZone("", 7200)), time.Unix(0, 0).UTC()}

func pick[V any](random *rand.Rand, of []V) V { return of[random.IntN(len(of))] }

// randomValues make a value of each type that a draft's field has.
var randomValues = map[reflect.Type]func(*rand.Rand) any{
	reflect.TypeFor[string]():          func(r *rand.Rand) any { return pick(r, draftTexts) },
	reflect.TypeFor[time.Time]():       func(r *rand.Rand) any { return pick(r, draftTimes) },
	reflect.TypeFor[*int64]():          func(r *rand.Rand) any { return new(r.Int64() - math.MaxInt64/2) },
	reflect.TypeFor[*float64]():        func(r *rand.Rand) any { return new(pick(r, draftNumbers)) },
	reflect.TypeFor[*bool]():           func(r *rand.Rand) any { return new(r.IntN(2) == 0) },
	reflect.TypeFor[json.RawMessage](): func(r *rand.Rand) any { return json.RawMessage(pick(r, draftDocuments)) },
	reflect.TypeFor[Phase]():           func(r *rand.Rand) any { return Phase(r.IntN(5)) },
	reflect.TypeFor[Revision](): func(r *rand.Rand) any {
		return Revision{Index: uint64(r.IntN(3)), Time: pick(r, draftTimes), Digest: r.Int64N(3) - 1}
	},
}

// randomRow has values in some of its fields.
func randomRow[T any](random *rand.Rand) *T {
	row := new(T)
	for _, f := range draftFieldsOf[T]() {
		if random.IntN(3) > 0 {
			field := reflect.ValueOf(f.field(row)).Elem()
			field.Set(reflect.ValueOf(randomValues[field.Type()](random)))
		}
	}
	return row
}

func randomDraft[T any](random *rand.Rand) *draft[T] {
	d := &draft[T]{Flags: uint8(random.IntN(2)), FirstHeardAt: pick(random, draftTimes), LastHeardAt: pick(random, draftTimes)}
	for range random.IntN(4) {
		d.Statements = append(d.Statements, randomRow[T](random))
	}
	if random.IntN(20) == 0 {
		d.Update = randomRow[T](random)
	}
	return d
}

// A draft's text is that of encoding/json, and is read as encoding/json reads it.
func TestDraftText(t *testing.T) {
	checkDrafts(t, &calls)
	checkDrafts(t, &legs)
	checkDrafts(t, &recordings)
	checkDrafts(t, &sessions)
	checkDrafts(t, &tracks)
	checkDrafts(t, &dialogs)
}

func checkDrafts[T any](t *testing.T, table *table[T]) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 8))
	for range 2000 {
		d := randomDraft[T](random)
		want, err := json.Marshal(d)
		text, ours := table.encodeDraft([]byte("before"), d)
		require.Equal(t, err, ours)
		if err != nil {
			continue
		}
		require.Equal(t, "before"+string(want), string(text), table.name)
		checkDecoded(t, table, want)
	}
}

// checkDecoded compares a read draft with that of encoding/json.
func checkDecoded[T any](t *testing.T, table *table[T], text []byte) {
	t.Helper()
	var want draft[T]
	wantErr := json.Unmarshal(text, &want)
	got, err := table.decodeDraft(text)
	require.Equal(t, wantErr, err, "%s", text)
	require.Equal(t, want, got, "%s", text)
}

// Drafts of records as they are need no help of encoding/json.
func TestPlainDraft(t *testing.T) {
	batch, _ := meetings(1, 9)
	leg := batch.Legs[0]
	leg.DisplayName, leg.CallID = "Zoë Müller", ""
	d := &draft[Leg]{Statements: []*Leg{&leg, &batch.Legs[1]}, Flags: flagConnected, FirstHeardAt: at(1), LastHeardAt: at(2.5)}
	text, ok := legs.appendPlainDraft(nil, d)
	require.True(t, ok)
	var r draftReader
	r.Reset(text)
	var read draft[Leg]
	require.True(t, readPlainDraft(&r, legs.draftFields(), &read))
	assert.Equal(t, *d, read)
}

// FuzzDraft reads any text as encoding/json does.
func FuzzDraft(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		text, err := json.Marshal(randomDraft[Leg](random))
		if err == nil {
			f.Add(text)
		}
	}
	for _, text := range []string{
		`{"start":{"id":"l"},"first":"2026-03-05T12:00:00Z"}`, `{"statements":[{"id":"a","ID":"b"}]}`, `{"statements":[{"phase":300}]}`, `[1]`, `null`, `{}x`,
		`{"first":"2026-03-05T12:00:00\u005a"}`, `{"first":null}`, `{"statements":[{"trace_id":null,"details":null}]}`, `{"flags":1e0}`, ` { "flags":1 } `,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkDecoded(t, &legs, text) })
}
