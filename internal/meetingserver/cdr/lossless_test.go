// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// part is where a Record.Raw or Malformed.Raw lies in the body.
type part struct{ start, end int }

// offset returns where in text raw lies. It must be a substring of it.
func offset(t *testing.T, text, raw string) int {
	t.Helper()
	if raw == "" {
		return len(text)
	}
	at := int(uintptr(unsafe.Pointer(unsafe.StringData(raw))) - uintptr(unsafe.Pointer(unsafe.StringData(text))))
	require.True(t, at >= 0 && at+len(raw) <= len(text), "%q is no substring of the body", raw)
	return at
}

// uncovered is what may stand outside all parts: the tags of roots, and blanks
// (in whatever disguise), comments, byte order marks and processing instructions
// around them.
var uncovered *regexp.Regexp

func init() {
	misc := `(?:[ \t\r\n]|<!--.*?-->|<\?.*?\?>)`
	fill := `(?:` + misc + `|&#0*(?:9|10|13|32|x0*9|x0*[aA]|x0*[dD]|x0*20);|<!\[CDATA\[[ \t\r\n]*\]\]>)`
	document := `MISC*<records(\s[^<>"']*("[^"<]*"|'[^'<]*'))*\s*(/>|>FILL*(</records\s*>)?)MISC*`
	all := `(?s)^\x{FEFF}?(` + document + `(\x{FEFF}MISC*|` + document + `)*)?$`
	uncovered = regexp.MustCompile(strings.NewReplacer("MISC", misc, "FILL", fill).Replace(all))
}

// checkLossless holds a batch to the package's promise: every byte of the body
// is in exactly one part or is none of a record's.
func checkLossless(t *testing.T, text string, b *Batch) {
	t.Helper()
	var parts []part
	last := 0
	for i := range b.Records {
		raw := b.Records[i].Raw
		at := offset(t, text, raw)
		require.GreaterOrEqual(t, at, last, "records come in the order of the body")
		require.True(t, strings.HasPrefix(raw, "<record") && strings.HasSuffix(raw, ">"), "%q", raw)
		last = at + len(raw)
		parts = append(parts, part{at, last})
	}
	last = 0
	for _, m := range b.Malformed {
		if m.Raw != "" {
			require.Equal(t, offset(t, text, m.Raw), m.Offset)
		}
		require.GreaterOrEqual(t, m.Offset, last, "malformed parts come in the order of the body")
		require.Error(t, m.Err)
		last = m.Offset + len(m.Raw)
		parts = append(parts, part{m.Offset, last})
	}
	slices.SortFunc(parts, func(a, b part) int { return a.start - b.start })
	var rest strings.Builder
	if b.Continues {
		rest.WriteString("<records>") // it stands in the batch before
	}
	end := 0
	for _, p := range parts {
		require.GreaterOrEqual(t, p.start, end, "parts overlap in %q", text)
		rest.WriteString(text[end:p.start])
		end = p.end
	}
	rest.WriteString(text[end:])
	require.Regexp(t, uncovered, rest.String(), "lost from %q", text)
}

// checkBatches holds all batches of a body to the package's promise, and returns
// copies of them.
func checkBatches(t *testing.T, d *Decoder, text string) (batches []Batch) {
	t.Helper()
	malformed, end := 0, 0
	for b := d.Decode(text); b != nil; b = d.DecodeNext() {
		require.True(t, strings.HasPrefix(text[end:], b.Body), "the bodies of the batches are the body")
		end += len(b.Body)
		checkLossless(t, b.Body, b)
		malformed += len(b.Malformed)
		batches = append(batches, Batch{Session: b.Session, CallBridge: b.CallBridge, Records: slices.Clone(b.Records), Malformed: slices.Clone(b.Malformed)})
		for i := range b.Records { // they are overwritten by the next batch
			batches[len(batches)-1].Records[i].Fields = slices.Clone(b.Records[i].Fields)
			batches[len(batches)-1].Records[i].Alarms = slices.Clone(b.Records[i].Alarms)
		}
	}
	require.Len(t, text, end)
	require.LessOrEqual(t, malformed, maxMalformed+len(batches))
	return batches
}

// checkAlone: a record read from a body is read the same from a body of its
// own, so its Raw is all there is to it.
func checkAlone(t *testing.T, r *Record) {
	t.Helper()
	alone := decode("<records>" + r.Raw + "</records>")
	require.Empty(t, alone.Malformed, "%q", r.Raw)
	require.Len(t, alone.Records, 1)
	require.Equal(t, r.Header, alone.Records[0].Header)
	require.Equal(t, r.ID, alone.Records[0].ID)
	require.Equal(t, fields(r), fields(&alone.Records[0]))
	require.Equal(t, alarms(r), alarms(&alone.Records[0]))
}

func FuzzDecode(f *testing.F) {
	for _, text := range fixtures(f) {
		f.Add(text)
	}
	f.Add(body(record(1), "junk", record(2)) + "junk")
	f.Add(body(record(1), "<record><call></record>") + "junk")
	f.Add("<records>&#32;<![CDATA[ ]]><?p?><!-- c --><record><call/></record><x")
	f.Add(body(record(1)) + "\uFEFF\n<?xml version='1.0'?>" + body(record(2)) + "junk<records session='t'>" + record(3))
	f.Fuzz(func(t *testing.T, text string) {
		var d Decoder
		for _, batch := range checkBatches(t, &d, text) {
			for i := range batch.Records {
				checkAlone(t, &batch.Records[i])
			}
		}
	})
}

func TestEveryFixtureIsCovered(t *testing.T) {
	manifest := strings.Split(strings.TrimSpace(fixtureManifest(t)), "\n")[1:]
	bodies := fixtures(t)
	for _, line := range manifest {
		columns := strings.Split(line, "\t")
		text, ok := bodies[columns[0]]
		require.True(t, ok, "%s", columns[0])
		batch := decode(text)
		checkLossless(t, text, batch)
		wellFormed := columns[1] == "true" && columns[0] != "malformed/doctype-entity.xml"
		assert.Equal(t, wellFormed, len(batch.Malformed) == 0, "%s", columns[0])
		if wellFormed {
			assert.Len(t, batch.Records, strings.Count(text, "</record>"), "%s", columns[0])
		}
	}
}

// damages are what can happen to a record in the middle of a body.
var damages = []struct {
	name string
	do   func(text string, at int) string
}{
	{"cut", func(text string, at int) string { return text[:at] }},
	{"drop a byte", func(text string, at int) string { return text[:at] + text[at+1:] }},
	{"no end tag", func(text string, at int) string { return text[:at] + strings.TrimSuffix(text[at:], "</record>") }},
	{"<", func(text string, at int) string { return text[:at] + "<" + text[at+1:] }},
	{">", func(text string, at int) string { return text[:at] + ">" + text[at+1:] }},
	{"/", func(text string, at int) string { return text[:at] + "/" + text[at+1:] }},
	{"?", func(text string, at int) string { return text[:at] + "?" + text[at+1:] }},
	{"!", func(text string, at int) string { return text[:at] + "!" + text[at+1:] }},
	{"&", func(text string, at int) string { return text[:at] + "&" + text[at+1:] }},
	{"quote", func(text string, at int) string { return text[:at] + `"` + text[at+1:] }},
	{"apostrophe", func(text string, at int) string { return text[:at] + `'` + text[at+1:] }},
	{"blank", func(text string, at int) string { return text[:at] + " " + text[at+1:] }},
	{"letter", func(text string, at int) string { return text[:at] + "s" + text[at+1:] }},
	{"NUL", func(text string, at int) string { return text[:at] + "\x00" + text[at+1:] }},
	{"half a character", func(text string, at int) string { return text[:at] + "\xe6" + text[at+1:] }},
	{"comment", func(text string, at int) string { return text[:at] + "<!--" + text[at:] }},
	{"CDATA", func(text string, at int) string { return text[:at] + "<![CDATA[" + text[at:] }},
	{"instruction", func(text string, at int) string { return text[:at] + "<?p " + text[at:] }},
	{"DOCTYPE", func(text string, at int) string { return text[:at] + "<!DOCTYPE x>" + text[at:] }},
	{"element", func(text string, at int) string { return text[:at] + "<a>" + text[at:] }},
	{"end tag", func(text string, at int) string { return text[:at] + "</a>" + text[at:] }},
	{"entity", func(text string, at int) string { return text[:at] + "&x;" + text[at:] }},
}

// One bad record does not take the good ones of the same body with it,
// whatever happened to it and wherever it stands.
func TestDamageStaysInItsRecord(t *testing.T) {
	good := []string{record(1), record(2), record(3), decode(fixtures(t)["callLegEnd-rich.xml"]).Records[0].Raw}
	var d Decoder
	for victim := range 3 {
		for _, damage := range damages {
			for at := range good[victim] {
				records := slices.Clone(good)
				records[victim] = damage.do(records[victim], at)
				text := body(records...)
				batch := d.Decode(text)
				checkLossless(t, text, batch)
				var read []string
				for i := range batch.Records {
					read = append(read, batch.Records[i].Raw)
				}
				for i, raw := range good {
					if i != victim {
						require.Contains(t, read, raw, "%s at byte %d of record %d", damage.name, at, victim)
					}
				}
			}
		}
	}
}

// A body may be cut off anywhere: the records before the cut are good.
func TestTruncationAtEveryByte(t *testing.T) {
	text := body(record(1), record(2), record(3))
	var d Decoder
	for n := range text {
		batch := d.Decode(text[:n])
		checkLossless(t, text[:n], batch)
		require.Len(t, batch.Records, strings.Count(text[:n], "</record>"), "cut at %d", n)
		require.NotEmpty(t, append(batch.Malformed, make([]Malformed, strings.Count(text[:n], "</records>"))...),
			"a cut body is never taken for a whole one")
	}
}

// Random edits of the fixtures, as the fuzz target makes them, for every run
// of the tests.
func TestRandomMutationsLoseNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bodies := fixtures(t)
	names := slices.Sorted(maps.Keys(bodies))
	var d Decoder
	for range 20_000 {
		text := bodies[names[random.IntN(len(names))]]
		for range 1 + random.IntN(4) {
			if len(text) == 0 {
				break
			}
			at := random.IntN(len(text))
			if random.IntN(8) == 0 { // splice in a piece of another body
				other := bodies[names[random.IntN(len(names))]]
				from := random.IntN(len(other))
				text = text[:at] + other[from:from+random.IntN(len(other)-from)] + text[at:]
				continue
			}
			text = damages[random.IntN(len(damages))].do(text, at)
		}
		checkBatches(t, &d, text)
	}
}
