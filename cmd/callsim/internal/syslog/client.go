// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// The client that schedules meetings, as TMS does.
const (
	clientAddress = "192.0.2.226"
	clientUser    = "tms"
	formType      = "application/x-www-form-urlencoded"

	// extendAfter is how long a meeting lasts before the client extends it.
	extendAfter = 20 * time.Second
)

// meeting is one that the client has scheduled.
type meeting struct {
	*ScheduledMeeting
	extended bool
}

// request is one API request as the bridge logs it.
type request struct {
	l      *Log
	h      *host
	at     time.Time
	number int
}

// newRequest writes the first line of a request.
func (l *Log) newRequest(h *host, at time.Time, method, path string) *request {
	h.traces++
	r := &request{l, h, at, h.traces}
	l.report.Records["api_request"]++
	r.writeLine(fmt.Sprintf(`%s for "%s" (from %s)`, method, path, clientAddress))
	return r
}

// writeLine writes a line of the request, with one blank before its text, beside the one that
// ends "API trace 1: ".
func (r *request) writeLine(text string) {
	r.l.writeLine(r.h, &line{at: r.at, facility: user, severity: "info", tag: "host:server:", level: " INFO : ", text: fmt.Sprintf("API trace %d: %s", r.number, text)})
}

// chunk is after how many characters a bridge cuts a parameter.
const chunk = 48

// writeForm writes the body of a request: a parameter on a line, long ones in chunks.
func (r *request) writeForm(parameters ...string) {
	body := "&" + strings.Join(parameters, "&")
	r.writeLine(fmt.Sprintf(`content data size %d, type "%s":`, len(body), formType))
	r.writeLine(" &")
	for i, p := range parameters {
		if i+1 < len(parameters) {
			p += "&"
		}
		blanks := " "
		for part := range slices.Chunk([]rune(p), chunk) {
			r.writeLine(blanks + string(part))
			blanks = "     "
		}
	}
}

// writeResponse writes the response. Its body is XML, an element on a line.
func (r *request) writeResponse(code int, location string, body ...string) {
	r.at = r.at.Add(r.h.form.resolution() * 7 % time.Second) // nothing where dates have seconds
	size := 0
	if len(body) > 0 {
		size = len(`<?xml version="1.0"?>`) + len(strings.Join(body, ""))
	}
	r.writeLine(fmt.Sprintf("sending %d response, size %d", code, size))
	if location != "" {
		r.writeLine("Location: " + location)
	}
	for _, element := range body {
		r.writeLine(" " + element)
	}
}

// secret makes one up that must be nowhere. Every second one is so long that its
// parameter is cut.
func (l *Log) secret() string {
	secret := l.dice.GUID()
	if l.dice.Chance(0.5) {
		secret += strings.ReplaceAll(l.dice.GUID(), "-", "")
	}
	l.report.Secrets = append(l.report.Secrets, secret)
	return secret
}

// scheduleMeeting has the client start a meeting: it looks at the bridge, opens the space, and
// creates the call. Two of its requests interleave, and one is refused until it shows its
// password.
func (l *Log) scheduleMeeting(h *host, at time.Time, c *call) {
	m := &meeting{ScheduledMeeting: &ScheduledMeeting{
		Bridge: h.name, Call: c.ID, CoSpace: c.CoSpace, Name: c.Name + " (scheduled)", Client: clientAddress, User: clientUser,
		Start: at.Truncate(h.form.resolution()),
	}}
	c.meeting = m
	l.report.Meetings = append(l.report.Meetings, m.ScheduledMeeting)
	l.newRequest(h, at, "GET", "/api/v1/system/status").writeResponse(200, "",
		"<status>", "  <softwareVersion>3.9</softwareVersion>", "  <callLegsActive>"+strconv.Itoa(len(h.legs))+"</callLegsActive>", "</status>")
	participants := l.newRequest(h, at, "GET", "/api/v1/participants")
	spaces := l.newRequest(h, at, "GET", "/api/v1/coSpaces")
	spaces.writeResponse(401, "")
	spaces.writeLine(`WWW-Authenticate: Basic realm="acano"`)
	participants.writeResponse(200, "", `<participants total="0"></participants>`)
	l.setSpace(h, at, c, "create", true, m.Name)
	started := l.newRequest(h, at, "POST", "/api/v1/calls")
	started.writeForm("coSpace=" + c.CoSpace)
	l.writeAudit(h, at, "created new call "+c.ID)
	started.writeResponse(200, "/api/v1/calls/"+c.ID)
	m.Steps = append(m.Steps, "start")
	l.newRequest(h, at, "GET", "/api/v1/calls/"+c.ID).writeResponse(200, "",
		fmt.Sprintf(`<call id="%s">`, c.ID), "  <coSpace>"+c.CoSpace+"</coSpace>", "  <callCorrelator>"+c.Correlator+"</callCorrelator>", "</call>")
}

// setSpace has the client open or close the space of a meeting.
func (l *Log) setSpace(h *host, at time.Time, c *call, step string, opens bool, name string) {
	r := l.newRequest(h, at, "PUT", "/api/v1/cospaces/"+c.CoSpace)
	parameters := []string{fmt.Sprintf("nonMemberAccess=%t", opens), "passcode=********", "name=" + name}
	if opens {
		parameters = append(parameters, "callLegProfile="+l.dice.GUID(), "secret="+l.secret())
	} else {
		parameters = append(parameters, "regenerateSecret=true")
	}
	r.writeForm(parameters...)
	l.writeAudit(h, at, fmt.Sprintf("modified space %s (%s)", c.CoSpace, name))
	r.writeResponse(200, "")
	c.meeting.Steps = append(c.meeting.Steps, step)
}

// invitePerson has the client ask the bridge to call somebody.
func (l *Log) invitePerson(h *host, at time.Time, c *call, invited scenario.Leg) {
	r := l.newRequest(h, at, "POST", "/api/v1/calls/"+c.ID+"/calllegs")
	r.writeForm("remoteParty=" + invited.RemoteParty)
	l.writeAudit(h, at, fmt.Sprintf("created new call leg %s, call %s", invited.ID, c.ID))
	r.writeResponse(200, "/api/v1/callLegs/"+invited.ID)
	c.meeting.Steps = append(c.meeting.Steps, "invite")
}

func (l *Log) extendMeeting(h *host, at time.Time, c *call) {
	c.meeting.extended = true
	l.setSpace(h, at, c, "extend", true, c.meeting.Name)
}

// endMeeting has the client close the space and delete the call, which is why the call
// ends.
func (l *Log) endMeeting(h *host, at time.Time, c *call) {
	l.setSpace(h, at, c, "end", false, "TMS_Scheduled_Meeting_"+strconv.Itoa(1+l.dice.IntN(20)))
	r := l.newRequest(h, at, "DELETE", "/api/v1/calls/"+c.ID)
	l.writeAudit(h, at, "deleted call "+c.ID)
	r.writeResponse(200, "")
	c.meeting.Steps = append(c.meeting.Steps, "delete")
	end := h.last.Truncate(h.form.resolution())
	c.meeting.End = &end
}

// writeAudit writes an audit line of the client.
func (l *Log) writeAudit(h *host, at time.Time, did string) {
	l.writeAuditLine(h, at, "api_audit", fmt.Sprintf(`%s: API user "%s" %s`, clientAddress, clientUser, did))
}
