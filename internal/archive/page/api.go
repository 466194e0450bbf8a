// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// The API is the queries of the pages as JSON (docs/call-archive-api.md). What is in
// v1 stays: fields are added, none is renamed or removed.

const (
	apiPrefix  = "/api/v1/"
	paramLimit = "limit"
	// apiRows of an answer, unless the request has a limit.
	apiRows = 100
)

// apiRoutes by their paths behind the prefix.
func (h *handler) apiRoutes() map[string]apiRoute {
	return map[string]apiRoute{
		"meetings":         apiMeetings,
		"legs":             apiLegs,
		"sessions":         apiList((*store.View).Sessions),
		"sip-calls":        apiList((*store.View).DialogsWithoutLeg),
		"meetings/{trace}": apiTrace,
		"search":           apiSearch,
		"people":           apiPerson,
		"people/legs":      apiPersonLegs,
		"rooms":            apiRoom,
		"rooms/meetings":   apiRoomMeetings,
		"running":          apiRunning,
		"overview":         h.apiOverview,
		"usage":            apiUsage,
		"usage/tags":       apiTags,
	}
}

// apiRequest is the request of a route.
type apiRequest struct {
	view *store.View
	form *form
	now  time.Time
	http *http.Request
}

// apiRoute returns a value that api writes as JSON.
type apiRoute func(ctx context.Context, r *apiRequest) (any, error)

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

// apiFailure is the body of an answer that is an error.
type apiFailure struct {
	Error struct {
		Status  int               `json:"status"`
		Message string            `json:"message"`
		Fields  map[string]string `json:"fields,omitempty"`
	} `json:"error"`
}

// errParameter says that a parameter cannot be; its words are in the form.
var errParameter = errors.New("callpage: a parameter is not valid")

func (h *handler) registerAPI() {
	for path, route := range h.apiRoutes() {
		h.mux.HandleFunc("GET "+apiPrefix+path, h.api(route))
	}
}

// api answers with the result of a route. Times are UTC: programs have no cookies.
func (h *handler) api(route apiRoute) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body []byte
		now := h.config.Now().UTC()
		f := parseForm(r.URL.Query(), now)
		_, err := h.serve(r, func(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
			if len(f.Errors) > 0 {
				return answer{}, errParameter
			}
			v.In(time.UTC)
			result, err := route(ctx, &apiRequest{v, f, now, r})
			if err == nil {
				body, err = json.Marshal(result)
			}
			return answer{}, err
		})
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		switch {
		case err == nil:
			_, _ = w.Write(append(body, '\n')) // the client may be gone
		case errors.Is(err, errParameter):
			failAPI(w, http.StatusBadRequest, "A parameter is not valid.", f.Errors)
		default:
			h.failWith(w, r, err)
		}
	}
}

func failAPI(w http.ResponseWriter, status int, message string, fields map[string]string) {
	var failure apiFailure
	failure.Error.Status, failure.Error.Message, failure.Error.Fields = status, message, fields
	body, err := json.Marshal(failure)
	if err != nil {
		body = []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
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

// party that a request asks for.
func (r *apiRequest) party() (store.Party, error) {
	party := partyOf(r.form.values)
	if party == (store.Party{}) {
		r.form.Errors[paramAddress] = "or name must be given"
		return party, errParameter
	}
	return party, nil
}

func apiPerson(ctx context.Context, r *apiRequest) (any, error) {
	party, err := r.party()
	if err != nil {
		return nil, err
	}
	profile, err := r.view.PartyProfile(ctx, party, r.now)
	if err == nil && profile.Legs == 0 {
		err = errNotFound
	}
	return profile, err
}

func apiPersonLegs(ctx context.Context, r *apiRequest) (any, error) {
	party, err := r.party()
	if err != nil {
		return nil, err
	}
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	found, err := r.view.PartyLegs(ctx, party, page)
	if err != nil {
		return nil, err
	}
	return apiPageOf(r, &found)
}

// room that a request asks for.
func (r *apiRequest) room() (store.RoomKey, error) {
	key := roomOf(r.form.values)
	if key == (store.RoomKey{}) {
		r.form.Errors[paramID] = "or name must be given"
		return key, errParameter
	}
	return key, nil
}

func apiRoom(ctx context.Context, r *apiRequest) (any, error) {
	key, err := r.room()
	if err != nil {
		return nil, err
	}
	profile, err := r.view.RoomProfile(ctx, key, r.now)
	if err == nil && profile.Meetings == 0 {
		err = errNotFound
	}
	return profile, err
}

func apiRoomMeetings(ctx context.Context, r *apiRequest) (any, error) {
	key, err := r.room()
	if err != nil {
		return nil, err
	}
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	found, err := r.view.RoomConferences(ctx, key, page)
	if err != nil {
		return nil, err
	}
	return apiPageOf(r, &found)
}

func apiRunning(ctx context.Context, r *apiRequest) (any, error) {
	running, err := r.view.Running(ctx)
	return map[string]int64{"meetings": running.Conferences, "legs": running.Legs, "recordings": running.Recordings, "sessions": running.Sessions}, err
}

// rangeOf returns the requested time range, one of those of the overview.
func (r *apiRequest) rangeOf() (overviewRange, error) {
	text := r.http.URL.Query().Get(paramRange)
	if text == "" {
		return ranges[0], nil
	}
	for _, of := range ranges {
		if of.Value == text {
			return of, nil
		}
	}
	r.form.Errors[paramRange] = "must be 24h, 7d, 30d or 90d"
	return overviewRange{}, errParameter
}

func (h *handler) apiOverview(ctx context.Context, r *apiRequest) (any, error) {
	of, err := r.rangeOf()
	if err != nil {
		return nil, err
	}
	o, err := h.overview.get(ctx, r.view, of, r.now)
	return struct {
		From    time.Time      `json:"from"`
		To      time.Time      `json:"to"`
		Step    float64        `json:"step_seconds"`
		Buckets []store.Bucket `json:"buckets"`
		Ends    []store.End    `json:"ends"`
	}{o.From, o.To, o.Step.Seconds(), o.Buckets, o.Ends}, err
}

func apiUsage(ctx context.Context, r *apiRequest) (any, error) {
	of, err := r.rangeOf()
	if err != nil {
		return nil, err
	}
	f := store.UsageFilter{Scope: store.UsageAll, Step: time.Hour, To: r.now}
	if of.span > 8*24*time.Hour {
		f.Step = 24 * time.Hour
	}
	f.From = truncate(r.now.Add(-of.span), f.Step)
	if text := r.form.Value(paramScope); text != "" {
		scope, value, _ := strings.Cut(text, ":")
		if scope != store.UsageBridge && scope != store.UsageTenant || value == "" {
			r.form.Errors[paramScope] = "must be bridge: or tenant: and an id"
			return nil, errParameter
		}
		f.Scope, f.Value = scope, value
	}
	steps, err := r.view.Usage(ctx, f)
	return struct {
		Step float64           `json:"step_seconds"`
		Data []store.UsageHour `json:"data"`
	}{f.Step.Seconds(), steps}, err
}

func apiTags(ctx context.Context, r *apiRequest) (any, error) {
	month, err := monthOf(r.form.Value(paramMonth), r.now)
	if err != nil {
		r.form.Errors[paramMonth] = err.Error()
		return nil, errParameter
	}
	tags, more, err := r.view.TagUsage(ctx, month, month.AddDate(0, 1, 0), mostTags)
	if tags == nil {
		tags = []store.TagUsage{}
	}
	return struct {
		Month string           `json:"month"`
		Data  []store.TagUsage `json:"data"`
		More  bool             `json:"more"`
	}{month.Format(monthForm), tags, more}, err
}
