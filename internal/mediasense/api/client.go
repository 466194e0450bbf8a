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
	// Detail is what some failures have beside the message.
	Detail any `json:"detail"`
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

// call posts parameters. An answer other than 2000 is an *Error; the answer is
// returned with it if there is one, because failures name subscriptions too.
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
	c.remember(response) // whatever becomes of the body: the session is to be signed out
	body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", path, err)
	}
	failure := &Error{Call: path[strings.LastIndexByte(path, '/')+1:], Status: response.StatusCode}
	a, ok := readAnswer(body)
	if !ok {
		return nil, failure
	}
	if code, err := a.Code.Int64(); err == nil {
		failure.Code = int(code)
	}
	failure.Message = c.clean(a.words())
	if failure.Code != codeDone || response.StatusCode != http.StatusOK {
		return a, failure
	}
	return a, nil
}

// readAnswer reads the body of a response. An element of another type than the
// documented one (a responseBody of "" in a failure) is left out alone.
func readAnswer(body []byte) (a *answer, ok bool) {
	a = new(answer)
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber()
	err := decoder.Decode(a)
	if _, otherType := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !otherType {
		return nil, false
	}
	return a, true
}

// words are the server's message and, if there is one, its detail.
func (a *answer) words() string {
	detail, ok := a.Detail.(string)
	if !ok || detail == "" {
		return a.Message
	}
	return strings.TrimPrefix(a.Message+" ("+detail+")", " ")
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

// SignIn begins a session. A server ends one that was idle for half an hour. The
// error is ErrNoSession if the server took the credentials and gave no session.
func (c *Client) SignIn(ctx context.Context) error {
	clear(c.session)
	c.old = false
	_, err := c.call(ctx, callSignIn, map[string]string{"username": c.username, "password": c.password})
	if err == nil && !c.HasSession() {
		return ErrNoSession
	}
	return err
}

// HasSession tells whether the server gave a session that was not signed out. A
// server may give one with a sign-in that it refuses.
func (c *Client) HasSession() bool { return len(c.session) > 0 }

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

// Subscribed is the subscription that a server has of a URI.
type Subscribed struct {
	// ID of the subscription, "" if the server does not name it.
	ID string
	// Refusal is the failure that names the subscription, nil after a success.
	// After a refusal Verify tells whether the subscription can be used.
	Refusal *Error
}

// Subscribe makes the server post to the URI. A failure that names a subscription
// or says that there is one is no error, but a Refusal: the words that servers
// have for a known URI are not documented. Servers before 10.0 know no filters:
// they send everything they can.
func (c *Client) Subscribe(ctx context.Context, s Subscription) (Subscribed, error) {
	c.callback = s.URI
	parameters := map[string]any{"subscriptionType": "http", "subscriptionUri": s.URI}
	if !c.old {
		filtered := map[string]any{"subscriptionType": "http", "subscriptionUri": s.URI, "subscriptionFilters": s.Filters}
		if s.TagNameRegex != "" {
			filtered["tagNameRegEx"] = s.TagNameRegex
		}
		a, err := c.call(ctx, callSubscribe, filtered)
		if got, ok := subscribed(a, err); ok {
			return got, nil
		}
		if refused, ok := errors.AsType[*Error](err); !ok || !refused.UnknownCall() {
			return Subscribed{}, err
		}
	}
	a, err := c.call(ctx, callSubscribeOld, parameters)
	got, ok := subscribed(a, err)
	// Only now: a server that is starting does not have any of the calls.
	if c.old = ok; !ok {
		return Subscribed{}, err
	}
	return got, nil
}

// Unfiltered tells whether the last subscription has no filters, because the
// server knows none.
func (c *Client) Unfiltered() bool { return c.old }

// subscribed reads the answer to either call; ok is false if there is no
// subscription in it.
func subscribed(a *answer, err error) (got Subscribed, ok bool) {
	if err == nil {
		return Subscribed{ID: cmp.Or(a.id(), idIn(a.words()))}, true
	}
	refused, ok := errors.AsType[*Error](err)
	if !ok || a == nil {
		return Subscribed{}, false
	}
	id := a.id()
	if words := a.words(); id == "" && (refused.AlreadySubscribed() || namedSubscription.MatchString(words)) {
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
	// Active is one that events are sent to.
	Active
	// Unverifiable is one of a server that does not have the call.
	Unverifiable
)

// Verify tells whether the server has the subscription and uses it. An answer
// without a status comes from a server that knows the subscription.
func (c *Client) Verify(ctx context.Context, id string) (State, error) {
	a, err := c.call(ctx, callVerify, map[string]string{"subscriptionId": id})
	if err == nil {
		if status := a.status(); status != "" && !strings.EqualFold(status, "ACTIVE") {
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
	if c.old {
		path = callUnsubscribeOld
	}
	_, err := c.call(ctx, path, map[string]string{"subscriptionId": id})
	return err
}
