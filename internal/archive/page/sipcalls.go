// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"context"
	"io"
	"net/http"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// sipCallsPage lists the SIP calls that no Meeting Server has a leg of.
type sipCallsPage struct {
	listPage
	Results []choice
	Rows    []sipCallRow
}

// sipCallRow is a SIP call in the list.
type sipCallRow struct {
	store.Dialog
	Start    localTime
	From, To string
	Why      *why
	Seconds  *float64
}

// URL of the SIP call's page.
func (s *sipCallRow) URL() string { return traceURL("traces", s.TraceID, s.SpanID) }

// FromSub is the caller's address, if its name stands above.
func (s *sipCallRow) FromSub() string {
	if s.FromName == "" {
		return ""
	}
	return s.FromParty
}

// ToSub likewise is the address that was called.
func (s *sipCallRow) ToSub() string {
	if s.ToName == "" {
		return ""
	}
	return s.ToParty
}

// resultChoices of the form.
var resultChoices = func() (choices []choice) {
	choices = []choice{{"", "any"}}
	for _, result := range []string{names.DialogFailed, names.DialogCancelled, names.DialogChallenged, names.DialogRedirected, names.DialogAnswered} {
		choices = append(choices, choice{result, resultWords[result]})
	}
	return choices
}()

func (h *handler) sipCalls(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &sipCallsPage{listPage: h.newList(r, "SIP calls without a meeting", "sipcalls", "./sipcalls"), Results: resultChoices}
	p.LiveSeconds = 0
	p.setExports("sipcalls.csv")
	p.setSortColumns(store.SortColumns[store.Dialog]())
	if len(p.Errors) > 0 {
		return p.answer("sipcalls", p), nil
	}
	page := store.Page{After: p.after, Limit: pageRows, Sort: p.sorted()}
	if p.Sorted {
		page.Limit, page.After = sortedRows, store.Cursor{}
	}
	found, err := v.DialogsWithoutLeg(ctx, p.Filter, page)
	if err != nil {
		return answer{}, err
	}
	p.Cut = p.Sorted && found.More
	if found.Next != nil {
		p.Next = p.Path + p.query(paramAfter, cursorText(*found.Next))
	}
	if !found.SearchedTo.IsZero() {
		p.SearchedTo = &localTime{found.SearchedTo}
	}
	for i := range found.Rows {
		p.Rows = append(p.Rows, sipCallRowOf(&found.Rows[i]))
	}
	return p.answer("sipcalls", p), nil
}

func sipCallRowOf(d *store.Dialog) sipCallRow {
	return sipCallRow{
		Dialog: *d, Start: localTime{d.StartedAt}, Why: whyOfDialog(d), Seconds: d.DurationSeconds,
		From: cmp.Or(d.FromName, d.FromParty, "unknown"), To: cmp.Or(d.ToName, d.ToParty, "unknown"),
	}
}

func (c *Config) writeSIPCalls(ctx context.Context, to io.Writer, filter store.CSVFilter) error {
	return c.Store.WriteDialogsCSV(ctx, to, filter)
}
