// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

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

// maxResponse bounds the bytes of a response that the client reads.
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
	headerSingleSession = "JSESSIONIDSSO" // possible name in release 11.5
)

// Client talks to the API of one server. Not safe for concurrent use.
type Client struct {
	http     *http.Client
	base     string
	username string
	password string

	callback string // of the last subscription, which may contain a secret

	// session are the session cookies by name.
	session     map[string]string
	isOldServer bool // it has only the calls before release 10.0
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

// response is the response of every call.
type response struct {
	// Code and the id are numbers or texts.
	Code    json.Number `json:"responseCode"`
	Message string      `json:"responseMessage"`
	// Detail of some failures.
	Detail any `json:"detail"`
	// Calls of the first release return the state beside the code, later ones in
	// responseBody.
	subscriptionState
	Body subscriptionState `json:"responseBody"`
}

type subscriptionState struct {
	SubscriptionID any    `json:"subscriptionId"`
	Status         string `json:"subscriptionStatus"`
}

func (r *response) id() string { return cmp.Or(r.Body.id(), r.subscriptionState.id()) }

func (r *response) status() string { return cmp.Or(r.Body.Status, r.Status) }

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

// call makes a call. A response code other than 2000 is an *Error. call returns the response
// with it, because failures name subscriptions too.
func (c *Client) call(ctx context.Context, path string, parameters any) (*response, error) {
	body, err := json.Marshal(map[string]any{"requestParameters": parameters})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	c.addSession(request)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	c.keepSession(response) // even if the body cannot be read: the caller must end the session
	body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", path, err)
	}
	failure := &Error{Call: path[strings.LastIndexByte(path, '/')+1:], Status: response.StatusCode}
	decoded, ok := decodeResponse(body)
	if !ok {
		return nil, failure
	}
	if code, err := decoded.Code.Int64(); err == nil {
		failure.Code = int(code)
	}
	failure.Message = c.cleanMessage(decoded.messageText())
	if failure.Code != codeDone || response.StatusCode != http.StatusOK {
		return decoded, failure
	}
	return decoded, nil
}

// decodeResponse decodes the body of a response. It ignores an element of another type than
// documented, such as a responseBody of "" in a failure.
func decodeResponse(body []byte) (r *response, ok bool) {
	r = new(response)
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber()
	err := decoder.Decode(r)
	if _, otherType := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !otherType {
		return nil, false
	}
	return r, true
}

// messageText returns the server's message and its detail.
func (r *response) messageText() string {
	detail, ok := r.Detail.(string)
	if !ok || detail == "" {
		return r.Message
	}
	return strings.TrimPrefix(r.Message+" ("+detail+")", " ")
}

// addSession adds the session to a request: as a header, as documented, and as cookies, as
// real servers need it.
func (c *Client) addSession(request *http.Request) {
	for _, name := range [...]string{headerSession, headerSingleSession} {
		if value := c.session[name]; value != "" {
			request.Header.Set(name, value)
			request.AddCookie(&http.Cookie{Name: name, Value: value}) //nolint:gosec // requests have no such attributes
		}
	}
}

func (c *Client) keepSession(response *http.Response) {
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

// maxMessage bounds a server's message, in bytes.
const maxMessage = 200

// cleanMessage returns a server's message for the log, without secrets.
func (c *Client) cleanMessage(message string) string {
	secrets := []string{c.callback, c.password, c.session[headerSession], c.session[headerSingleSession]}
	for _, secret := range secrets {
		if secret != "" {
			message = strings.ReplaceAll(message, secret, redact.Mark)
		}
	}
	return strings.ToValidUTF8(message[:min(len(message), maxMessage)], "")
}

// SignIn begins a session. A server ends one that was idle for half an hour. The error is
// ErrNoSession if the server accepted the credentials and returned no session.
func (c *Client) SignIn(ctx context.Context) error {
	clear(c.session)
	c.isOldServer = false
	_, err := c.call(ctx, callSignIn, map[string]string{"username": c.username, "password": c.password})
	if err == nil && !c.HasSession() {
		return ErrNoSession
	}
	return err
}

// HasSession reports whether the client has a session. A server may return one with a failed
// sign-in.
func (c *Client) HasSession() bool { return len(c.session) > 0 }

// SignOut ends the session.
func (c *Client) SignOut(ctx context.Context) error {
	_, err := c.call(ctx, callSignOut, map[string]string{})
	clear(c.session)
	return err
}

// Subscription is a subscription to make.
type Subscription struct {
	// URI to which the server posts. It identifies the subscription: the same URI again
	// changes the existing one.
	URI string
	// Filters are classes of events, or events.
	Filters []string
	// TagNameRegex limits tag events to matching names; "" for all.
	TagNameRegex string
}

// Subscribed is an existing subscription.
type Subscribed struct {
	// ID of the subscription, "" if the server does not return it.
	ID string
	// Refusal is the failure that names the subscription, nil after a success.
	// After a refusal Verify reports whether the subscription can be used.
	Refusal *Error
}

// Subscribe makes a subscription. A failure that names an existing subscription is no error,
// but a Refusal, because the messages for a known URI are not documented. Servers before 10.0
// support no filters and send all their events.
func (c *Client) Subscribe(ctx context.Context, s Subscription) (Subscribed, error) {
	c.callback = s.URI
	parameters := map[string]any{"subscriptionType": "http", "subscriptionUri": s.URI}
	if !c.isOldServer {
		filtered := map[string]any{"subscriptionType": "http", "subscriptionUri": s.URI, "subscriptionFilters": s.Filters}
		if s.TagNameRegex != "" {
			filtered["tagNameRegEx"] = s.TagNameRegex
		}
		r, err := c.call(ctx, callSubscribe, filtered)
		if subscribed, ok := subscriptionOf(r, err); ok {
			return subscribed, nil
		}
		if refused, ok := errors.AsType[*Error](err); !ok || !refused.UnknownCall() {
			return Subscribed{}, err
		}
	}
	r, err := c.call(ctx, callSubscribeOld, parameters)
	subscribed, ok := subscriptionOf(r, err)
	// Set it only after a success: a server that is starting has none of the calls.
	if c.isOldServer = ok; !ok {
		return Subscribed{}, err
	}
	return subscribed, nil
}

// Unfiltered reports that the last subscription has no filters, because the server supports
// none.
func (c *Client) Unfiltered() bool { return c.isOldServer }

// subscriptionOf returns the subscription in the response of both calls. ok is false if there
// is none.
func subscriptionOf(r *response, err error) (subscribed Subscribed, ok bool) {
	if err == nil {
		return Subscribed{ID: cmp.Or(r.id(), idIn(r.messageText()))}, true
	}
	refused, ok := errors.AsType[*Error](err)
	if !ok || r == nil {
		return Subscribed{}, false
	}
	id := r.id()
	if words := r.messageText(); id == "" && (refused.AlreadySubscribed() || namedSubscription.MatchString(words)) {
		id = idIn(words)
	}
	if refused.Code == codeIdentical {
		return Subscribed{ID: id}, true
	}
	return Subscribed{ID: id, Refusal: refused}, id != "" || refused.AlreadySubscribed()
}

// State of a subscription.
type State uint8

// The states of a subscription.
const (
	// Missing is a subscription that the server does not have or does not use.
	Missing State = iota
	// Active is a subscription that the server uses.
	Active
	// Unverifiable is a subscription at a server without the call.
	Unverifiable
)

// Verify returns the state of a subscription. A response without a status means that the
// server has it.
func (c *Client) Verify(ctx context.Context, id string) (State, error) {
	r, err := c.call(ctx, callVerify, map[string]string{"subscriptionId": id})
	if err == nil {
		if status := r.status(); status != "" && !strings.EqualFold(status, "ACTIVE") {
			return Missing, nil
		}
		return Active, nil
	}
	refused, ok := errors.AsType[*Error](err)
	switch {
	case !ok || refused.InvalidSession() || refused.Busy() || refused.Unauthorized():
		return Missing, err
	case refused.UnknownCall():
		return Unverifiable, nil
	case refused.Code != 0:
		return Missing, nil
	default:
		return Missing, err
	}
}

// Unsubscribe ends a subscription.
func (c *Client) Unsubscribe(ctx context.Context, id string) error {
	path := callUnsubscribe
	if c.isOldServer {
		path = callUnsubscribeOld
	}
	_, err := c.call(ctx, path, map[string]string{"subscriptionId": id})
	return err
}
