// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// world holds the objects of callsim's cluster as sequences of records that can be repeated:
// in each generation all calls, legs, participants and dialogs have other ids, and belong
// together as they did in the first one.
type world struct {
	resource pcommon.Resource
	records  []record
	lives    []life
	legs     int // lives that are legs; the others are their calls and dialogs
	dialogs  int // lives that are SIP calls in front of a leg
	// proxy is their resource.
	proxy pcommon.Resource
	// ends are the lives in the order in which they end: a call after its legs, or
	// they would end with it.
	ends []int
}

// life is one object's, as indexes into the records of the world.
type life struct {
	start, end int
	updates    []int // none for a call
	id         string
	calls      []string // of a leg
	isDialog   bool
}

// record is one log record as the receiver makes it.
type record struct {
	log plog.LogRecord
	// marks are the parts that differ from one generation to the next, in the order of the
	// attributes.
	marks []mark
	// fromProxy tells a record of the event log.
	fromProxy bool
}

// mark is an attribute to write anew: a record's index, or a text of which a
// piece is the generation's.
type mark struct {
	attribute     int
	tagged        int // digits of the tag, 0 for an index
	before, after string
}

func (m *mark) length() int { return len(m.before) + m.tagged + len(m.after) }

// tagLength is how much of an id is written over with each generation.
const tagLength = 8

// The tag of a person is shorter, or else short names would be nothing but tag.
const nameTagLength = 4

// newWorld puts the records of a simulation together, with the SIP calls of an event
// log if wanted.
func newWorld(logs plog.Logs, withDialogs bool) (*world, error) {
	if logs.ResourceLogs().Len() == 0 {
		return nil, errNoRecords
	}
	w := &world{resource: logs.ResourceLogs().At(0).Resource(), proxy: logs.ResourceLogs().At(logs.ResourceLogs().Len() - 1).Resource()}
	lives := make(map[string]*life) // by kind and id
	var order []string
	dialogs := make(map[string]*dialog) // by Call-ID
	for log := range recordsOf(logs) {
		if isOfProxy(log.EventName()) {
			if withDialogs {
				w.addDialog(log, dialogs)
			}
			continue
		}
		kind, phase := splitEvent(log.EventName())
		if kind != names.KindCall && kind != names.KindCallLeg {
			continue
		}
		id, ok := log.Attributes().Get(kind + ".id")
		if !ok {
			return nil, fmt.Errorf("%s without an id", log.EventName())
		}
		key := kind + " " + id.Str()
		l := lives[key]
		if l == nil {
			l = &life{start: -1, end: -1, id: id.Str()}
			lives[key] = l
			order = append(order, key)
		}
		if call, ok := log.Attributes().Get(names.KindCall + ".id"); ok && kind == names.KindCallLeg {
			l.calls = append(l.calls, call.Str())
		}
		at := len(w.records)
		w.records = append(w.records, newRecord(log))
		switch phase {
		case "start":
			l.start = at
		case "end":
			l.end = at
		default:
			l.updates = append(l.updates, at)
		}
	}
	for _, key := range order {
		isLeg := strings.HasPrefix(key, names.KindCallLeg+" ")
		l := lives[key]
		// Legs that never came as far as an update are left out: the lives
		// that are compared are all of five records.
		if l.start < 0 || l.end < 0 || isLeg && len(l.updates) == 0 {
			continue
		}
		if isLeg {
			w.legs++
		}
		w.lives = append(w.lives, *l)
	}
	if w.legs == 0 || w.legs == len(w.lives) {
		return nil, errors.New("callsim printed no whole leg in a call")
	}
	if withDialogs {
		if err := w.addDialogLives(dialogs); err != nil {
			return nil, err
		}
	}
	w.ends = endOrder(w.lives)
	return w, nil
}

// endOrder is the order in which lives started, with each call behind the last leg
// that names it.
func endOrder(lives []life) []int {
	last := make(map[string]int) // by call
	for i := range lives {
		for _, call := range lives[i].calls {
			last[call] = i
		}
	}
	behind := func(i int) int { // a call is behind the leg, which sorts before it
		if len(lives[i].calls) > 0 {
			return i
		}
		return max(i, last[lives[i].id])
	}
	order := make([]int, len(lives))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(behind(a), behind(b)), cmp.Compare(len(lives[b].calls), len(lives[a].calls)))
	})
	return order
}

// splitEvent returns the kind of an object and its event.
func splitEvent(name string) (kind, phase string) {
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return "", name
	}
	return name[:at], name[at+1:]
}

// recordsOf goes over all log records.
func recordsOf(logs plog.Logs) func(yield func(plog.LogRecord) bool) {
	return func(yield func(plog.LogRecord) bool) {
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, log := range sl.LogRecords().All() {
					if !yield(log) {
						return
					}
				}
			}
		}
	}
}

// people are the attributes that name who is at the far end.
var people = []string{
	names.KindCallLeg + ".remote_party", names.KindCallLeg + ".remote_address", names.KindCallLeg + ".display_name",
}

func newRecord(log plog.LogRecord) record {
	r := record{log: log}
	at := -1
	for key, value := range log.Attributes().All() {
		at++
		if key == names.RecordIndex || key == names.RecordLegacyIndex {
			r.marks = append(r.marks, mark{attribute: at})
			continue
		}
		if value.Type() != pcommon.ValueTypeStr {
			continue
		}
		text := value.Str()
		m := mark{attribute: at, after: text}
		switch from, to := namePart(text); {
		case isID(text):
			m.tagged, m.after = tagLength, text[tagLength:]
		case strings.HasSuffix(key, callID):
			m.tagged, m.after = tagLength, "-"+text
		case slices.Contains(people, key) && to > from:
			m.tagged, m.before, m.after = to-from, text[:from], text[to:]
		default:
			continue
		}
		r.marks = append(r.marks, m)
	}
	return r
}

// callID ends the keys of a Call-ID. Those of distribution links do not look
// like ids, so that the tag is put before them.
const callID = "call_id"

// isID reports whether a text is a GUID, or a Call-ID as callsim's far ends write
// them: both begin with eight hexadecimal digits and a dash.
func isID(text string) bool {
	return len(text) > tagLength && text[tagLength] == '-' && strings.IndexFunc(text[:tagLength], notHexadecimal) < 0
}

func notHexadecimal(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'f')
}

// namePart returns the piece at the beginning of a name or a number that can be
// written over without making it another kind of thing.
func namePart(text string) (from, to int) {
	if strings.HasPrefix(text, "+") {
		from = 1
	}
	to = from
	for to < len(text) && to < from+nameTagLength && isWord(text[to]) {
		to++
	}
	return from, to
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// tag is the prefix of a generation's ids. Tags of different generations differ, and those of
// consecutive ones do not look alike.
func tag(generation uint32) (digits [tagLength]byte) {
	const hexadecimal = "0123456789abcdef"
	n := generation * 0x9e3779b1 // odd, so that no two come out the same
	for i := range digits {
		digits[i] = hexadecimal[n>>28]
		n <<= 4
	}
	return digits
}

// appendText appends the marked texts of a record as a generation has them, one
// behind the other.
func (r *record) appendText(to []byte, digits [tagLength]byte) []byte {
	for i := range r.marks {
		if m := &r.marks[i]; m.tagged > 0 {
			to = append(to, m.before...)
			to = append(to, digits[:m.tagged]...)
			to = append(to, m.after...)
		}
	}
	return to
}

// put makes log the record of a generation. texts begins with what appendText wrote; the rest
// of it is returned. Texts are pieces of one string, as the texts in the receiver's records
// are pieces of one body.
func (r *record) put(log plog.LogRecord, index uint64, texts string) (rest string) {
	log.Attributes().EnsureCapacity(r.log.Attributes().Len() + logrecord.StampAttributes) // as cmscdr does
	r.log.CopyTo(log)
	at, next := -1, 0
	for _, value := range log.Attributes().All() {
		if at++; next == len(r.marks) {
			break
		}
		m := &r.marks[next]
		if m.attribute != at {
			continue
		}
		next++
		if m.tagged == 0 {
			value.SetInt(int64(index)) //nolint:gosec // counted up from 0
			continue
		}
		value.SetStr(texts[:m.length()])
		texts = texts[m.length():]
	}
	return texts
}
