// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Response codes of the API.
const (
	codeDone           = 2000
	codeIdentical      = 2005 // the same subscription exists
	codeInvalidSession = 4021
	codeBusy           = 5042 // too many requests at once
)

// ErrNoSession is the error of a successful sign-in without a session.
var ErrNoSession = errors.New("signIn: answered 2000 without a session: neither JSESSIONID nor JSESSIONIDSSO, as a cookie or a header; " +
	"check whether a proxy in between removes them")

// Error is a response with another code than 2000.
type Error struct {
	// Call is the call's name ("signIn").
	Call string
	// Status is the HTTP status code.
	Status int
	// Code and Message of the server, 0 and "" if the response is not from the API.
	Code    int
	Message string
}

func (e *Error) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("%s: answered %d %s", e.Call, e.Status, http.StatusText(e.Status))
	}
	return strings.TrimSuffix(fmt.Sprintf("%s: answered %d: %s", e.Call, e.Code, e.Message), ": ")
}

// InvalidSession reports that the session is over: sign in again.
func (e *Error) InvalidSession() bool {
	return e.Code == codeInvalidSession || e.Code == 0 && e.Status == http.StatusUnauthorized
}

// Unauthorized reports that the server, or a proxy, refuses the user.
func (e *Error) Unauthorized() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Busy reports that the caller should try again later.
func (e *Error) Busy() bool {
	return e.Code == codeBusy || e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
}

// UnknownCall reports that the server is too old for the call.
func (e *Error) UnknownCall() bool {
	switch e.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	default:
		return unknownCall.MatchString(e.Message)
	}
}

// AlreadySubscribed reports that a subscription for the URI exists.
func (e *Error) AlreadySubscribed() bool {
	return e.Code == codeIdentical || e.Code != 0 && alreadySubscribed.MatchString(e.Message) && !tooMany.MatchString(e.Message)
}

// The errors of an existing subscription and of an unknown call have no documented codes, so
// their messages decide. An unsupported filter is not an unknown call, and a limit of
// subscriptions does not mean that the subscription exists.
var (
	unknownCall = regexp.MustCompile(`(?i)(unknown|unsupported|invalid|no such|not a valid)\s+(api|call|method|service|operation|request (path|uri|url))|` +
		`\b(api|call|method|service|operation)\s+(\S+\s+)?(is\s+)?not (supported|implemented)|^\W*(failure\W+)?not (supported|implemented)`)
	alreadySubscribed = regexp.MustCompile(`(?i)already\s+(been\s+)?(subscri|exist)|subscription.*\balready\b|duplicate subscription`)
	tooMany           = regexp.MustCompile(`(?i)\b(limit|maximum|too many|exceed)`)
	namedSubscription = regexp.MustCompile(`(?i)\bsubscription\s*id\b`)
	namedID           = regexp.MustCompile(`(?i)\b(?:subscription)?id\b\W*(?:is|=|:)?\W*([0-9a-z][0-9a-z_.-]*[0-9][0-9a-z_-]*|[0-9]+)`)
)

// idIn returns the id of a subscription in a server's message.
func idIn(message string) string {
	if m := namedID.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}
