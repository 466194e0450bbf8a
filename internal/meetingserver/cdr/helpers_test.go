// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const fixtureRoot = "../../../testdata/cms-cdr"

// fixtures returns all example bodies by their path below the fixture root.
func fixtures(tb testing.TB) map[string]string {
	tb.Helper()
	bodies := make(map[string]string)
	for _, pattern := range []string{"*.xml", "*/*.xml", "*/*.txt"} {
		paths, err := filepath.Glob(filepath.Join(fixtureRoot, pattern))
		require.NoError(tb, err)
		for _, path := range paths {
			body, err := os.ReadFile(path)
			require.NoError(tb, err)
			name, err := filepath.Rel(fixtureRoot, path)
			require.NoError(tb, err)
			bodies[filepath.ToSlash(name)] = string(body)
		}
	}
	require.Greater(tb, len(bodies), 40, "the fixtures are missing")
	return bodies
}

// fixtureManifest returns the list of the fixtures: file, well-formed, note.
func fixtureManifest(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(fixtureRoot, "MANIFEST.tsv"))
	require.NoError(tb, err)
	return string(text)
}

// body puts records into a root as the wire does.
func body(records ...string) string {
	return `<?xml version="1.0"?><records session="s">` + strings.Join(records, "\n") + "\n</records>\n"
}

// record is a good record with an index to tell it by.
func record(index int) string {
	i := strconv.Itoa(index)
	return `<record type="callEnd" time="2024-03-05T09:14:02Z" recordIndex="` + i + `" correlatorIndex="` + i + `">` +
		"\n<call id=\"c" + i + `"><callLegsCompleted>` + i + `</callLegsCompleted></call></record>`
}

// decode reads a body with a Decoder of its own.
func decode(body string) *Batch { return new(Decoder).Decode(body) }

// only returns the one record of a body that has nothing else.
func only(t *testing.T, text string) *Record {
	t.Helper()
	batch := decode(body(text))
	require.Empty(t, batch.Malformed, "%s", text)
	require.Len(t, batch.Records, 1, "%s", text)
	return &batch.Records[0]
}

// fields renders a record's fields: documented ones by their path, others with
// a question mark before it.
func fields(r *Record) []string {
	shown := make([]string, 0, len(r.Fields))
	for i := range r.Fields {
		f := &r.Fields[i]
		path := "?" + f.Path
		if f.ID != Unknown {
			path = Documented(f.ID).Path
		}
		shown = append(shown, path+"="+value(f.Value))
	}
	return shown
}

// alarms renders a record's alarms.
func alarms(r *Record) []string {
	shown := make([]string, 0, len(r.Alarms))
	for _, a := range r.Alarms {
		shown = append(shown, a.Type+"="+value(a.DurationPercentage))
	}
	return shown
}

// value renders what a caller can get out of a Value, with its kind.
func value(v Value) string {
	switch v.Kind {
	case KindID:
		return "id:" + v.Text
	case KindBool:
		return "bool:" + strconv.FormatBool(v.Bool())
	case KindInt:
		return "int:" + strconv.FormatInt(v.Int(), 10)
	case KindDouble:
		return "double:" + strconv.FormatFloat(v.Double(), 'g', -1, 64)
	default:
		return "text:" + v.Text
	}
}

// indices lists the correlator indices of the good records of a batch.
func indices(b *Batch) []uint64 {
	all := make([]uint64, 0, len(b.Records))
	for i := range b.Records {
		all = append(all, b.Records[i].Index.Value)
	}
	return all
}
