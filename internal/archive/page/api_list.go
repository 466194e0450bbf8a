// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// apiPage is a page of a list.
type apiPage struct {
	Data []json.RawMessage `json:"data"`
	// Next is the query of the next page, absent at the end.
	Next string `json:"next,omitempty"`
	// SearchedTo is how far back this page looked, if it ended because it had looked at
	// enough rows.
	SearchedTo *time.Time `json:"searched_to,omitempty"`
	// More is set if a sorted list, which has no next page, has more rows.
	More bool `json:"more,omitempty"`
	// Doubts whether meetings run, by their trace ids.
	Doubts map[string]store.Doubt `json:"meeting_doubts,omitempty"`
	*apiLive
}

// page returns the requested page of a list.
func (r *apiRequest) page() (store.Page, error) {
	page := store.Page{Limit: apiRows, After: r.form.after}
	if text := r.form.Value(paramLimit); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > store.MaxLimit {
			r.form.Errors[paramLimit] = "must be a number from 1 to " + strconv.Itoa(store.MaxLimit)
			return page, errParameter
		}
		page.Limit = limit
	}
	return page, nil
}

// apiQuery reads a page of a list.
type apiQuery[T store.Row] func(*store.View, context.Context, store.Filter, store.Page) (store.List[T], error)

func apiList[T store.Row](list apiQuery[T]) apiRoute {
	return func(ctx context.Context, r *apiRequest) (any, error) {
		found, err := readList(ctx, r, list)
		if err != nil {
			return nil, err
		}
		return apiPageOf(r, &found)
	}
}

// readList reads the page that a request asks for.
func readList[T store.Row](ctx context.Context, r *apiRequest, list apiQuery[T]) (found store.List[T], err error) {
	page, err := r.page()
	if err != nil {
		return found, err
	}
	if page.Sort = r.form.sorted(); page.Sort != (store.Sort{}) {
		if !slices.Contains(store.SortColumns[T](), page.Sort.Column) {
			r.form.Errors[paramSort] = "must be one of " + strings.Join(store.SortColumns[T](), ", ")
			return found, errParameter
		}
		page.After = store.Cursor{}
	}
	return list(r.view, ctx, r.form.Filter, page)
}

func apiPageOf[T store.Row](r *apiRequest, found *store.List[T]) (apiPage, error) {
	page := apiPage{Data: []json.RawMessage{}}
	for i := range found.Rows {
		row, err := store.MarshalRow(&found.Rows[i])
		if err != nil {
			return page, err
		}
		page.Data = append(page.Data, row)
	}
	if found.Next != nil {
		query := url.Values{}
		maps.Copy(query, r.http.URL.Query())
		query.Set(paramAfter, cursorText(*found.Next))
		page.Next = "?" + query.Encode()
	}
	page.More = found.More && found.Next == nil
	if !found.SearchedTo.IsZero() {
		page.SearchedTo = &found.SearchedTo
	}
	return page, nil
}

func apiSearch(ctx context.Context, r *apiRequest) (any, error) {
	found, err := r.view.Search(ctx, asked(r.http.URL.Query(), paramSearch), searchRows)
	if err != nil {
		return nil, err
	}
	terms := found.Terms
	if terms == nil {
		terms = []store.Term{}
	}
	return struct {
		Data []store.Term `json:"data"`
		More bool         `json:"more"`
	}{terms, found.More}, nil
}
