// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// retryAfter is what a refused bridge is told, in seconds. How long a Call
// Bridge really waits is not documented.
const retryAfter = "1"

// handler speaks HTTP and nothing else: what a body holds is for accept.
type handler struct {
	path      string
	maxBody   int64
	deliver   *delivery
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	statuses  map[int]metric.MeasurementOption

	closing  context.Context // ends when requests in flight must
	cut      context.CancelFunc
	inFlight sync.RWMutex // read-locked by each request
	closed   bool         // guarded by inFlight
}

func newHandler(ctx context.Context, config *Config, logger *zap.Logger, telemetry *metadata.TelemetryBuilder, deliver *delivery) *handler {
	h := &handler{
		path: config.Path, maxBody: config.HTTP.MaxRequestBodySize,
		deliver: deliver, logger: logger, telemetry: telemetry,
		statuses: make(map[int]metric.MeasurementOption),
	}
	h.closing, h.cut = context.WithCancel(context.WithoutCancel(ctx))
	for _, status := range []int{
		http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable,
	} {
		h.statuses[status] = metric.WithAttributeSet(attribute.NewSet(attribute.Int("http.response.status_code", status)))
		telemetry.ReceiverCmscdrRequests.Add(ctx, 0, h.statuses[status])
	}
	return h
}

// close cuts off the requests that are still in flight and waits for them. What
// comes after it is refused.
func (h *handler) close() {
	h.cut()
	h.inFlight.Lock()
	defer h.inFlight.Unlock()
	h.closed = true
}

// ServeHTTP answers. The path is compared, not routed: a mux would clean it and
// redirect, and a bridge does not follow.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
		h.telemetry.ReceiverCmscdrRequests.Add(r.Context(), 1, h.statuses[status])
	}
	w.WriteHeader(status)
}

func (h *handler) statusOf(r *http.Request) int {
	switch {
	case h.closed:
		return http.StatusServiceUnavailable
	case r.URL.Path != h.path:
		// Without the path asked for: it is a stranger's text.
		h.logger.Warn("Request to another path than the configured one; a Call Bridge would repeat it for ever", from(r))
		return http.StatusNotFound
	case r.Method == http.MethodPost:
		return h.post(r)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		// Cisco's sample receiver answers so; people use it as a health check.
		return http.StatusOK
	default:
		return http.StatusMethodNotAllowed
	}
}

// post returns the status for a posted body. A Call Bridge deletes its records
// on exactly 200 and sends them again, for ever and ahead of all later ones, on
// everything else; so 200 is also the answer to what will never be readable.
func (h *handler) post(r *http.Request) int {
	body, err := readBody(r, h.maxBody)
	if err != nil {
		return h.unread(r, err)
	}
	in := request{body: body, uri: r.RequestURI, address: clientAddress(r), closing: h.closing}
	if r.URL.RawQuery != "" {
		in.query = r.URL.Query()
	}
	err = h.deliver.accept(r.Context(), in)
	if err != nil {
		h.logger.Warn("Records refused, the Call Bridge will send them again", from(r), zap.Error(err))
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// from says which Call Bridge a line of the log is about.
func from(r *http.Request) zap.Field { return zap.String("client.address", clientAddress(r)) }

func (h *handler) unread(r *http.Request, err error) int {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		h.logger.Warn("Body over max_request_body_size; the Call Bridge will send it again until the limit is raised", from(r),
			zap.Int64("max_request_body_size", tooLarge.Limit), zap.Int64("content_length", r.ContentLength))
		return http.StatusRequestEntityTooLarge
	}
	if !errors.Is(err, context.Canceled) {
		h.logger.Warn("Body could not be read, the Call Bridge will send it again", from(r), zap.Error(err))
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
