// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/archive/page"
)

// accessLog logs the client and the route of each request: the authenticated user, the page,
// the trace id if it is of one, which parameters there were, the status and how long it took.
// No line contains values of parameters or the answer: they name people.
type accessLog struct {
	next   http.Handler
	logger *zap.Logger
}

// userAttributes of authenticators, the first that is there: basicauth, oidc.
var userAttributes = []string{"username", "subject"}

// ServeHTTP implements http.Handler.
func (a *accessLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	counted := &countedResponse{ResponseWriter: w, status: http.StatusOK}
	finished := false
	// An export that breaks off panics.
	defer func() {
		if strings.HasPrefix(r.URL.Path, "/static/") {
			return
		}
		a.logger.Info("The call archive was read", zap.String("user", userOf(r)), zap.String("page", pageOf(r)), zap.String("trace_id", traceOf(r)), zap.Strings("parameters", parametersOf(r)),
			zap.Int("status", counted.status), zap.Int64("bytes", counted.bytes), zap.Duration("duration", time.Since(began)), zap.Bool("complete", finished))
	}()
	a.next.ServeHTTP(counted, r)
	finished = true
}

// userOf a request, as its authenticator calls the user; "" without one.
func userOf(r *http.Request) string {
	auth := client.FromContext(r.Context()).Auth
	if auth == nil {
		return ""
	}
	for _, name := range userAttributes {
		if user, ok := auth.GetAttribute(name).(string); ok && user != "" {
			return user
		}
	}
	return ""
}

// pageOf a request is the pattern of its route, which the page's mux has set: a path
// that is none of them may be anything.
func pageOf(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// traceOf a request is the trace id in its path, if it is one.
func traceOf(r *http.Request) string {
	id := strings.ToLower(r.PathValue("trace"))
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// pageParameters are the names that the page knows. Another name may be anything.
var pageParameters = slices.Sorted(slices.Values(page.Parameters()))

func parametersOf(r *http.Request) (names []string) {
	query := r.URL.Query()
	for _, name := range pageParameters {
		if query.Has(name) {
			names = append(names, name)
		}
	}
	return names
}

// countedResponse counts the bytes of the answer.
type countedResponse struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (c *countedResponse) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *countedResponse) Write(piece []byte) (int, error) {
	n, err := c.ResponseWriter.Write(piece)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the wrapped writer.
func (c *countedResponse) Unwrap() http.ResponseWriter { return c.ResponseWriter }
