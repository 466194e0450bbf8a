// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// row of a timeline.
type row struct {
	Anchor string // of its span
	Kind   string // in plain words
	Class  string
	Name   string
	// Sub are smaller texts below the name.
	Sub    []string
	Pieces []piece
	// Span is the bar in words.
	Span    string
	Running bool
	Doing   string
	Flags   []string     // what else the participant of a running leg does
	Live    *liveQuality // newest quality of a running leg
	Why     *why
	Alarms  []alarm
	Worst   *alarm
	Note    string
	Doubt   *doubt // of a running leg
	Facts   []fact
	Links   []link
	Calls   []link // other calls of the same far end
	Ticks   []tick
	// FailedX is where a bar that ended by a failure is marked; empty for none.
	FailedX string
}

// fact is a name and a value.
type fact struct {
	Name, Value string
	// Code marks values for machines: ids, addresses, files.
	Code bool
}

// link to another place of the archive.
type link struct{ Words, URL string }

// group is a Call Bridge, or another system, with its events.
type group struct {
	Name, System string
	Rows         []row
}

// timeline is the drawing of a trace.
type timeline struct {
	scale    scale
	sessions map[string]time.Time // their starts
	Groups   []group
	Ticks    []tick
	// The classes that the legend explains.
	Legs, Setup, IVR, Lobby, Alarms, Recorded, Failed, Gaps bool
}

// drawn is an object with its row.
type drawn struct {
	object *store.Object
	// place is where it stands: the object itself, or the one that it stands under.
	place *store.Object
	rank  int // within a bridge: calls, legs, …
	row   row
}

// Ranks of rows within a bridge.
const (
	rankCall = iota
	rankRecording
	rankLeg
	rankSession
	rankTrack
	rankDialog
)

// under reports whether the row stands under another one.
func (d *drawn) under() int {
	if d.place != d.object {
		return 1
	}
	return 0
}

// newTimeline makes the timeline of a trace.
func newTimeline(t *store.Trace, now time.Time) *timeline {
	line := &timeline{sessions: map[string]time.Time{}}
	for i := range t.Sessions {
		line.sessions[t.Sessions[i].ID] = t.Sessions[i].StartedAt
	}
	line.scale = span(t, now)
	line.Ticks = line.scale.ticks()
	line.Legs, line.Recorded = len(t.Legs) > 0, len(t.Recordings)+len(t.Sessions)+len(t.Tracks) > 0
	line.groupRows(line.rows(t, now))
	return line
}

// rows makes the rows of all objects of a trace.
func (l *timeline) rows(t *store.Trace, now time.Time) (all []drawn) {
	add := func(o *store.Object, rank int, r row) { all = append(all, drawn{o, o, rank, r}) }
	for i := range t.Calls {
		add(&t.Calls[i].Object, rankCall, l.call(&t.Calls[i], t))
	}
	for i := range t.Recordings {
		add(&t.Recordings[i].Object, rankRecording, l.recording(&t.Recordings[i]))
	}
	legs := map[string]*store.Leg{}
	for i := range t.Legs {
		g := &t.Legs[i]
		add(&g.Object, rankLeg, l.leg(g, t, now))
		if _, known := legs[g.SIPCallID]; !known && g.SIPCallID != "" {
			legs[g.SIPCallID] = g
		}
	}
	for i := range t.Sessions {
		add(&t.Sessions[i].Object, rankSession, l.session(&t.Sessions[i]))
	}
	for i := range t.Tracks {
		add(&t.Tracks[i].Object, rankTrack, l.track(&t.Tracks[i]))
	}
	for i := range t.Dialogs {
		d := &t.Dialogs[i]
		if leg := legs[d.SIPCallID]; leg != nil {
			r := l.dialog(d)
			r.Class += " under"
			all = append(all, drawn{&d.Object, &leg.Object, rankLeg, r})
			continue
		}
		add(&d.Object, rankDialog, l.dialog(d))
	}
	return all
}

// groupRows puts rows below their systems: within a system by rank and start, the systems by
// their first start.
func (l *timeline) groupRows(all []drawn) {
	var groups []*group
	first := map[string]time.Time{}
	byName := map[string]*group{}
	slices.SortStableFunc(all, func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), a.place.StartedAt.Compare(b.place.StartedAt), cmp.Compare(a.place.ID, b.place.ID),
			cmp.Compare(a.under(), b.under()), a.object.StartedAt.Compare(b.object.StartedAt), cmp.Compare(a.object.ID, b.object.ID))
	})
	for _, d := range all {
		g := byName[d.place.Bridge]
		if g == nil {
			g = &group{Name: d.place.Bridge}
			byName[d.place.Bridge] = g
			groups = append(groups, g)
			first[g.Name] = d.place.StartedAt
		}
		if d.place.StartedAt.Before(first[g.Name]) {
			first[g.Name] = d.place.StartedAt
		}
		g.System = cmp.Or(g.System, d.place.System)
		d.row.Ticks = l.Ticks
		if d.row.Why != nil && d.row.Why.Failure {
			l.Failed = true
			d.row.FailedX = coordinate(l.scale.place(l.endOf(d.object)))
		}
		g.Rows = append(g.Rows, d.row)
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return first[a.Name].Compare(first[b.Name]) })
	for _, g := range groups {
		l.Groups = append(l.Groups, *g)
	}
}

// span of time that holds everything.
func span(t *store.Trace, now time.Time) (s scale) {
	add := func(o *store.Object) {
		if s.start.IsZero() || o.StartedAt.Before(s.start) {
			s.start = o.StartedAt
		}
		if end := endOf(o, now); end.After(s.end) {
			s.end = end
		}
	}
	for i := range t.Calls {
		add(&t.Calls[i].Object)
	}
	for i := range t.Legs {
		add(&t.Legs[i].Object)
	}
	for i := range t.Recordings {
		add(&t.Recordings[i].Object)
	}
	for i := range t.Sessions {
		add(&t.Sessions[i].Object)
	}
	for i := range t.Tracks {
		add(&t.Tracks[i].Object)
	}
	for i := range t.Dialogs {
		add(&t.Dialogs[i].Object)
	}
	if c := t.Conference; c != nil {
		add(&store.Object{StartedAt: c.StartedAt, EndedAt: c.EndedAt, State: c.State, LastHeardAt: c.LastHeardAt})
	}
	if !s.end.After(s.start) {
		s.end = s.start.Add(time.Second)
	}
	return s
}

// endOf an object; of one that runs, now.
func endOf(o *store.Object, now time.Time) time.Time {
	end := o.EndedAt
	if end.IsZero() && o.State == store.StateRunning {
		end = now
	}
	if end.Before(o.StartedAt) {
		end = o.StartedAt
	}
	return end
}

// begin makes the part that all rows have.
func (l *timeline) begin(kind, class, name string, o *store.Object) row {
	running := o.State == store.StateRunning
	r := row{
		Anchor: anchor(o.SpanID), Kind: kind, Class: class, Name: name, Running: running, Note: outcomeOf(o.Outcome),
		Pieces: []piece{{Class: class, bar: l.scale.bar(o.StartedAt, l.endOf(o)), Open: running}},
	}
	from := localTime{o.StartedAt}.Clock()
	switch {
	case running:
		r.Span = fmt.Sprintf("from %s %s, runs", from, localTime{o.StartedAt}.Zone())
	case o.DurationSeconds != nil:
		r.Span = fmt.Sprintf("from %s to %s %s, %s", from, localTime{o.EndedAt}.Clock(), localTime{o.EndedAt}.Zone(), duration(*o.DurationSeconds))
	default:
		r.Span = fmt.Sprintf("from %s %s", from, localTime{o.StartedAt}.Zone())
	}
	r.add("From", localTime{o.StartedAt}.Full())
	if !o.EndedAt.IsZero() {
		r.add("To", localTime{o.EndedAt}.Full())
	}
	if o.DurationSeconds != nil {
		r.add("Lasted", duration(*o.DurationSeconds))
	}
	if r.Note != "" {
		r.add("Incomplete", r.Note)
	}
	return r
}

func (l *timeline) endOf(o *store.Object) time.Time { return endOf(o, l.scale.end) }

// end adds the ids, which come last.
func (r *row) end(kind string, o *store.Object) row {
	r.code(kind+" id", o.ID)
	r.code("Span id", o.SpanID)
	return *r
}

func (r *row) add(name, value string) {
	if value != "" {
		r.Facts = append(r.Facts, fact{Name: name, Value: value})
	}
}

func (r *row) code(name, value string) {
	if value != "" {
		r.Facts = append(r.Facts, fact{name, value, true})
	}
}

func (r *row) seconds(name string, v *float64) {
	if v != nil && *v > 0 {
		r.add(name, duration(*v))
	}
}

func (r *row) sub(values ...string) {
	for _, v := range values {
		if v != "" && v != r.Name && !slices.Contains(r.Sub, v) {
			r.Sub = append(r.Sub, v)
		}
	}
}
