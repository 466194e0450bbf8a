// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/callarchive"
)

// exportCSV answers GET /export.csv?from=2026-03-01&to=2026-04-01&room=…&tenant=…&tag=…
type exportCSV struct {
	store  *callarchive.Store
	logger *zap.Logger
}

// ServeHTTP implements http.Handler. What breaks off on the way is no whole
// answer: the connection is closed before its end is told.
func (h *exportCSV) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	filter, err := csvFilter(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="calls.csv"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if err := h.store.WriteCSV(r.Context(), w, filter); err != nil {
		if r.Context().Err() == nil {
			h.logger.Error("export.csv broke off", zap.Error(err))
		}
		panic(http.ErrAbortHandler)
	}
}

func csvFilter(query url.Values) (callarchive.CSVFilter, error) {
	from, err := moment(query, "from")
	if err != nil {
		return callarchive.CSVFilter{}, err
	}
	to, err := moment(query, "to")
	if err != nil {
		return callarchive.CSVFilter{}, err
	}
	return callarchive.CSVFilter{
		From: from, To: to, RoomID: query.Get("room"), TenantID: query.Get("tenant"), Tag: query.Get("tag"),
	}, nil
}

// moment reads a day or a time, in UTC unless it says otherwise; zero if there
// is none.
func moment(query url.Values, key string) (time.Time, error) {
	text := query.Get(key)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s must be a day (2026-03-05) or a time (2026-03-05T12:00:00Z)", key)
}
