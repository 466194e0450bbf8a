// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/archive/store"
)

// apiMeeting is all that is known of a trace.
type apiMeeting struct {
	TraceID    string            `json:"trace_id"`
	Meeting    json.RawMessage   `json:"meeting,omitempty"`
	Calls      []json.RawMessage `json:"calls,omitempty"`
	Legs       []json.RawMessage `json:"legs,omitempty"`
	NextLegs   string            `json:"next_legs,omitempty"`
	Recordings []json.RawMessage `json:"recordings,omitempty"`
	Sessions   []json.RawMessage `json:"sessions,omitempty"`
	Tracks     []json.RawMessage `json:"tracks,omitempty"`
	Dialogs    []json.RawMessage `json:"dialogs,omitempty"`
	Ends       []store.End       `json:"ends,omitempty"`
	// Doubt whether the meeting runs.
	Doubt *store.Doubt `json:"doubt,omitempty"`
	*apiLive
}

func apiTrace(ctx context.Context, r *apiRequest) (any, error) {
	id := r.http.PathValue("trace")
	if len(id) > maxValue || strings.ToValidUTF8(id, "") != id || strings.ContainsRune(id, 0) {
		return nil, errNotFound
	}
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	t, err := r.view.Trace(ctx, strings.ToLower(id), page)
	if err != nil {
		return nil, err
	}
	if t.Empty() {
		return nil, errNotFound
	}
	out := apiMeeting{TraceID: t.ID, Ends: t.Ends}
	if t.Conference != nil {
		if out.Meeting, err = store.MarshalRow(t.Conference); err != nil {
			return nil, err
		}
		doubts, err := r.view.ConferenceDoubts(ctx, []store.Conference{*t.Conference})
		if err != nil {
			return nil, err
		}
		if doubt, known := doubts[t.ID]; known {
			out.Doubt = &doubt
		}
	}
	if t.NextLegs != nil {
		out.NextLegs = "?" + url.Values{paramAfter: {cursorText(*t.NextLegs)}, paramLimit: {strconv.Itoa(page.Limit)}}.Encode()
	}
	if out.apiLive, err = apiLiveRows(t.Legs, t.States, t.Qualities, t.Doubts); err != nil {
		return nil, err
	}
	return out, errors.Join(apiRowsOf(t.Calls, &out.Calls), apiRowsOf(t.Legs, &out.Legs), apiRowsOf(t.Recordings, &out.Recordings),
		apiRowsOf(t.Sessions, &out.Sessions), apiRowsOf(t.Tracks, &out.Tracks), apiRowsOf(t.Dialogs, &out.Dialogs))
}

func apiRowsOf[T store.Row](rows []T, to *[]json.RawMessage) error {
	for i := range rows {
		row, err := store.MarshalRow(&rows[i])
		if err != nil {
			return err
		}
		*to = append(*to, row)
	}
	return nil
}
