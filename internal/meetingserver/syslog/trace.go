// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strconv"
	"strings"
	"time"
)

// trace is an open request. Its texts are copies and keep no line in memory.
type trace struct {
	number      uint64
	header      Header // of its first line
	observed    time.Time
	lastArrival time.Time // arrival of the last line
	sequence    uint64    // Reader.lineCount at the first line

	method, path, client string
	requestTime          time.Time // the request line's own time
	requestSize          int64     // -1: no content line came, or it has no size
	contentType          string
	contentLineFirst     bool // the line in front of the body came before it
	form                 formBody

	status       int
	responseSize int64
	responseTime time.Time // the response line's own time
	location     string
	xml          strings.Builder
	rootEnd      rootEndFinder

	lines     int
	bytes     int
	truncated bool // lines were left out
}

// lineKind is the kind of a line of a trace.
type lineKind uint8

const (
	kindRequest  lineKind = iota // GET for "/api/v1/calls" (from 192.0.2.1)
	kindContent                  // content data size 44, type "...":
	kindResponse                 // sending 200 response, size 0
	kindHeader                   // Location: /api/v1/calls/...
	kindBody                     // anything else
)

// cutTrace parses "API trace 9497:" in front of a message. The blanks behind the colon
// belong to the text.
func cutTrace(message string) (number uint64, text string, found bool) {
	rest, found := strings.CutPrefix(skipBlanks(message), "API trace ")
	if !found {
		return 0, "", false
	}
	digits, text, found := strings.Cut(rest, ":")
	number, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 64)
	return number, text, found && err == nil
}

// classifyLine returns the kind of a line by its beginning, and the line without leading
// blanks; a line of a body keeps them. A line that is indented like a chunk of a body is one.
func classifyLine(text string) (lineKind, string) {
	trimmed := skipBlanks(text)
	if len(text)-len(trimmed) >= minChunkIndent {
		return kindBody, text
	}
	switch {
	case isRequest(trimmed):
		return kindRequest, trimmed
	case strings.HasPrefix(trimmed, "content data size "):
		return kindContent, trimmed
	case isResponse(trimmed):
		return kindResponse, trimmed
	case isHeader(trimmed):
		return kindHeader, trimmed
	default:
		return kindBody, text
	}
}

func isResponse(text string) bool {
	if !strings.HasPrefix(text, "sending ") {
		return false
	}
	status, _ := parseResponseLine(text)
	return status != 0
}

var methods = [...]string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}

func isRequest(text string) bool {
	method, rest, _ := strings.Cut(text, " ")
	if !strings.HasPrefix(rest, `for "`) && rest != "for" {
		return false
	}
	for _, known := range methods {
		if method == known {
			return true
		}
	}
	return false
}

// parseRequestLine parses `GET for "/path?query" (from 192.0.2.1)`, which may be truncated.
func parseRequestLine(text string) (method, path, client string) {
	method, rest, _ := strings.Cut(text, " for")
	rest = strings.TrimPrefix(rest, ` "`)
	if at := strings.LastIndex(rest, `" (from `); at >= 0 {
		client = strings.TrimRight(rest[at+len(`" (from `):], ") ")
		return method, rest[:at], clip(client, maxHeaderField)
	}
	return method, strings.TrimRight(rest, `" `), ""
}

// parseContentLine parses `content data size 44, type "application/...":`.
func parseContentLine(text string) (size int64, contentType string) {
	digits, rest, _ := strings.Cut(strings.TrimPrefix(text, "content data size "), ",")
	size, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || size < 0 {
		size = -1
	}
	contentType, _ = cutQuoted(rest)
	return size, clip(contentType, maxHeaderField)
}

// parseResponseLine parses "sending 200 response, size 0". It returns status 0 for another
// line.
func parseResponseLine(text string) (status int, size int64) {
	code, rest, _ := strings.Cut(strings.TrimPrefix(text, "sending "), " ")
	status, err := strconv.Atoi(code)
	if err != nil || status < 100 || status > 599 || !strings.HasPrefix(skipBlanks(rest), "response") {
		return 0, 0
	}
	size, err = strconv.ParseInt(strings.TrimSpace(after(rest, "size ")), 10, 64)
	if err != nil || size < 0 {
		size = -1
	}
	return status, size
}

// isHeader reports whether a text is a header of a response, such as "Location: /...".
func isHeader(text string) bool {
	name, value, found := strings.Cut(text, ":")
	if !found || name == "" || !strings.HasPrefix(value, " ") || name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	for i := range len(name) {
		if c := name[i] | 0x20; (c < 'a' || c > 'z') && name[i] != '-' {
			return false
		}
	}
	return true
}

// add adds a line to the trace. It drops the part beyond limits, but still finds the end of
// the response.
func (t *trace) add(text string, timestamp time.Time, limits *Limits) {
	t.lines++
	if t.header.Time.IsZero() {
		t.header.Time = timestamp
	}
	kind, body := classifyLine(text)
	switch {
	case kind == kindRequest:
		t.requestTime = timestamp
		method, path, client := parseRequestLine(body)
		t.method, t.client = strings.Clone(method), strings.Clone(client)
		t.path = strings.Clone(path[:min(len(path), maxPath)])
		t.charge(len(t.path) + len(client))
	case kind == kindContent && t.status == 0 && t.requestSize < 0 && t.contentType == "":
		size, contentType := parseContentLine(body)
		t.requestSize, t.contentType = size, strings.Clone(contentType)
		t.contentLineFirst = t.form.empty()
		t.charge(len(contentType))
	case kind == kindResponse && t.status == 0:
		t.status, t.responseSize = parseResponseLine(body)
		t.responseTime = timestamp
	case kind == kindHeader && t.status != 0 && t.xml.Len() == 0:
		t.addHeader(body)
	case kind == kindResponse || kind == kindContent:
		// A copy of the line.
	default:
		t.addBody(text, limits)
	}
}

// addHeader stores Location, the path of a created object, and ignores other headers.
func (t *trace) addHeader(text string) {
	name, value, _ := strings.Cut(text, ":")
	if strings.EqualFold(name, "Location") && t.location == "" {
		value = strings.TrimSpace(value)
		t.location = strings.Clone(value[:min(len(value), maxPath)])
		t.charge(len(t.location))
	}
}

// maxPath is the longest path that is kept, in bytes.
const maxPath = 2048

func (t *trace) charge(n int) { t.bytes += n }

// addBody adds a line of the body of the request or of the response.
func (t *trace) addBody(text string, limits *Limits) {
	trimmed := skipBlanks(text)
	isResponse := t.status != 0 || t.method == "" && t.requestSize < 0 && (t.xml.Len() > 0 || strings.HasPrefix(trimmed, "<"))
	full := t.bytes+len(text) > limits.RequestBytes || t.lines > limits.RequestLines
	if isResponse {
		inTag := t.rootEnd.state == inStartTag && t.rootEnd.quote == 0
		t.rootEnd.write(trimmed)
		if inTag { // the line break replaced a blank between attributes
			trimmed = " " + trimmed
		}
		if !full {
			t.xml.WriteString(trimmed)
			t.charge(len(trimmed))
		}
		t.truncated = t.truncated || full
		return
	}
	if full {
		t.truncated, t.form.mayContinue = true, false
		return
	}
	t.charge(t.form.addLine(text))
}

// complete reports whether no more lines of the trace follow. other means that a line of
// another trace has arrived.
func (t *trace) complete(other bool) bool {
	switch {
	case t.status == 0:
		return false
	case t.rootEnd.done:
		return true
	case t.responseSize != 0 || t.xml.Len() > 0:
		return false
	}
	// The Location of a created object follows the response.
	return other && (t.method != "POST" || t.status >= 300 || t.location != "")
}
