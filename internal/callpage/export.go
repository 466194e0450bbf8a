// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callpage

import (
	"net/http"
	"time"

	"github.com/legato-otel/legato/internal/callarchive"
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
	_ = c.control.SetWriteDeadline(time.Now().Add(chunkTimeout)) // what has no deadline needs no other one
}

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
	w.Header().Set("Content-Disposition", `attachment; filename="calls.csv"`)
	if r.Method == http.MethodHead {
		return
	}
	out := chunks{w, http.NewResponseController(w)}
	defer out.more() // for what is still buffered
	if err := h.config.Store.WriteCSV(r.Context(), out, callarchive.CSVFilter{Filter: f.Filter, Tag: f.Tag}); err != nil {
		if r.Context().Err() == nil {
			h.config.Failed(err)
		}
		panic(http.ErrAbortHandler)
	}
}
