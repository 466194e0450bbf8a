// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// The values of Request.Incomplete, the most important first.
const (
	// IncompleteEvicted: a limit of the Reader ended the request.
	IncompleteEvicted = "evicted"
	// IncompleteNoRequest and IncompleteNoResponse: the line of the request, or of the
	// response, is missing.
	IncompleteNoRequest  = "no_request"
	IncompleteNoResponse = "no_response"
	// IncompleteTooLong: the request has more lines or bytes than the limits allow.
	IncompleteTooLong = "too_long"
	// IncompleteBody: the end of the response is missing, or the response is not XML.
	IncompleteBody = "body"
)

func (t *trace) incompleteness(cause string, body *response) string {
	switch {
	case cause != "":
		return cause
	case t.method == "":
		return IncompleteNoRequest
	case t.status == 0:
		return IncompleteNoResponse
	case t.truncated:
		return IncompleteTooLong
	case body.broken || t.responseSize > 0 && t.xml.Len() == 0:
		return IncompleteBody
	default:
		return ""
	}
}

// writeRequest writes the record of a trace.
func writeRequest(r *Record, h *bridge, t *trace, cause string) {
	body := response{total: -1}
	if t.xml.Len() > 0 {
		body = parseResponse(t.xml.String())
	}
	path, query, _ := strings.Cut(t.path, "?")
	target, created := parsePath(path), parsePath(t.location)
	request := &Request{Method: t.method, Status: t.status, Incomplete: t.incompleteness(cause, &body)}
	r.Kind, r.Request = KindRequest, request

	r.putInt(names.APITrace, int64(t.number)) //nolint:gosec // as the bridge counts
	r.putInt(names.APILines, int64(t.lines))
	r.putText(names.APIIncomplete, request.Incomplete)
	if t.method != "" {
		request.Route = target.route
		r.putText(names.HTTPRequestMethod, t.method)
		r.putText(names.HTTPRoute, target.route)
		r.putWithoutSecrets(names.URLPath, path)
		r.putWithoutSecrets(names.URLQuery, query)
		r.putWithoutSecrets(names.ClientAddress, t.client)
	}
	if t.requestSize >= 0 {
		r.putInt(names.HTTPRequestBodySize, t.requestSize)
		r.putWithoutSecrets(names.APIContentType, t.contentType)
	}
	if t.status != 0 {
		r.putInt(names.HTTPResponseStatusCode, int64(t.status))
		if t.responseSize >= 0 {
			r.putInt(names.HTTPResponseBodySize, t.responseSize)
		}
		if !t.requestTime.IsZero() && !t.responseTime.Before(t.requestTime) {
			request.Duration, request.HasDuration = t.responseTime.Sub(t.requestTime), true
			r.putFloat(names.APIDuration, request.Duration.Seconds())
		}
	}
	t.putObjects(r, h, &target, &created, &body)
	t.putBodies(r, &body)
	if request.Status >= 400 {
		reason := strconv.Itoa(request.Status)
		if len(body.reasons) > 0 {
			reason = body.reasons[0]
		}
		r.putText(names.ErrorType, reason)
	}
	r.Severity = severityOfRequest(request)
	r.Text = t.describe(request, r)
}

// putObjects adds the ids of the objects of the request. If several sources have an id for
// the same attribute, the first wins: path, created object, parameters, response.
func (t *trace) putObjects(r *Record, h *bridge, target, created *apiPath, body *response) {
	object := target
	if created.id != "" {
		object = created
	}
	r.putText(names.APIObjectType, object.object)
	r.putText(names.APIObjectID, object.id)
	if object.id != "" {
		r.putWithoutSecrets(names.UserName, h.userOf(object.id))
	}
	for _, ids := range [...][]Pair{target.ids, created.ids} {
		for _, id := range ids {
			r.putText(id.Name, id.Value)
		}
	}
	parameters, withheld, had := t.form.cleanPairs(t.contentLineFirst)
	r.Redacted = r.Redacted || had || body.hadSecret
	for _, p := range parameters {
		if key := referenceIDs[p.Name]; key != "" && isGUID(p.Value) {
			r.putText(key, strings.ToLower(p.Value))
		}
	}
	for _, id := range body.objectIDs {
		r.putText(id.Name, id.Value)
	}
	r.putWithoutSecrets(names.APILocation, t.location)
	r.putMap(names.APIParameters, parameters)
	if withheld > 0 {
		r.putInt(names.APIWithheld, int64(withheld))
	}
}

// maxRawBody is the largest part of an unreadable body that is kept, in bytes.
const maxRawBody = 4096

func (t *trace) putBodies(r *Record, body *response) {
	r.putText(names.APIResponseObject, body.object)
	if body.total >= 0 {
		r.putInt(names.APIResponseTotal, body.total)
	}
	r.putMap(names.APIResponse, body.elements)
	r.putText(names.APIFailureReasons, strings.Join(body.reasons, ","))
	if body.broken {
		text, had := removeSecrets(t.xml.String())
		r.Redacted = r.Redacted || had
		r.putText(names.APIResponseBody, clip(text, maxRawBody))
	}
}

// severityOfRequest returns the severity for the outcome of a request. A client without
// credentials gets a 401 before it sends them, and an object that has ended is a 404;
// neither is a fault.
func severityOfRequest(r *Request) Severity {
	switch {
	case r.Status >= 500:
		return SeverityError
	case r.Status >= 400 && r.Status != 401 && r.Status != 404, r.Incomplete == IncompleteNoResponse:
		return SeverityWarn
	default:
		return SeverityInfo
	}
}

// describe returns the text of the record.
func (t *trace) describe(request *Request, r *Record) string {
	var b strings.Builder
	b.WriteString("API request")
	if t.method != "" {
		b.WriteString(": " + t.method + " " + request.Route)
	} else {
		b.WriteString(" " + strconv.FormatUint(t.number, 10))
	}
	switch {
	case t.status != 0:
		b.WriteString(" answered with " + strconv.Itoa(t.status))
	case request.Incomplete == IncompleteNoResponse:
		b.WriteString(" not answered")
	}
	for i := range r.Fields {
		if r.Fields[i].Key == names.APIFailureReasons {
			b.WriteString(" (" + r.Fields[i].Text + ")")
		}
	}
	return b.String()
}
