// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// Values of Request.Incomplete, from what matters most.
const (
	// IncompleteEvicted: the request made room for others.
	IncompleteEvicted = "evicted"
	// IncompleteNoRequest and IncompleteNoResponse: that line is missing.
	IncompleteNoRequest  = "no_request"
	IncompleteNoResponse = "no_response"
	// IncompleteTooLong: the request has more lines or bytes than are kept.
	IncompleteTooLong = "too_long"
	// IncompleteBody: the end of the response is missing, or it is no XML.
	IncompleteBody = "body"
)

func (t *trace) incomplete(why string, body *response) string {
	switch {
	case why != "":
		return why
	case t.method == "":
		return IncompleteNoRequest
	case t.status == 0:
		return IncompleteNoResponse
	case t.cut:
		return IncompleteTooLong
	case body.broken || t.responseSize > 0 && t.xml.Len() == 0:
		return IncompleteBody
	default:
		return ""
	}
}

// writeRequest writes the record of a trace.
func writeRequest(r *Record, h *host, t *trace, why string) {
	body := response{total: -1}
	if t.xml.Len() > 0 {
		body = readResponse(t.xml.String())
	}
	path, query, _ := strings.Cut(t.path, "?")
	target, created := readPath(path), readPath(t.location)
	request := &Request{Method: t.method, Status: t.status, Incomplete: t.incomplete(why, &body)}
	r.Kind, r.Request = KindRequest, request

	r.putInt(names.APITrace, int64(t.number)) //nolint:gosec // as the bridge counts
	r.putInt(names.APILines, int64(t.lines))
	r.putText(names.APIIncomplete, request.Incomplete)
	if t.method != "" {
		request.Route = target.route
		r.putText(names.HTTPRequestMethod, t.method)
		r.putText(names.HTTPRoute, target.route)
		r.putClean(names.URLPath, path)
		r.putClean(names.URLQuery, query)
		r.putClean(names.ClientAddress, t.client)
	}
	if t.requestSize >= 0 {
		r.putInt(names.HTTPRequestBodySize, t.requestSize)
		r.putClean(names.APIContentType, t.contentType)
	}
	if t.status != 0 {
		r.putInt(names.HTTPResponseStatusCode, int64(t.status))
		if t.responseSize >= 0 {
			r.putInt(names.HTTPResponseBodySize, t.responseSize)
		}
		if !t.requested.IsZero() && !t.answered.Before(t.requested) {
			request.Duration, request.HasDuration = t.answered.Sub(t.requested), true
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

// putObjects puts the ids of the objects that the request is about. A name is given to
// the object of the path, then to a created one, a parameter's and the response's.
func (t *trace) putObjects(r *Record, h *host, target, created *apiPath, body *response) {
	object := target
	if created.id != "" {
		object = created
	}
	r.putText(names.APIObjectType, object.object)
	r.putText(names.APIObjectID, object.id)
	if object.id != "" {
		r.putClean(names.UserName, h.userOf(object.id))
	}
	for _, ids := range [...][]Pair{target.ids, created.ids} {
		for _, id := range ids {
			r.putText(id.Name, id.Value)
		}
	}
	parameters, withheld, had := t.form.pairs(t.announced)
	r.Redacted = r.Redacted || had || body.had
	for _, p := range parameters {
		if key := referenceIDs[p.Name]; key != "" && isGUID(p.Value) {
			r.putText(key, strings.ToLower(p.Value))
		}
	}
	for _, id := range body.ids {
		r.putText(id.Name, id.Value)
	}
	r.putClean(names.APILocation, t.location)
	r.putMap(names.APIParameters, parameters)
	if withheld > 0 {
		r.putInt(names.APIWithheld, int64(withheld))
	}
}

// maxRawBody is how much of a body that cannot be read is kept, in bytes.
const maxRawBody = 4096

func (t *trace) putBodies(r *Record, body *response) {
	r.putText(names.APIResponseObject, body.object)
	if body.total >= 0 {
		r.putInt(names.APIResponseTotal, body.total)
	}
	r.putMap(names.APIResponse, body.elements)
	r.putText(names.APIFailureReasons, strings.Join(body.reasons, ","))
	if body.broken {
		text, had := clean(t.xml.String())
		r.Redacted = r.Redacted || had
		r.putText(names.APIResponseBody, clip(text, maxRawBody))
	}
}

// severityOfRequest says whether somebody should look. A client that waits to be asked
// for its password gets a 401 for each request, and objects that ended meanwhile are a
// 404: neither is a fault.
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

// describe is the request in one line.
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
