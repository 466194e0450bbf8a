// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/legato-otel/legato/internal/archive/httperror"
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
			httperror.JSON(w, http.StatusBadRequest, "A parameter is not valid.", f.Errors)
		default:
			h.failWith(w, r, err)
		}
	}
}
