// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasenseapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/legato-otel/legato/internal/redact"
)

// maxResponse bounds what is read of an answer.
const maxResponse = 1 << 20

// The calls, below the server's endpoint.
const (
	callSignIn          = "/ora/authenticationService/authentication/signIn"
	callSignOut         = "/ora/authenticationService/authentication/signOut"
	callSubscribe       = "/ora/eventService/event/subscribeToEvents"
	callSubscribeOld    = "/ora/eventService/event/subscribeRecordingEvent" // before 10.0, without filters
	callVerify          = "/ora/eventService/event/verifyRecordingSubscription"
	callUnsubscribe     = "/ora/eventService/event/unsubscribeFromEvents"
	callUnsubscribeOld  = "/ora/eventService/event/unsubscribeRecordingEvent"
	headerSession       = "JSESSIONID"
	headerSingleSession = "JSESSIONIDSSO" // what 11.5 may call it
)

// Client talks to the API of one server. Not safe for concurrent use.
type Client struct {
	http     *http.Client
	base     string
	username string
	password string

	callback string // of the last subscription: its path or query may be a secret

	// session is what the server knows the client by: cookies, by their names.
	session map[string]string
	old     bool // the server has the old calls only
}

// NewClient returns a client of the server at endpoint (https://ms1:8440). It
// follows no redirects: they would carry the session elsewhere.
func NewClient(client *http.Client, endpoint, username, password string) *Client {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		http: &own, base: strings.TrimSuffix(endpoint, "/"), username: username, password: password,
		session: make(map[string]string),
	}
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// answer is what every call is answered with.
type answer struct {
	// Code and the id come as numbers or as text.
	Code    json.Number `json:"responseCode"`
	Message string      `json:"responseMessage"`
	// The calls of the first release answer beside the code, the later ones in
	// a body of their own.
	subscriptionState
	Body subscriptionState `json:"responseBody"`
}

type subscriptionState struct {
	SubscriptionID any    `json:"subscriptionId"`
	Status         string `json:"subscriptionStatus"`
}

func (a *answer) id() string { return cmp.Or(a.Body.id(), a.subscriptionState.id()) }

func (a *answer) status() string { return cmp.Or(a.Body.Status, a.Status) }

func (s *subscriptionState) id() string {
	switch id := s.SubscriptionID.(type) {
	case string:
		return id
	case json.Number:
		return id.String()
	default:
		return ""
	}
}

// call posts parameters. What is not answered with 2000 is an *Error; the answer
// is returned all the same if there is one.
func (c *Client) call(ctx context.Context, path string, parameters any) (*answer, error) {
	body, err := json.Marshal(map[string]any{"requestParameters": parameters})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	c.identify(request)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", path, err)
	}
	c.remember(response)
	var a answer
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	failure := &Error{Call: path[strings.LastIndexByte(path, '/')+1:], Status: response.StatusCode}
	if err := decoder.Decode(&a); err != nil || a.Code == "" {
		return nil, failure
	}
	if code, err := a.Code.Int64(); err == nil {
		failure.Code = int(code)
	}
	failure.Message = c.clean(a.Message)
	if failure.Code != codeDone || response.StatusCode != http.StatusOK {
		return &a, failure
	}
	return &a, nil
}

// identify writes the session as the documents and as real servers want it: as
// a header, and as cookies.
func (c *Client) identify(request *http.Request) {
	for _, name := range [...]string{headerSession, headerSingleSession} {
		if value := c.session[name]; value != "" {
			request.Header.Set(name, value)
			request.AddCookie(&http.Cookie{Name: name, Value: value}) //nolint:gosec // what a request sends has no such attributes
		}
	}
}

func (c *Client) remember(response *http.Response) {
	for _, name := range [...]string{headerSession, headerSingleSession} {
		if value := response.Header.Get(name); value != "" {
			c.session[name] = value
		}
		for _, cookie := range response.Cookies() {
			if cookie.Name == name && cookie.Value != "" {
				c.session[name] = cookie.Value
			}
		}
	}
}

// maxMessage is how much of a server's words is kept.
const maxMessage = 200

// clean makes a server's words fit for a log.
func (c *Client) clean(message string) string {
	secrets := []string{c.callback, c.password, c.session[headerSession], c.session[headerSingleSession]}
	for _, secret := range secrets {
		if secret != "" {
			message = strings.ReplaceAll(message, secret, redact.Mark)
		}
	}
	return strings.ToValidUTF8(message[:min(len(message), maxMessage)], "")
}

// SignIn begins a session. A server ends one that was idle for half an hour.
func (c *Client) SignIn(ctx context.Context) error {
	clear(c.session)
	c.old = false
	_, err := c.call(ctx, callSignIn, map[string]string{"username": c.username, "password": c.password})
	return err
}

// SignOut ends the session.
func (c *Client) SignOut(ctx context.Context) error {
	_, err := c.call(ctx, callSignOut, map[string]string{})
	clear(c.session)
	return err
}

// Subscription is what a server is to send, and where.
type Subscription struct {
	// URI to post to. It is what a subscription is known by: the same URI again
	// changes the subscription there is.
	URI string
	// Filters are classes of events, or events.
	Filters []string
	// TagNameRegex limits tag events to matching names; "" for all.
	TagNameRegex string
}

// Subscribe makes the server post to the URI and returns the subscription's id,
// "" if the server did not say. That there is such a subscription already is no
// error. Servers before 10.0 know no filters: they send everything they can.
func (c *Client) Subscribe(ctx context.Context, s Subscription) (id string, err error) {
	c.callback = s.URI
	parameters := map[string]any{"subscriptionType": "http", "subscriptionUri": s.URI}
	if !c.old {
		filtered := map[string]any{"subscriptionType": "http", "subscriptionUri": s.URI, "subscriptionFilters": s.Filters}
		if s.TagNameRegex != "" {
			filtered["tagNameRegEx"] = s.TagNameRegex
		}
		a, err := c.call(ctx, callSubscribe, filtered)
		if refused, ok := errors.AsType[*Error](err); !ok || !refused.UnknownCall() {
			return subscribed(a, err)
		}
	}
	id, err = subscribed(c.call(ctx, callSubscribeOld, parameters))
	// Only now: a server that is starting does not have any of the calls.
	c.old = err == nil
	return id, err
}

// Unfiltered tells whether the last subscription has no filters, because the
// server knows none.
func (c *Client) Unfiltered() bool { return c.old }

// subscribed reads the answer to either call.
func subscribed(a *answer, err error) (id string, _ error) {
	refused, ok := errors.AsType[*Error](err)
	if err != nil && (!ok || !refused.AlreadySubscribed()) {
		return "", err
	}
	if id = a.id(); id == "" {
		id = idIn(a.Message)
	}
	return id, nil
}

// Verify tells whether the server still has the subscription and uses it. A
// server that does not know it, or cannot say, has none.
func (c *Client) Verify(ctx context.Context, id string) (active bool, err error) {
	a, err := c.call(ctx, callVerify, map[string]string{"subscriptionId": id})
	if refused, ok := errors.AsType[*Error](err); ok && !refused.InvalidSession() && !refused.Busy() &&
		(refused.Code != 0 || refused.UnknownCall()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return strings.EqualFold(a.status(), "ACTIVE"), nil
}

// Unsubscribe ends a subscription.
func (c *Client) Unsubscribe(ctx context.Context, id string) error {
	path := callUnsubscribe
	if c.old {
		path = callUnsubscribeOld
	}
	_, err := c.call(ctx, path, map[string]string{"subscriptionId": id})
	return err
}
