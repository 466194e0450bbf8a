// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Archive is the API of a call archive.
type Archive struct {
	// URL of the page, such as http://localhost:8088.
	URL *url.URL
	// User and Password of HTTP Basic, "" for none.
	User, Password string
	Client         *http.Client
}

// maxAnswer bounds an answer of the API, in bytes.
const maxAnswer = 64 << 20

// row has the columns of calls, call_legs and recordings that these comparisons read.
type row struct {
	ID          string
	TraceID     string    `json:"trace_id"`
	SpanID      string    `json:"span_id"`
	Parent      string    `json:"parent_span_id"`
	State       string    `json:"state"`
	Outcome     string    `json:"outcome"`
	Start       time.Time `json:"started_at"`
	End         time.Time `json:"ended_at"`
	Kind        string    `json:"kind"`
	RoomName    string    `json:"room_name"`
	Reason      string    `json:"reason"`
	Direction   string    `json:"direction"`
	DisplayName string    `json:"display_name"`
}

// object of a row that has ended; ok is false for others, which have no span either.
func (r *row) object(kind string) (o Object, ok bool) {
	return Object{
		Kind: kind, ID: r.ID, Trace: r.TraceID, Span: r.SpanID, Parent: r.Parent, Start: r.Start, End: r.End, Outcome: r.Outcome,
		Values: map[string]string{"name": r.RoomName, "reason": r.Reason, "direction": r.Direction, "display_name": r.DisplayName},
	}, r.State == "ended"
}

// Read returns all objects of the archive that have ended, each once.
func (a *Archive) Read(ctx context.Context) (all []Object, err error) {
	seen := map[key]bool{}
	add := func(kind string, rows []row) {
		for i := range rows {
			o, ended := rows[i].object(kind)
			if k := (key{kind, o.ID}); ended && !seen[k] {
				seen[k] = true
				all = append(all, o)
			}
		}
	}
	var traces []string
	err = a.list(ctx, "meetings", func(rows []row) {
		for i := range rows {
			traces = append(traces, rows[i].TraceID)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := a.list(ctx, "legs", func(rows []row) { add(kindLeg, rows) }); err != nil {
		return nil, err
	}
	for _, trace := range traces {
		var meeting struct{ Calls, Recordings []row }
		if err := a.get(ctx, "meetings/"+url.PathEscape(trace), "", &meeting); err != nil {
			return nil, err
		}
		add(kindCall, meeting.Calls)
		for i := range meeting.Recordings {
			add(meeting.Recordings[i].Kind, meeting.Recordings[i:i+1])
		}
	}
	return all, nil
}

// list reads all pages of a list.
func (a *Archive) list(ctx context.Context, name string, each func([]row)) error {
	query := "limit=500"
	for {
		var page struct {
			Data []row
			Next string
		}
		if err := a.get(ctx, name, query, &page); err != nil {
			return err
		}
		each(page.Data)
		next := strings.TrimPrefix(page.Next, "?")
		if next == "" || next == query {
			return nil
		}
		query = next
	}
}

func (a *Archive) get(ctx context.Context, path, query string, into any) error {
	u := a.URL.JoinPath("api", "v1", path)
	u.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return err
	}
	if a.User != "" {
		request.SetBasicAuth(a.User, a.Password)
	}
	response, err := a.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", u.Redacted(), response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s: the answer is no JSON of the call archive: %w", u.Redacted(), err)
	}
	return nil
}
