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
	codeIdentical      = 2005 // there is such a subscription already
	codeInvalidSession = 4021
	codeBusy           = 5042 // too many requests at once
)

// ErrNoSession is a sign-in that succeeded and gave no session.
var ErrNoSession = errors.New("signIn: answered 2000 without a session: neither JSESSIONID nor JSESSIONIDSSO, as a cookie or a header; " +
	"check whether a proxy in between removes them")

// Error is an answer other than 2000.
type Error struct {
	// Call is the call's name ("signIn").
	Call string
	// Status is the HTTP status code.
	Status int
	// Code and Message are the server's own words; 0 and "" if the answer was
	// none of the API's.
	Code    int
	Message string
}

func (e *Error) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("%s: answered %d %s", e.Call, e.Status, http.StatusText(e.Status))
	}
	return strings.TrimSuffix(fmt.Sprintf("%s: answered %d: %s", e.Call, e.Code, e.Message), ": ")
}

// InvalidSession tells that the session is over: sign in again.
func (e *Error) InvalidSession() bool {
	return e.Code == codeInvalidSession || e.Code == 0 && e.Status == http.StatusUnauthorized
}

// Unauthorized tells that the server, or a proxy, refuses the user.
func (e *Error) Unauthorized() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Busy tells to come again later.
func (e *Error) Busy() bool {
	return e.Code == codeBusy || e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
}

// UnknownCall tells that the server, an older one, does not have the call.
func (e *Error) UnknownCall() bool {
	switch e.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	default:
		return unknownCall.MatchString(e.Message)
	}
}

// AlreadySubscribed tells that there is a subscription of the URI.
func (e *Error) AlreadySubscribed() bool {
	return e.Code == codeIdentical || e.Code != 0 && alreadySubscribed.MatchString(e.Message) && !tooMany.MatchString(e.Message)
}

// The old call answers with an error of no documented number that names the
// id; a server that does not know a call has no documented number for that
// either. A filter that is not supported is no call that is unknown, and that
// there is no room for a subscription does not mean that there is one.
var (
	unknownCall = regexp.MustCompile(`(?i)(unknown|unsupported|invalid|no such|not a valid)\s+(api|call|method|service|operation|request (path|uri|url))|` +
		`\b(api|call|method|service|operation)\s+(\S+\s+)?(is\s+)?not (supported|implemented)|^\W*(failure\W+)?not (supported|implemented)`)
	alreadySubscribed = regexp.MustCompile(`(?i)already\s+(been\s+)?(subscri|exist)|subscription.*\balready\b|duplicate subscription`)
	tooMany           = regexp.MustCompile(`(?i)\b(limit|maximum|too many|exceed)`)
	namedSubscription = regexp.MustCompile(`(?i)\bsubscription\s*id\b`)
	namedID           = regexp.MustCompile(`(?i)\b(?:subscription)?id\b\W*(?:is|=|:)?\W*([0-9a-z][0-9a-z_.-]*[0-9][0-9a-z_-]*|[0-9]+)`)
)

// idIn finds the id of a subscription in a server's words.
func idIn(message string) string {
	if m := namedID.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}
