// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"unsafe"

	"go.uber.org/zap"
)

// retryAfter is what a refused sender is told, in seconds. How long one really
// waits is documented for none of them.
const retryAfter = "1"

// Request is a posted body and where it came from.
type Request struct {
	Body string
	// URI is path and query, as posted to, and Query its query.
	URI   string
	Query url.Values
	// Address of the client, without its port.
	Address string
	// Closing ends when the receiver cannot wait any longer.
	Closing context.Context
}

// Settings of a Handler.
type Settings struct {
	// Path that is posted to.
	Path string
	// MaxBody bounds a body, inflated, in bytes.
	MaxBody int64
	// Accept takes a body. After nil it is safe, and is answered with 200; after
	// an error it is answered with 503.
	Accept func(context.Context, Request) error
	// Count counts n answers with a status.
	Count func(ctx context.Context, status int, n int64)
	// Words are what the log says.
	Words  Words
	Logger *zap.Logger
}

// Words say in the log what an answer means to the sender in question.
type Words struct{ OtherPath, Refused, TooLarge, Unread string }

// Handler speaks HTTP and nothing else: what a body holds is for Accept.
type Handler struct {
	Settings

	closing  context.Context // ends when requests in flight must
	cut      context.CancelFunc
	inFlight sync.RWMutex // read-locked by each request
	closed   bool         // guarded by inFlight
}

// Statuses are what is answered.
var Statuses = [...]int{
	http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable,
}

// NewHandler returns a handler, and lets the counter of each status be born at zero.
func NewHandler(ctx context.Context, settings Settings) *Handler {
	h := &Handler{Settings: settings}
	h.closing, h.cut = context.WithCancel(context.WithoutCancel(ctx))
	for _, status := range Statuses {
		h.Count(ctx, status, 0)
	}
	return h
}

// Close cuts off the requests that are still in flight and waits for them. What
// comes after it is refused.
func (h *Handler) Close() {
	h.cut()
	h.inFlight.Lock()
	defer h.inFlight.Unlock()
	h.closed = true
}

// ServeHTTP answers. The path is compared, not routed: a mux would clean it and
// redirect, and a sender need not follow.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.inFlight.RLock()
	defer h.inFlight.RUnlock()
	status := h.statusOf(r)
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET, HEAD, POST")
	}
	if isProbe := r.Method == http.MethodGet || r.Method == http.MethodHead; !isProbe {
		h.Count(r.Context(), status, 1)
	}
	w.WriteHeader(status)
}

func (h *Handler) statusOf(r *http.Request) int {
	switch {
	case h.closed:
		return http.StatusServiceUnavailable
	case r.URL.Path != h.Path:
		// Without the path asked for: it is a stranger's text.
		h.Logger.Warn(h.Words.OtherPath, from(r))
		return http.StatusNotFound
	case r.Method == http.MethodPost:
		return h.post(r)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		// Cisco's sample receiver of CDRs answers so; people use it as a health check.
		return http.StatusOK
	default:
		return http.StatusMethodNotAllowed
	}
}

// post returns the status for a posted body. Senders take exactly 200 for an
// answer; so it is also the one to what will never be readable.
func (h *Handler) post(r *http.Request) int {
	body, err := readBody(r, h.MaxBody)
	if err != nil {
		return h.unread(r, err)
	}
	in := Request{Body: body, URI: r.RequestURI, Address: clientAddress(r), Closing: h.closing}
	if r.URL.RawQuery != "" {
		in.Query = r.URL.Query()
	}
	err = h.Accept(r.Context(), in)
	if err != nil {
		h.Logger.Warn(h.Words.Refused, from(r), zap.Error(err))
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// from says which sender a line of the log is about.
func from(r *http.Request) zap.Field { return zap.String("client.address", clientAddress(r)) }

func (h *Handler) unread(r *http.Request, err error) int {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		h.Logger.Warn(h.Words.TooLarge, from(r),
			zap.Int64("max_request_body_size", tooLarge.Limit), zap.Int64("content_length", r.ContentLength))
		return http.StatusRequestEntityTooLarge
	}
	if !errors.Is(err, context.Canceled) {
		h.Logger.Warn(h.Words.Unread, from(r), zap.Error(err))
	}
	return http.StatusBadRequest
}

// firstRead bounds what is set aside for a body before any of it came.
const firstRead = 1 << 20

// readBody returns the body as a string without copying it once more: nobody
// else has the bytes, and nobody writes to them again.
func readBody(r *http.Request, limit int64) (string, error) {
	size := min(max(r.ContentLength, 511), limit, firstRead)
	buffer := make([]byte, 0, size+1)
	for {
		n, err := r.Body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			return unsafe.String(unsafe.SliceData(buffer), len(buffer)), nil //nolint:gosec // see the function's comment
		}
		if err != nil {
			return "", err
		}
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
	}
}

func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
