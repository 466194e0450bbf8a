// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The oracle reads a body with encoding/xml and the guide's field list of
// fields_test.go, and renders every record as a sorted list of "path=text".

// open is an element the oracle has seen the start tag of.
type open struct {
	name     string
	text     strings.Builder
	children bool
}

// reading is the oracle's place in a body.
type reading struct {
	stack []*open
	pairs []string        // of the open record
	seen  map[string]bool // documented paths of the open record
}

// oracle walks a valid body token by token.
func oracle(t *testing.T, text string) (records [][]string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	r := reading{seen: make(map[string]bool)}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return records
		}
		require.NoError(t, err, "%s", text)
		switch token := token.(type) {
		case xml.StartElement:
			if len(r.stack) > 0 {
				r.stack[len(r.stack)-1].children = true
			}
			r.stack = append(r.stack, &open{name: token.Name.Local})
			for _, a := range token.Attr {
				r.attribute(a.Name.Local, a.Value)
			}
		case xml.EndElement:
			r.end()
			if r.stack = r.stack[:len(r.stack)-1]; len(r.stack) == 1 {
				slices.Sort(r.pairs)
				records = append(records, r.pairs)
				r.pairs = nil
				clear(r.seen)
			}
		case xml.CharData:
			if len(r.stack) > 0 {
				r.stack[len(r.stack)-1].text.Write(token)
			}
		}
	}
}

func (r *reading) attribute(name, text string) {
	switch {
	case len(r.stack) == 2:
		if text = trimmed(text); text != "" || name == "region" {
			r.pairs = append(r.pairs, "record/@"+name+"="+text)
		}
	case len(r.stack) > 2:
		r.add(r.path("@"+name), text)
	}
}

// end takes down an element's value: it has one if it has text, or is
// documented, or has neither text nor children.
func (r *reading) end() {
	if len(r.stack) < 3 {
		return
	}
	top, path := r.stack[len(r.stack)-1], r.path("")
	text := trimmed(top.text.String())
	isAlarm := r.stack[2].name == "callLeg" && (path == "alarm" || path == "alarms/alarm")
	if text != "" || r.kind(path) != "" || !top.children && len(r.stack) > 3 && !isAlarm {
		r.add(path, text)
	}
}

// aliases are the spellings this package reads as another one.
var aliases = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`^groupID`), "groupId"},
	{regexp.MustCompile(`^(mediaUsagePercentages/)?multiStreamVideo`), "${1}multistreamVideo"},
	{regexp.MustCompile(`^(?:alarms/)?alarm/@?(type|durationPercentage)$`), "alarm/@$1"},
}

// path of the open element, or of an attribute of it.
func (r *reading) path(attribute string) string {
	var names []string
	for _, e := range r.stack[3:] {
		names = append(names, e.name)
	}
	if attribute != "" {
		names = append(names, attribute)
	}
	path := strings.Join(names, "/")
	if r.stack[2].name == "callLeg" {
		for _, alias := range aliases {
			path = alias.pattern.ReplaceAllString(path, alias.with)
		}
	}
	return path
}

// kind is a documented path's kind, "" for others.
func (r *reading) kind(path string) string { return guideKinds[r.stack[2].name][path] }

var guideKinds = documented()

// add takes down a value. An id loses its inner blanks; a second one of the
// same field is kept as it came.
func (r *reading) add(path, text string) {
	text = trimmed(text)
	if path == "@id" && len(r.stack) == 3 || r.kind(path) == "id" && !r.seen[path] {
		text = strings.NewReplacer(" ", "", "\n", "", "\t", "", "\r", "").Replace(text)
	}
	r.seen[path] = true
	r.pairs = append(r.pairs, path+"="+text)
}

func trimmed(text string) string { return strings.Trim(text, " \t\r\n") }

// rendered renders a record of this package the way the oracle does.
func rendered(r *Record) []string {
	var pairs []string
	for name, text := range map[string]string{
		"type": r.TypeText, "time": r.TimeText, "correlatorIndex": r.Index.Text,
		"recordIndex": r.LegacyIndex.Text, "numPrecedingRecordsMissing": r.Missing.Text,
	} {
		if text != "" {
			pairs = append(pairs, "record/@"+name+"="+text)
		}
	}
	pairs = append(pairs, "@id="+r.ID)
	for i := range r.Fields {
		path := r.Fields[i].Path
		if r.Fields[i].ID != Unknown {
			path = Documented(r.Fields[i].ID).Path
		}
		pairs = append(pairs, path+"="+r.Fields[i].Text)
	}
	for _, a := range r.Alarms {
		pairs = append(pairs, "alarm/@type="+a.Type, "alarm/@durationPercentage="+a.DurationPercentage.Text)
	}
	slices.Sort(pairs)
	return pairs
}

// writer makes valid bodies at random.
type writer struct {
	*rand.Rand
	strings.Builder
}

// pick returns one of the choices.
func (w *writer) pick(choices ...string) string { return choices[w.IntN(len(choices))] }

// filler is what may stand anywhere between elements.
func (w *writer) filler() string {
	return w.pick("", "", "", " ", "\n  ", "<!-- <record> -->", "<?p <record> ?>", "\r\n")
}

// anyText is text as it stands in XML, in all its disguises.
func (w *writer) anyText(inAttribute bool) string {
	var b strings.Builder
	for range w.IntN(6) {
		piece := w.pick("a", "Z9", " ", "\n", "é", "東京", "\u00a0", "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#65;",
			"&#x6771;", "&#32;", "true", "7.5", "]", "/", "=", "<!-- c -->", "<![CDATA[<record>&amp;]]>", "<?p i?>", "\r\n")
		// encoding/xml does not normalise white space in attribute values, and
		// nor does this package; markup is not allowed there at all.
		if inAttribute && strings.ContainsAny(piece, "<") {
			continue
		}
		b.WriteString(piece)
	}
	return b.String()
}

func (w *writer) attributes(names ...string) {
	w.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		quote := w.pick(`"`, `'`)
		w.WriteString(w.pick(" ", "\n\t") + name + w.pick("=", " = ") + quote + w.anyText(true) + quote)
	}
}

// tree writes unknown elements.
func (w *writer) tree(depth int) {
	name := w.pick("futureThing", "inner", "方向", "x-y.z_1", "codec", "type")
	w.WriteString("<" + name)
	if w.IntN(3) == 0 {
		w.attributes("kind", "since")
	}
	if w.IntN(4) == 0 {
		w.WriteString(w.pick("/>", " />"))
		return
	}
	w.WriteString(">")
	for range w.IntN(3) {
		w.WriteString(w.anyText(false))
		if depth > 0 {
			w.tree(depth - 1)
		}
	}
	w.WriteString(w.anyText(false) + "</" + name + w.pick(">", " >"))
}

func (w *writer) alarm() {
	alarmType, percentage := w.pick("packetLoss", "later"), strconv.Itoa(w.IntN(100))
	if w.IntN(2) == 0 {
		w.WriteString(`<alarm type="` + alarmType + `" durationPercentage="` + percentage + `"/>`)
		return
	}
	w.WriteString("<alarm><type>" + alarmType + "</type> <durationPercentage>" + percentage + "</durationPercentage></alarm>")
}

// record writes one record: documented fields of its object in any order, some
// of them twice, with unknown elements between them.
func (w *writer) record() {
	object := w.pick("call", "callLeg", "callLeg", "recording", "streaming", "transcript")
	w.WriteString("<record")
	w.attributes("type", "time", "correlatorIndex", "region")
	w.WriteString(">" + w.filler() + "<" + object)
	w.attributes("id", "flavour")
	w.WriteString(">")
	paths := slices.Sorted(maps.Keys(guideKinds[object]))
	for range w.IntN(12) {
		w.WriteString(w.filler())
		switch kind := w.IntN(8); {
		case kind == 0 && object == "callLeg":
			w.alarm()
		case kind == 1 && object == "callLeg":
			w.WriteString("<alarms>")
			w.alarm()
			w.WriteString("</alarms>")
		case kind == 2 && object == "callLeg":
			w.WriteString(element(w.pick("groupID", "mediaUsagePercentages/multiStreamVideo", "multiStreamVideo/maxScreens"), "1"))
		case kind <= 3 || len(paths) == 0:
			w.tree(3)
		default:
			w.WriteString(element(w.pick(paths...), w.anyText(false)))
		}
	}
	w.WriteString(w.filler() + "</" + object + ">" + w.filler() + "</record>" + w.filler())
}

// Whatever valid body comes, encoding/xml finds the same values in it.
func TestValidBodiesAgainstEncodingXML(t *testing.T) {
	var d Decoder
	for seed := range uint64(1000) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 0))}
		w.WriteString(w.pick("", "\uFEFF", "") + `<?xml version="1.0"?><records session="s">` + w.filler())
		for range w.IntN(5) {
			w.record()
		}
		w.WriteString("</records>")
		text := w.String()

		batch := d.Decode(text)
		require.Empty(t, batch.Malformed, "seed %d: %s", seed, text)
		checkLossless(t, text, batch)
		want := oracle(t, strings.TrimPrefix(text, "\uFEFF"))
		require.Len(t, batch.Records, len(want), "seed %d", seed)
		for i := range want {
			require.Equal(t, want[i], rendered(&batch.Records[i]), "seed %d: %s", seed, batch.Records[i].Raw)
		}
	}
}
