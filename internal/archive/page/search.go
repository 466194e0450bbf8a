// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"net/http"
	"net/url"

	"github.com/legato-otel/legato/internal/archive/store"
)

// searchRows of each kind.
const searchRows = 25

type searchPage struct {
	frame
	Query  string
	Groups []searchGroup
	More   bool
	// Short says that only the beginnings were searched, Newest how many terms were.
	Short  bool
	Newest int64
}

// searchGroup has the terms of one kind.
type searchGroup struct {
	ID, Words string
	Rows      []searchRow
}

type searchRow struct {
	Text, URL string
	When      localTime
}

// searchKinds are the kinds of results in the order of the page, with the page that each leads
// to.
var searchKinds = []struct {
	kind  store.TermKind
	words string
	url   func(text string) string
}{
	{store.TermName, "People and endpoints by name", func(text string) string { return personURL("", text) }},
	{store.TermAddress, "People and endpoints by address", func(text string) string { return personURL(text, "") }},
	{store.TermRoom, "Rooms", func(text string) string { return roomURL("", text) }},
	{store.TermDialled, "Dialled addresses", func(text string) string { return legsURL(paramDialled, text) }},
	{store.TermOwner, "Owners of meetings", func(text string) string { return "./?" + url.Values{paramOwner: {text}}.Encode() }},
	{store.TermBridge, "Bridges", func(text string) string { return legsURL(paramBridge, text) }},
}

func (h *handler) search(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &searchPage{frame: h.frame(r, "Search", "search"), Query: asked(r.URL.Query(), paramSearch)}
	found, err := v.Search(ctx, p.Query, searchRows)
	if err != nil {
		return answer{}, err
	}
	p.More, p.Short = found.More, found.Way == store.SearchBeginning
	if found.Way == store.SearchNewest {
		p.Newest = store.SearchedTerms
	}
	for _, kind := range searchKinds {
		g := searchGroup{ID: string(kind.kind), Words: kind.words}
		for _, term := range found.Terms {
			if term.Kind == kind.kind {
				g.Rows = append(g.Rows, searchRow{term.Text, kind.url(term.Text), localTime{term.LastSeenAt}})
			}
		}
		if len(g.Rows) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	return answer{template: "search.html", data: p}, nil
}
