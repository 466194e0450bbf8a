// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/legato-otel/legato/internal/archive/store"
)

const (
	// pageRows of a list; runningRows of what runs, above it.
	pageRows    = 50
	runningRows = 100
	// sortedRows of a list that is not by start: it has no next page.
	sortedRows = 200
)

// listPage is what the three lists have in common.
type listPage struct {
	frame
	*form
	Path string
	// Tenants, Room and Loss tell which fields of the form make sense.
	OfMeetings bool
	Reasons    []choice
	Sinces     []choice
	States     []choice
	Count      store.Running
	// Doubts counts what of that may have ended; Doubt is the gap, nil if there is none.
	Doubts store.Doubts
	Doubt  *doubt
	// ShowRunning and ShowEnded: the two parts of the list.
	ShowRunning, ShowEnded bool
	MoreRunning            string // address of all that runs, if it is more than shown
	First                  bool   // the first page
	Next                   string // address of the next page
	SearchedTo             *moment
	Exports                []choice // forms of the list as CSV, by their addresses
	AnywhereURL            string
	Backward               string // address of the first page
	// Columns that the list can be sorted by.
	Columns []string
	Sorted  bool
	Cut     bool // there are more rows than a sorted list shows
}

// head of a list, of what has ended or of what runs.
type head struct {
	page  *listPage
	Ended bool
}

// Head of one of the two parts of the list.
func (p *listPage) Head(ended bool) head { return head{p, ended} }

// heading of a column. URL sorts by it, Sorted says in which direction the list is.
type heading struct{ Words, URL, Sorted string }

// Column is the heading of a column: the first click sorts by it, text from A on and
// numbers from the largest on, the next one turns that round.
func (h head) Column(column, words string) heading {
	out := heading{Words: words}
	by := store.Sort{Column: column, Descending: !slices.Contains([]string{"room_name", "display_name", "parties", "reason", "controller_address", "media_state", "from_party", "to_party"}, column)}
	switch sorted := h.page.sorted(); {
	case sorted == by, column == "started_at" && sorted == store.Sort{}:
		out.Sorted = map[bool]string{true: "descending", false: "ascending"}[by.Descending]
		by.Descending = !by.Descending
	case sorted.Column == column:
		out.Sorted = map[bool]string{true: "descending", false: "ascending"}[sorted.Descending]
	}
	out.URL = h.page.Path + h.page.query(paramSort, sortText(by))
	return out
}

// sortText is an order as a parameter; "" is by start, newest first.
func sortText(by store.Sort) string {
	switch {
	case by == store.Sort{Column: "started_at", Descending: true}:
		return ""
	case by.Descending:
		return "-" + by.Column
	default:
		return by.Column
	}
}

// sorted is the order that was asked for; zero is by start.
func (f *form) sorted() store.Sort {
	column, descending := strings.CutPrefix(strings.TrimSpace(f.values.Get(paramSort)), "-")
	if column == "" || f.Errors[paramSort] != "" {
		return store.Sort{}
	}
	return store.Sort{Column: column, Descending: descending}
}

// sortable checks that the list has the column that it is to be sorted by.
func (p *listPage) sortable(columns []string) {
	p.Columns = columns
	if by := p.sorted(); by != (store.Sort{}) && !slices.Contains(columns, by.Column) {
		p.Errors[paramSort] = "must be one of " + strings.Join(columns, ", ") + ", with - before it for the largest first"
	}
	p.Sorted = p.sorted() != store.Sort{}
}

// exports are the addresses of the forms of a CSV.
func (p *listPage) exports(file string) {
	p.Exports = nil
	for _, form := range []choice{{"", "CSV"}, {"excel", "CSV for Excel"}, {"machine", "CSV for programs"}} {
		p.Exports = append(p.Exports, choice{file + p.query(paramState, "", paramSort, "", paramForm, form.Value), form.Words})
	}
}

// ShownError tells of a field's error.
func (p *listPage) ShownError(name string) string { return p.Errors[name] }

func (h *handler) newList(r *http.Request, title, here, path string) listPage {
	f := parseForm(r.URL.Query(), h.config.Now().In(zoneOf(r)))
	p := listPage{frame: h.frame(r, title, here), form: f, Path: path, Reasons: reasonChoices, Sinces: sinceChoices, States: stateChoices}
	p.First = f.after.At.IsZero()
	p.ShowRunning = f.Filter.State != store.StateEnded && p.First
	p.ShowEnded = f.Filter.State != store.StateRunning
	if f.Filter.State == store.StateRunning {
		p.ShowRunning = true
	}
	if p.ShowRunning && p.First {
		p.LiveSeconds = liveSeconds
	}
	if !p.First {
		p.Backward = path + f.query()
	}
	if f.Filter.Party != "" && !f.Filter.PartyAnywhere {
		p.AnywhereURL = path + f.query(paramAnywhere, "1")
	}
	p.exports("export.csv")
	return p
}

// find fills in both parts of a list, and where it goes on.
func find[T store.Row](ctx context.Context, p *listPage,
	list func(context.Context, store.Filter, store.Page) (store.List[T], error), running, ended *[]T,
) error {
	if len(p.Errors) > 0 {
		return nil
	}
	if p.ShowRunning {
		f, rows := p.Filter, runningRows
		page := store.Page{Limit: rows, Sort: p.sorted()}
		if f.State == store.StateRunning {
			page.After = p.after
		}
		f.State = store.StateRunning
		found, err := list(ctx, f, page)
		if err != nil {
			return err
		}
		*running = found.Rows
		if found.Next != nil {
			p.MoreRunning = p.Path + p.query(paramState, store.StateRunning, paramAfter, cursorText(*found.Next))
		}
	}
	if p.ShowEnded && p.Value(paramLive) == "" {
		f := p.Filter
		f.State = store.StateEnded
		page := store.Page{After: p.after, Limit: pageRows, Sort: p.sorted()}
		if p.Sorted {
			page.Limit, page.After = sortedRows, store.Cursor{}
		}
		found, err := list(ctx, f, page)
		if err != nil {
			return err
		}
		*ended, p.Cut = found.Rows, p.Sorted && found.More
		if found.Next != nil {
			p.Next = p.Path + p.query(paramAfter, cursorText(*found.Next))
		}
		if !found.SearchedTo.IsZero() {
			p.SearchedTo = &moment{found.SearchedTo}
		}
	}
	return nil
}

// answer renders a list, or the part of it that changes.
func (p *listPage) answer(name string, data any) answer {
	a := answer{template: name + ".html", data: data}
	if len(p.Errors) > 0 {
		a.status = http.StatusBadRequest
	}
	if p.Value(paramLive) != "" {
		a.template = name + "-live"
	}
	return a
}

type conferencesPage struct {
	listPage
	Running, Ended []conferenceRow
}

type conferenceRow struct {
	store.Conference
	Start, End moment
	Name       string
	Seconds    float64
	Loss       *alarm
	Outcome    string
	Doubt      *doubt // of a running one
}

// URL of the conference's page.
func (c *conferenceRow) URL() string { return traceURL("conferences", c.TraceID, "") }

func (h *handler) conferences(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &conferencesPage{listPage: h.newList(r, "Meetings", "meetings", "./")}
	p.OfMeetings = true
	p.exports("meetings.csv")
	p.sortable(store.SortColumns[store.Conference]())
	var running, ended []store.Conference
	if err := find(ctx, &p.listPage, v.Conferences, &running, &ended); err != nil {
		return answer{}, err
	}
	var err error
	if p.Count, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	for i := range running {
		p.Running = append(p.Running, conferenceRowOf(&running[i], p.Now))
	}
	for i := range ended {
		p.Ended = append(p.Ended, conferenceRowOf(&ended[i], p.Now))
	}
	if err := p.setDoubts(ctx, v); err != nil {
		return answer{}, err
	}
	if err := p.countDoubts(ctx, v); err != nil {
		return answer{}, err
	}
	return p.answer("conferences", p), nil
}

func conferenceRowOf(c *store.Conference, now moment) conferenceRow {
	out := conferenceRow{
		Conference: *c, Start: moment{c.StartedAt}, End: moment{c.EndedAt}, Name: roomName(c.RoomName, c.CallType), Outcome: outcomeOf(c.Outcome),
		Loss: worstAlarm(c.PacketLossPercent, c.ExcessiveJitterPercent, c.HighRoundTripTimePercent),
	}
	if c.DurationSeconds != nil {
		out.Seconds = *c.DurationSeconds
	} else {
		out.Seconds = max(0, now.Sub(c.StartedAt).Seconds())
	}
	return out
}

// roomName is what a meeting is called.
func roomName(name, callType string) string {
	switch {
	case name != "":
		return name
	case callType == "adHoc":
		return "Ad hoc call"
	case callType == "forwarding":
		return "Forwarded call"
	case callType == "lyncConferencing":
		return "Lync conference"
	default:
		return "Meeting without a name"
	}
}

type legsPage struct {
	listPage
	Running, Ended []legRow
}

// legRow is a leg in a list.
type legRow struct {
	store.Leg
	Start   moment
	Name    string
	Room    string
	Seconds float64
	Why     why
	Doing   string // of a running leg
	Live    string // how its media are now; "" if it is not known
	Loss    *alarm
	Role    string
	Note    string // what is amiss with what is known
	Doubt   *doubt // of a running one
}

// Sub is what is said below the name.
func (l *legRow) Sub() (all []string) {
	if l.RemoteParty != "" && l.RemoteParty != l.Name {
		all = append(all, l.RemoteParty)
	}
	if l.Role != "" {
		all = append(all, l.Role)
	}
	return all
}

// PersonURL is the page of who called.
func (l *legRow) PersonURL() string { return personURL(l.RemoteParty, l.DisplayName) }

// RoomURL is the page of the room.
func (l *legRow) RoomURL() string { return roomURL(l.RoomID, l.RoomName) }

// URL of the page that the leg is on.
func (l *legRow) URL() string { return traceURL(legKind(&l.Leg), l.TraceID, l.SpanID) }

func legKind(l *store.Leg) string {
	if l.CallID == "" {
		return "traces"
	}
	return "conferences"
}

func legRowOf(l *store.Leg, now moment) legRow {
	out := legRow{
		Leg: *l, Start: moment{l.StartedAt}, Name: legName(l), Role: roleWords[l.Role], Note: outcomeOf(l.Outcome),
		Loss: worstAlarm(l.PacketLossPercent, l.ExcessiveJitterPercent, l.HighRoundTripTimePercent),
	}
	if l.CallID != "" {
		out.Room = roomName(l.RoomName, "")
	}
	switch {
	case l.DurationSeconds != nil:
		out.Seconds = *l.DurationSeconds
	case l.State == store.StateRunning:
		out.Seconds = max(0, now.Sub(l.StartedAt).Seconds())
	}
	if l.State == store.StateRunning {
		if out.Doing = activityWords[l.Activity]; out.Doing == "" {
			out.Doing = "In the call"
		}
	} else {
		out.Why = whyOf(l.Reason, l.ErrorType != "")
	}
	return out
}

// legName is what a leg is called: its name, else its address.
func legName(l *store.Leg) string {
	for _, name := range []string{l.DisplayName, l.RemoteParty, l.RemoteAddress} {
		if name != "" {
			return name
		}
	}
	return "Unknown caller"
}

func (h *handler) legs(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &legsPage{listPage: h.newList(r, "Call legs", "legs", "./legs")}
	p.OfMeetings = true
	p.sortable(store.SortColumns[store.Leg]())
	var running, ended []store.Leg
	if err := find(ctx, &p.listPage, v.Legs, &running, &ended); err != nil {
		return answer{}, err
	}
	var err error
	if p.Count, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	qualities, err := v.Quality(ctx, running)
	if err != nil {
		return answer{}, err
	}
	for i := range running {
		row := legRowOf(&running[i], p.Now)
		row.Live = qualityText(qualities, running[i].ID, p.Now)
		p.Running = append(p.Running, row)
	}
	for i := range ended {
		p.Ended = append(p.Ended, legRowOf(&ended[i], p.Now))
	}
	if err := p.setDoubts(ctx, v); err != nil {
		return answer{}, err
	}
	if err := p.countDoubts(ctx, v); err != nil {
		return answer{}, err
	}
	return p.answer("legs", p), nil
}

type sessionsPage struct {
	listPage
	Running, Ended []sessionRow
}

type sessionRow struct {
	store.Session
	Start   moment
	Name    string
	Seconds float64
	Failure bool
}

// URL of the session's page.
func (s *sessionRow) URL() string { return traceURL("traces", s.TraceID, s.SpanID) }

func (h *handler) sessions(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &sessionsPage{listPage: h.newList(r, "Recording sessions", "sessions", "./sessions")}
	p.sortable(store.SortColumns[store.Session]())
	var running, ended []store.Session
	if err := find(ctx, &p.listPage, v.Sessions, &running, &ended); err != nil {
		return answer{}, err
	}
	var err error
	if p.Count, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	row := func(s *store.Session) sessionRow {
		out := sessionRow{Session: *s, Start: moment{s.StartedAt}, Name: sessionName(s), Failure: s.ErrorType != ""}
		if s.DurationSeconds != nil {
			out.Seconds = *s.DurationSeconds
		} else {
			out.Seconds = max(0, p.Now.Sub(s.StartedAt).Seconds())
		}
		return out
	}
	for i := range running {
		p.Running = append(p.Running, row(&running[i]))
	}
	for i := range ended {
		p.Ended = append(p.Ended, row(&ended[i]))
	}
	return p.answer("sessions", p), nil
}

func sessionName(s *store.Session) string {
	if s.Parties != "" {
		return s.Parties
	}
	return "Session without parties"
}

// field of the form.
type field struct{ Name, Label, Hint, Type, Value, Error string }

// Field of the form, with what was typed into it.
func (p *listPage) Field(name, label, hint, kind string) field {
	return field{name, label, hint, kind, p.Value(name), p.Errors[name]}
}

// Unsorted is the query of the same list, the newest first.
func (p *listPage) Unsorted() string { return p.query(paramSort, "") }

// MoreOpen tells that something of what is folded away is in use.
func (p *listPage) MoreOpen() bool {
	for _, name := range []string{paramFrom, paramTo, paramShortest, paramLongest, paramTenant, paramAnywhere, paramBridge, paramOwner, paramDialled} {
		if p.Value(name) != "" {
			return true
		}
	}
	return false
}
