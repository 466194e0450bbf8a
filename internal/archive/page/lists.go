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
	// pageRows is the number of rows of a list, runningRows that of the list of running
	// objects above it.
	pageRows    = 50
	runningRows = 100
	// sortedRows is the number of rows of a list that is not ordered by start. Such a list has
	// no next page.
	sortedRows = 200
)

// listPage is the common part of the three list pages.
type listPage struct {
	frame
	*form
	Path string
	// OfMeetings reports whether the list is of meetings or their legs, which have more fields
	// in the form.
	OfMeetings bool
	Reasons    []choice
	Sinces     []choice
	States     []choice
	Count      store.Running
	// Doubts counts the running objects that may have ended; Doubt is the gap that causes the
	// doubt, nil if there is none.
	Doubts store.Doubts
	Doubt  *doubt
	// ShowRunning and ShowEnded: the two parts of the list.
	ShowRunning, ShowEnded bool
	MoreRunning            string // address of the list of all running objects, if it is longer than shown
	First                  bool   // the first page
	Next                   string // address of the next page
	SearchedTo             *localTime
	Exports                []choice // forms of the list as CSV, by their addresses
	AnywhereURL            string
	Backward               string // address of the first page
	// Columns that the list can be sorted by.
	Columns []string
	Sorted  bool
	Cut     bool // there are more rows than a sorted list shows
}

// head is the head of one of the two parts of a list: ended or running objects.
type head struct {
	page  *listPage
	Ended bool
}

// Head returns the head of one of the two parts of the list.
func (p *listPage) Head(ended bool) head { return head{p, ended} }

// heading is the heading of a column. URL is the address of the list sorted by it, Sorted the
// direction in which the list is sorted by it, "" if it is not.
type heading struct{ Words, URL, Sorted string }

// Column returns the heading of a column. The first click sorts by the column, text from A on
// and numbers from the largest on; the next click reverses the order.
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

// sortText returns an order as a parameter; "" is by start, newest first.
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

// sorted returns the requested order; zero is by start.
func (f *form) sorted() store.Sort {
	column, descending := strings.CutPrefix(strings.TrimSpace(f.values.Get(paramSort)), "-")
	if column == "" || f.Errors[paramSort] != "" {
		return store.Sort{}
	}
	return store.Sort{Column: column, Descending: descending}
}

// setSortColumns checks that the list has the column of the requested order.
func (p *listPage) setSortColumns(columns []string) {
	p.Columns = columns
	if by := p.sorted(); by != (store.Sort{}) && !slices.Contains(columns, by.Column) {
		p.Errors[paramSort] = "must be one of " + strings.Join(columns, ", ") + ", with - before it for the largest first"
	}
	p.Sorted = p.sorted() != store.Sort{}
}

// setExports sets the addresses of the CSV exports.
func (p *listPage) setExports(file string) {
	p.Exports = nil
	for _, form := range csvChoices {
		p.Exports = append(p.Exports, choice{file + p.query(paramState, "", paramSort, "", paramForm, form.Value), form.Words})
	}
}

// ShownError returns the error of a field.
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
	p.setExports("export.csv")
	return p
}

// fillLists fills in both parts of a list, and the addresses of the next pages.
func fillLists[T store.Row](ctx context.Context, p *listPage,
	list func(context.Context, store.Filter, store.Page) (store.List[T], error), running, ended *[]T,
) error {
	if len(p.Errors) > 0 {
		p.showNothingSearched()
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
			p.SearchedTo = &localTime{found.SearchedTo}
		}
	}
	return nil
}

// showNothingSearched leaves out the running objects: a number of them would look like a
// result. The ended part explains that nothing was searched.
func (p *listPage) showNothingSearched() {
	p.ShowRunning, p.ShowEnded, p.LiveSeconds = false, true, 0
}

// answer returns the answer that renders a list, or only the part that changes.
func (p *listPage) answer(name string, data any) answer {
	a := answer{template: name + ".html", data: data}
	if len(p.Errors) > 0 {
		a.status = http.StatusBadRequest
		return a
	}
	if p.Value(paramLive) != "" {
		a.template = name + "-live"
	}
	return a
}

// field is a field of the form.
type field struct{ Name, Label, Hint, Type, Value, Error string }

// Field returns a field of the form, with the reader's value.
func (p *listPage) Field(name, label, hint, kind string) field {
	return field{name, label, hint, kind, p.Value(name), p.Errors[name]}
}

// Unsorted returns the query of the same list, the newest first.
func (p *listPage) Unsorted() string { return p.query(paramSort, "") }

// MoreOpen reports whether a field in the folded part of the form has a value.
func (p *listPage) MoreOpen() bool {
	for _, name := range []string{paramFrom, paramTo, paramShortest, paramLongest, paramTenant, paramAnywhere, paramBridge, paramOwner, paramDialled} {
		if p.Value(name) != "" {
			return true
		}
	}
	return false
}
