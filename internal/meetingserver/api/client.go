// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
)

// maxResponse is the largest answer that is read, in bytes.
const maxResponse = 1 << 20

// Client talks to the API of one Call Bridge.
type Client struct {
	http         *http.Client
	base         string
	username     string
	password     string
	account      *account // shared with other clients
	leaveAccount func()
}

// NewClient returns a client of the server. host gives it the extensions its
// configuration may name.
func NewClient(ctx context.Context, config *ServerConfig, host component.Host, telemetry component.TelemetrySettings) (*Client, error) {
	client, err := config.HTTP.ToClient(ctx, host.GetExtensions(), telemetry)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", config.HTTP.Endpoint, err)
	}
	// The API does not redirect. Another server may, but must not get the password.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return NewClientOf(client, config), nil
}

// NewClientOf returns a client of the server that sends its requests through
// an HTTP client made before.
func NewClientOf(client *http.Client, config *ServerConfig) *Client {
	c := &Client{
		http:     client,
		base:     strings.TrimSuffix(config.HTTP.Endpoint, "/") + "/api/v1",
		username: config.Username,
		password: string(config.Password),
	}
	c.joinAccount()
	return c
}

// Close closes the idle connections and releases the shared account. The client must not be
// used afterwards.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.leaveAccount()
}

// Error is an answer of the server other than 200.
type Error struct {
	// Status is the HTTP status code.
	Status int
	// Reasons are the failure reasons in the answer, such as "tooManyCdrReceivers".
	Reasons []string
	// Request is method and path.
	Request string
	// HTML is true if the answer is an HTML page, which no Call Bridge sends.
	HTML bool
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: answered %d %s", e.Request, e.Status, http.StatusText(e.Status))
	if len(e.Reasons) > 0 {
		text += ": " + strings.Join(e.Reasons, ", ")
	}
	if e.HTML {
		text += ": " + object.ErrHTML.Error()
	}
	return text
}

// Unwrap makes an answer in HTML an [object.ErrHTML].
func (e *Error) Unwrap() error {
	if e.HTML {
		return object.ErrHTML
	}
	return nil
}

// HasReason reports whether the answer has a failure reason.
func (e *Error) HasReason(reason string) bool {
	return slices.Contains(e.Reasons, reason)
}

// Unauthorized reports whether the server refused the credentials, or the account lacks the
// role. The next request should wait for [UnauthorizedRetryDelay].
func (e *Error) Unauthorized() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// UnauthorizedRetryDelay is how long to wait after the server has refused credentials: a
// server with max_failed_logins locks an account for 15 minutes.
const UnauthorizedRetryDelay = 5 * time.Minute

// NotFound reports whether the server does not have the requested object: the object has
// ended, or the release does not have it.
func (e *Error) NotFound() bool { return e.unknownObject() }

// unknownObject reports whether the server does not know the path. Releases spell the reason
// differently.
func (e *Error) unknownObject() bool {
	return e.Status == http.StatusNotFound || e.HasReason("unrecognizedObject") || e.HasReason("unrecognisedObject")
}

// send sends a form and ignores the body of the answer.
func (c *Client) send(ctx context.Context, method, path string, form url.Values) error {
	_, _, err := c.do(ctx, method, path, form)
	return err
}

// do makes one request. It waits for a free slot of the server, and for a request that tests
// the password.
func (c *Client) do(ctx context.Context, method, path string, form url.Values) (header http.Header, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	// The first request has the credentials: waiting for a 401 would double the requests.
	// Without a username, the extension of the HTTP client authenticates.
	if c.username != "" {
		request.SetBasicAuth(c.username, c.password)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	status := 0
	end, err := c.account.acquire(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { end(status) }()
	if err := spendRequest(ctx); err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	status = response.StatusCode
	c.account.server.recordAnswer(response)
	body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	case status != http.StatusOK:
		return nil, nil, &Error{Status: status, Reasons: object.Reasons(body), Request: method + " " + path, HTML: object.IsHTML(body)}
	case len(body) > maxResponse:
		return nil, nil, fmt.Errorf("%s %s: %w: it is longer than %d bytes", method, path, object.ErrMalformed, maxResponse)
	}
	return response.Header, body, nil
}
