// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapi

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
)

// maxResponse bounds an answer, in bytes; maxReasons and maxReason bound what an
// error holds of it, in reasons and in bytes of each.
const (
	maxResponse = 1 << 20
	maxReasons  = 8
	maxReason   = 64
)

// Client talks to the API of one Call Bridge.
type Client struct {
	http     *http.Client
	base     string
	username string
	password string
	leave    sync.Once // of the account that it shares
}

// NewClient returns a client of the server. host gives it the extensions its
// configuration may name.
func NewClient(ctx context.Context, config *ServerConfig, host component.Host, telemetry component.TelemetrySettings) (*Client, error) {
	client, err := config.HTTP.ToClient(ctx, host.GetExtensions(), telemetry)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", config.HTTP.Endpoint, err)
	}
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
	c.shareAccount()
	return c
}

// Close closes the idle connections and leaves the account. It must be called
// once the client is not used any more.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.leaveAccount()
}

// Error is an answer of the server that is not 200.
type Error struct {
	// Status is the HTTP status code.
	Status int
	// Reasons are the server's own words ("tooManyCdrReceivers"), if it gave any.
	Reasons []string
	// Request is method and path.
	Request string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: answered %d %s", e.Request, e.Status, http.StatusText(e.Status))
	if len(e.Reasons) > 0 {
		text += ": " + strings.Join(e.Reasons, ", ")
	}
	return text
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

// unknownObject tells whether the server does not know the path that was asked.
// Releases spell the reason differently.
func (e *Error) unknownObject() bool {
	return e.Status == http.StatusNotFound || e.Has("unrecognizedObject") || e.Has("unrecognisedObject")
}

// get reads the XML at path into answer.
func (c *Client) get(ctx context.Context, path string, answer any) error {
	_, body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("GET %s: the answer cannot be read: %w", path, err)
	}
	return nil
}

// send sends a form; the answer's body is of no interest.
func (c *Client) send(ctx context.Context, method, path string, form url.Values) error {
	_, _, err := c.do(ctx, method, path, form)
	return err
}

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
	if err := c.paused(time.Now()); err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	c.answered(time.Now(), response.StatusCode)
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, &Error{Status: response.StatusCode, Reasons: reasons(body), Request: method + " " + path}
	}
	return response.Header, body, nil
}

// reasons reads <failureDetails>, which is optional and may hold several.
func reasons(body []byte) (all []string) {
	var details struct {
		XMLName xml.Name `xml:"failureDetails"`
		Reasons []struct {
			XMLName xml.Name
		} `xml:",any"`
	}
	if xml.Unmarshal(body, &details) != nil {
		return nil
	}
	for _, r := range details.Reasons[:min(len(details.Reasons), maxReasons)] {
		all = append(all, strings.ToValidUTF8(r.XMLName.Local[:min(len(r.XMLName.Local), maxReason)], ""))
	}
	return all
}
