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

	"github.com/legato-otel/legato/internal/otel/limitedlog"
)

// retryAfter is the Retry-After of a 503, in seconds. No sender documents how long it really
// waits.
const retryAfter = "1"

// allowedMethods is the Allow of a 405.
const allowedMethods = "GET, HEAD, POST"

// Request is a posted body and the address of its client.
type Request struct {
	Body string
	// URI is the posted path and query, and Query the parsed query.
	URI   string
	Query url.Values
	// ClientAddress has no port.
	ClientAddress string
	// Closing ends when the shutdown stops waiting for requests.
	Closing context.Context
}

// Settings of a Handler.
type Settings struct {
	// Path of the requests, and DefaultPath of the default configuration.
	Path, DefaultPath string
	// MaxBodyBytes bounds a body, and MaxInFlightBytes all bodies together, after
	// decompression.
	MaxBodyBytes, MaxInFlightBytes int64
	// Accept accepts a body. It returns nil when the body is safe: the answer is 200. After
	// an error the answer is 503.
	Accept func(context.Context, Request) error
	// CountAnswers counts n answers with a status.
	CountAnswers func(ctx context.Context, status int, n int64)
	// Messages of the Collector's own log.
	Messages LogMessages
	Logger   *zap.Logger
}

// Handler implements HTTP only: Settings.Accept decodes the bodies.
type Handler struct {
	Settings

	path       path
	maskedPath string // of the path
	log        *limitedlog.Logger
	budget     budget

	closing       context.Context // Request.Closing of all requests
	cancelClosing context.CancelFunc

	requests sync.WaitGroup // in flight
	mu       sync.RWMutex   // guards isClosed; no requests.Add after it is set
	isClosed bool
}

// NewHandler returns a handler. It counts 0 answers of each status, so that each series
// begins at 0.
func NewHandler(ctx context.Context, settings Settings) *Handler {
	h := &Handler{
		Settings: settings, path: newPath(settings.Path), maskedPath: MaskPath(settings.Path, settings.DefaultPath),
		log: limitedlog.New(settings.Logger), budget: budget{limit: settings.MaxInFlightBytes},
	}
	h.closing, h.cancelClosing = context.WithCancel(context.WithoutCancel(ctx))
	for _, status := range Statuses {
		h.CountAnswers(ctx, status, 0)
	}
	return h
}

// close refuses later requests and cancels the requests in flight.
func (h *Handler) close() {
	h.mu.Lock()
	h.isClosed = true
	h.mu.Unlock()
	h.cancelClosing()
}

// beginRequest reports whether a request may begin. After true the caller calls
// h.requests.Done at its end.
func (h *Handler) beginRequest() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if !h.isClosed {
		h.requests.Add(1)
	}
	return !h.isClosed
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := http.StatusServiceUnavailable
	if h.beginRequest() {
		defer h.requests.Done()
		status = h.handle(r)
	}
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", allowedMethods)
	}
	h.countAnswer(r, status)
	w.WriteHeader(status)
}

// countAnswer counts an answer, but none of a GET or HEAD, which are health checks.
func (h *Handler) countAnswer(r *http.Request, status int) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.CountAnswers(r.Context(), status, 1)
	}
}

func (h *Handler) handle(r *http.Request) int {
	switch {
	case !h.path.matchesURL(r.URL):
		// The log leaves out the requested path, because anybody can send it.
		h.log.Warn(h.Messages.WrongPath, clientAddressField(r), zap.String("expected_path", h.maskedPath))
		return http.StatusNotFound
	case r.Method == http.MethodPost:
		return h.handlePost(r)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		// Cisco's sample receiver of CDRs does the same; people use it as a health check.
		return http.StatusOK
	default:
		h.log.Warn(h.Messages.WrongMethod, clientAddressField(r), methodField(r), zap.String("expected_methods", allowedMethods))
		return http.StatusMethodNotAllowed
	}
}

// handlePost returns the status for a posted body. Senders repeat a body until they get
// exactly 200, so Accept also returns nil for a body that cannot be decoded.
func (h *Handler) handlePost(r *http.Request) int {
	if hasNoLength(r) {
		h.log.Warn(h.Messages.MissingLength, clientAddressField(r))
		return http.StatusLengthRequired
	}
	body := body{budget: &h.budget}
	defer body.release()
	if err := body.read(r, h.MaxBodyBytes); err != nil {
		return h.readFailed(r, err)
	}
	request := Request{Body: body.text, URI: r.RequestURI, ClientAddress: clientAddress(r), Closing: h.closing}
	if r.URL.RawQuery != "" {
		request.Query = r.URL.Query()
	}
	if err := h.Accept(r.Context(), request); err != nil {
		h.log.Warn(h.Messages.Refused, clientAddressField(r), zap.Error(err))
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// hasNoLength reports whether the length of the body is unknown: in HTTP/1.0 it ends with the
// connection, and Go's server reads none of it.
func hasNoLength(r *http.Request) bool {
	return !r.ProtoAtLeast(1, 1) && r.ContentLength == 0 && r.Header.Get("Content-Length") == ""
}

// clientAddressField names the sender in the log.
func clientAddressField(r *http.Request) zap.Field {
	return zap.String("client.address", clientAddress(r))
}

// methodField names a refused method in the log. A sender can use any text as the method, so
// only those of the HTTP standards are named.
func methodField(r *http.Request) zap.Field {
	method := r.Method
	switch method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
	default:
		method = "_OTHER"
	}
	return zap.String("http.request.method", method)
}

func (h *Handler) readFailed(r *http.Request, err error) int {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		h.log.Warn(h.Messages.TooLarge, clientAddressField(r),
			zap.Int64("max_request_body_size", tooLarge.Limit), zap.Int64("content_length", r.ContentLength))
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, errOverBudget) {
		h.log.Warn(h.Messages.Busy, clientAddressField(r), zap.Int64("max_in_flight_bytes", h.MaxInFlightBytes))
		return http.StatusServiceUnavailable
	}
	if !errors.Is(err, context.Canceled) && h.closing.Err() == nil {
		h.log.Warn(h.Messages.Unreadable, clientAddressField(r), zap.Error(err))
	}
	return http.StatusBadRequest
}

// answerRejected answers requests that confighttp rejects before the handler: wrong
// credentials, and bodies in other encodings than encodings. The answer has no text, because
// that of confighttp repeats text of the request.
func (h *Handler) answerRejected(w http.ResponseWriter, r *http.Request, status int, encodings []string) {
	switch encoding := r.Header.Get("Content-Encoding"); {
	case status == http.StatusUnauthorized:
		h.log.Warn(h.Messages.Unauthorized, clientAddressField(r))
	case status == http.StatusBadRequest && encoding != "" && !slices.Contains(encodings, encoding):
		status = http.StatusUnsupportedMediaType
		w.Header().Set("Accept-Encoding", strings.Join(encodings, ", "))
		h.log.Warn(h.Messages.UnsupportedEncoding, clientAddressField(r), zap.Strings("compression_algorithms", encodings))
	default:
		h.log.Warn(h.Messages.Unreadable, clientAddressField(r), zap.Int("http.response.status_code", status))
	}
	h.countAnswer(r, status)
	w.WriteHeader(status)
}

// clientAddress returns the client's address without its port. confighttp provides it,
// except for addresses with a zone.
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
