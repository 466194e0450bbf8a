// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/client"
	"go.uber.org/zap"
)

// retryAfter is the pause that a refused sender is asked for, in seconds. How long
// one really waits is documented for none of them.
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
	// Path that is posted to, and DefaultPath that of an unchanged configuration.
	Path, DefaultPath string
	// MaxBody bounds a body, and MaxInFlight all bodies together, inflated, in bytes.
	MaxBody, MaxInFlight int64
	// Accept takes a body. After nil it is safe, and is answered with 200; after
	// an error it is answered with 503.
	Accept func(context.Context, Request) error
	// Count counts n answers with a status.
	Count func(ctx context.Context, status int, n int64)
	// Messages of the log.
	Messages Messages
	Logger   *zap.Logger
}

// Handler speaks HTTP and nothing else: what a body holds is for Accept.
type Handler struct {
	Settings

	path   path
	shown  string // of the path
	log    limitedLog
	budget budget

	closing context.Context // ends when requests in flight must
	cut     context.CancelFunc

	requests sync.WaitGroup // in flight
	mu       sync.RWMutex   // guards closed, and requests against what comes after it
	closed   bool
}

// Statuses are what is answered, by the handler or by confighttp before it.
var Statuses = [...]int{
	http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusLengthRequired, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable,
}

// NewHandler returns a handler, and lets the counter of each status be born at zero.
func NewHandler(ctx context.Context, settings Settings) *Handler {
	h := &Handler{
		Settings: settings, path: newPath(settings.Path), shown: MaskPath(settings.Path, settings.DefaultPath),
		log: limitedLog{logger: settings.Logger}, budget: budget{most: settings.MaxInFlight},
	}
	h.closing, h.cut = context.WithCancel(context.WithoutCancel(ctx))
	for _, status := range Statuses {
		h.Count(ctx, status, 0)
	}
	return h
}

// close refuses what comes after it and cancels the requests that are in flight.
func (h *Handler) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cut()
}

// enter tells whether a request may begin; it then ends with h.requests.Done.
func (h *Handler) enter() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if !h.closed {
		h.requests.Add(1)
	}
	return !h.closed
}

// ServeHTTP answers.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := http.StatusServiceUnavailable
	if h.enter() {
		defer h.requests.Done()
		status = h.statusOf(r)
	}
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET, HEAD, POST")
	}
	h.count(r, status)
	w.WriteHeader(status)
}

// count counts an answer. A probe is none.
func (h *Handler) count(r *http.Request, status int) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Count(r.Context(), status, 1)
	}
}

func (h *Handler) statusOf(r *http.Request) int {
	switch {
	case !h.path.matches(r.URL):
		// Without the path of the request: it is a stranger's text.
		h.log.warn(h.Messages.OtherPath, from(r), zap.String("path", h.shown))
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
	if hasNoLength(r) {
		h.log.warn(h.Messages.NoLength, from(r))
		return http.StatusLengthRequired
	}
	posted := body{budget: &h.budget}
	defer posted.release()
	if err := posted.read(r, h.MaxBody); err != nil {
		return h.unread(r, err)
	}
	in := Request{Body: posted.text, URI: r.RequestURI, Address: clientAddress(r), Closing: h.closing}
	if r.URL.RawQuery != "" {
		in.Query = r.URL.Query()
	}
	if err := h.Accept(r.Context(), in); err != nil {
		h.log.warn(h.Messages.Refused, from(r), zap.Error(err))
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// hasNoLength tells whether nobody can know if the request has a body: in
// HTTP/1.0 it ends with the connection, and the server reads none of it.
func hasNoLength(r *http.Request) bool {
	return !r.ProtoAtLeast(1, 1) && r.ContentLength == 0 && r.Header.Get("Content-Length") == ""
}

// from names in the log the sender that a line is about.
func from(r *http.Request) zap.Field { return zap.String("client.address", clientAddress(r)) }

func (h *Handler) unread(r *http.Request, err error) int {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		h.log.warn(h.Messages.TooLarge, from(r),
			zap.Int64("max_request_body_size", tooLarge.Limit), zap.Int64("content_length", r.ContentLength))
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, errBusy) {
		h.log.warn(h.Messages.Busy, from(r), zap.Int64("max_in_flight_bytes", h.MaxInFlight))
		return http.StatusServiceUnavailable
	}
	if !errors.Is(err, context.Canceled) && h.closing.Err() == nil {
		h.log.warn(h.Messages.Unread, from(r), zap.Error(err))
	}
	return http.StatusBadRequest
}

// failed answers what confighttp does not let through to the handler: wrong
// credentials, and bodies that cannot be inflated. encodings are those it can. The
// answer has no text: nobody reads it, and confighttp's holds the sender's own.
func (h *Handler) failed(w http.ResponseWriter, r *http.Request, status int, encodings []string) {
	switch encoding := r.Header.Get("Content-Encoding"); {
	case status == http.StatusUnauthorized:
		h.log.warn(h.Messages.Unauthorized, from(r))
	case status == http.StatusBadRequest && encoding != "" && !slices.Contains(encodings, encoding):
		status = http.StatusUnsupportedMediaType
		w.Header().Set("Accept-Encoding", strings.Join(encodings, ", "))
		h.log.warn(h.Messages.Encoding, from(r), zap.Strings("compression_algorithms", encodings))
	default:
		h.log.warn(h.Messages.Unread, from(r), zap.Int("http.response.status_code", status))
	}
	h.count(r, status)
	w.WriteHeader(status)
}

// clientAddress returns the client's address without its port. confighttp knows it,
// but for addresses with a zone.
func clientAddress(r *http.Request) string {
	if address := client.FromContext(r.Context()).Addr; address != nil {
		return address.String()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
