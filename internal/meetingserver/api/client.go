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

// maxResponse bounds an answer, in bytes.
const maxResponse = 1 << 20

// Client talks to the API of one Call Bridge.
type Client struct {
	http     *http.Client
	base     string
	username string
	password string
	account  *account // shared with other clients
	leave    func()   // gives it back, once
}

// NewClient returns a client of the server. host gives it the extensions its
// configuration may name.
func NewClient(ctx context.Context, config *ServerConfig, host component.Host, telemetry component.TelemetrySettings) (*Client, error) {
	client, err := config.HTTP.ToClient(ctx, host.GetExtensions(), telemetry)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", config.HTTP.Endpoint, err)
	}
	// The API does not redirect. What does is something else, and must not get the
	// password.
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
	c.share()
	return c
}

// Close closes the idle connections and leaves the account. It must be called
// once the client is not used any more.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.leave()
}

// Error is an answer of the server that is not 200.
type Error struct {
	// Status is the HTTP status code.
	Status int
	// Reasons are the server's own words ("tooManyCdrReceivers"), if it gave any.
	Reasons []string
	// Request is method and path.
	Request string
	// HTML tells that the answer is a page for people, which no Call Bridge sends.
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

// Has tells whether reason is among the server's reasons.
func (e *Error) Has(reason string) bool {
	return slices.Contains(e.Reasons, reason)
}

// Unauthorized tells whether the server refused the credentials, or the account
// lacks the role. Wait for [UnauthorizedRetryDelay] then.
func (e *Error) Unauthorized() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// UnauthorizedRetryDelay is how long to wait after credentials were refused: wrong
// ones do not become right by trying, and a server with max_failed_logins set
// locks the account for 15 minutes.
const UnauthorizedRetryDelay = 5 * time.Minute

// NotFound tells whether the server does not know the object that was asked for: it
// has ended, or the release has no such object.
func (e *Error) NotFound() bool { return e.unknownObject() }

// unknownObject tells whether the server does not know the path that was asked.
// Releases spell the reason differently.
func (e *Error) unknownObject() bool {
	return e.Status == http.StatusNotFound || e.Has("unrecognizedObject") || e.Has("unrecognisedObject")
}

// send sends a form; the answer's body is of no interest.
func (c *Client) send(ctx context.Context, method, path string, form url.Values) error {
	_, _, err := c.do(ctx, method, path, form)
	return err
}

// do makes one request. It waits for its turn, and for a request that finds out
// whether the password is good.
func (c *Client) do(ctx context.Context, method, path string, form url.Values) (header http.Header, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	// At once: waiting for the 401 would double the requests. Without a username
	// the HTTP client's own extension authenticates.
	if c.username != "" {
		request.SetBasicAuth(c.username, c.password)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	status := 0
	end, err := c.account.begin(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { end(status) }()
	if err := spend(ctx); err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	status = response.StatusCode
	c.account.server.answered(response)
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
