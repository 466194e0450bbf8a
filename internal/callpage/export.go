// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callpage

import (
	"net/http"

	"github.com/legato-otel/legato/internal/callarchive"
)

// exportCSV answers with the legs that the filter lets through, as billing wants
// them. What breaks off on the way is no whole answer: the connection is closed
// before its end is told.
func (h *handler) exportCSV(w http.ResponseWriter, r *http.Request) {
	f := parseForm(r.URL.Query(), h.config.Now())
	for _, name := range append([]string{paramTag}, filterParams...) {
		if text := f.Errors[name]; text != "" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(name + " " + text + "\n"))
			return
		}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="calls.csv"`)
	if r.Method == http.MethodHead {
		return
	}
	if err := h.config.Store.WriteCSV(r.Context(), w, callarchive.CSVFilter{Filter: f.Filter, Tag: f.Tag}); err != nil {
		if r.Context().Err() == nil {
			h.config.Failed(err)
		}
		panic(http.ErrAbortHandler)
	}
}
