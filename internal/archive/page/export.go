// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

const (
	// mostExports is how many are made at once: each holds one of the connections
	// that the pages need too.
	mostExports = 2
	// chunkTimeout is how long a client may take for a piece of an export. The
	// server's own limit is for a whole answer, and an export takes as long as it
	// is long.
	chunkTimeout = 30 * time.Second
)

// chunks gives the client time anew for each piece.
type chunks struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (c chunks) Write(piece []byte) (int, error) {
	c.more()
	return c.ResponseWriter.Write(piece)
}

func (c chunks) more() {
	_ = c.control.SetWriteDeadline(time.Now().Add(chunkTimeout)) // a connection without a deadline needs none
}

// csvForms by their names.
var csvForms = map[string]store.CSVForm{"": store.CSVSafe, "excel": store.CSVExcel, "machine": store.CSVMachine}

// csv is the form of a CSV. If that or one of the parameters that the CSV has is wrong, it
// answers so and returns false.
func (f *form) csv(w http.ResponseWriter, parameters ...string) (form store.CSVForm, ok bool) {
	if form, ok = csvForms[f.Value(paramForm)]; !ok {
		f.Errors[paramForm] = "must be excel or machine"
	}
	for _, name := range append(parameters, paramForm) {
		if text := f.Errors[name]; text != "" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(name + " " + text + "\n")) //nolint:gosec // plain text, and words of this program
			return form, false
		}
	}
	return form, true
}

func (c *Config) writeLegs(ctx context.Context, to io.Writer, filter store.CSVFilter) error {
	return c.Store.WriteCSV(ctx, to, filter)
}

func (c *Config) writeMeetings(ctx context.Context, to io.Writer, filter store.CSVFilter) error {
	return c.Store.WriteConferencesCSV(ctx, to, filter)
}

// exportCSV answers with the rows that match the filter. What breaks off on the way is no
// whole answer: the connection is closed before the end of the body.
func (h *handler) exportCSV(file string, write func(context.Context, io.Writer, store.CSVFilter) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { h.serveCSV(w, r, file, write) }
}

func (h *handler) serveCSV(w http.ResponseWriter, r *http.Request, file string, write func(context.Context, io.Writer, store.CSVFilter) error) {
	f := parseForm(r.URL.Query(), h.config.Now().In(zoneOf(r)))
	csvForm, ok := f.csv(w, slices.Concat(csvParams, filterParams)...)
	if !ok {
		return
	}
	wait := time.NewTimer(waitTimeout)
	defer wait.Stop()
	select {
	case h.exports <- struct{}{}:
		defer func() { <-h.exports }()
	case <-wait.C:
		w.Header().Set("Retry-After", "60")
		h.fail(w, r, http.StatusServiceUnavailable)
		return
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
	if r.Method == http.MethodHead {
		return
	}
	out := chunks{w, http.NewResponseController(w)}
	defer out.more() // for the rows that are still buffered
	filter := store.CSVFilter{Filter: f.Filter, Of: partyOf(f.values), RoomName: asked(f.values, paramRoomName), Tag: f.Tag, Form: csvForm}
	if err := write(r.Context(), out, filter); err != nil {
		if r.Context().Err() == nil {
			h.config.Failed(err)
		}
		panic(http.ErrAbortHandler)
	}
}
