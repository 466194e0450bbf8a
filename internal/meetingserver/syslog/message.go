// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// readMessage finds out what a message says, and writes kind, text and fields. The
// patterns are those of section 4.4 of the format's description; a message that fits
// none is a line.
func readMessage(r *Record, h *host, message string) {
	message = strings.TrimRight(strings.TrimLeft(message, " \t"), " \t\r\n")
	switch {
	case r.Header.Tag == "cli":
		readCommand(r, message)
	case strings.HasPrefix(message, "call "):
		readCall(r, h, message)
	case strings.HasPrefix(message, `API "`):
		readConferenceIDs(r, h, message)
	case strings.HasPrefix(message, "API call leg "):
		readLegIDs(r, h, message)
	case strings.HasPrefix(message, `participant "`):
		readParticipant(r, h, message)
	case strings.HasPrefix(message, `conference "`):
		readConference(r, message)
	case strings.HasPrefix(message, "WebApp Audit"):
		readWebApp(r, message)
	default:
		readAudit(r, h, message)
	}
	if r.Text == "" {
		r.setText(message)
	}
	if r.Kind == KindLine {
		r.Kind = faultOf(&r.Header, r.Severity, message)
	}
}

// setText sets the text of a record to a message without its secrets.
func (r *Record) setText(message string) {
	text, had := clean(message)
	r.Text = text
	r.Redacted = r.Redacted || had
}

// putClean puts a text of the wire without its secrets.
func (r *Record) putClean(key, value string) {
	value, had := clean(value)
	r.Redacted = r.Redacted || had
	r.putText(key, value)
}

// faultOf tells which fault a message is the sign of, KindLine if of none.
func faultOf(h *Header, severity Severity, message string) Kind {
	switch {
	case strings.Contains(message, "No recording device found"):
		return KindRecorderMissing
	case strings.Contains(message, "Failed to mount NFS"):
		return KindNFSMountFailed
	case strings.HasPrefix(h.Tag, "postgres") && strings.Contains(message, "FATAL"):
		return KindDatabaseFatal
	case strings.Contains(message, "handshake error"):
		return KindHandshakeError
	case severity >= SeverityError && containsFold(message, "saml", "sso"):
		return KindSSOError
	case isC2WDown(message):
		return KindC2WDown
	default:
		return KindLine
	}
}

// isC2WDown tells whether a message about the link from Call Bridge to Web Bridge says
// that it is not up.
func isC2WDown(message string) bool {
	if !strings.Contains(message, "C2W") && !strings.Contains(message, "c2w") {
		return false
	}
	if !containsFold(message, "connection", "link", "state", "status") {
		return false
	}
	if containsFold(message, "not up", "down", "fail", "error", "disconnect", "lost", "refused", "closed", "timeout", "timed out") {
		return true
	}
	return containsFold(message, "state", "status") && !hasWord(message, "UP") && !containsFold(message, "connected", "connecting")
}

// containsFold tells whether text holds one of the words, which are in lower case, in
// any case of letters.
func containsFold(text string, words ...string) bool {
	for i := range len(text) {
		for _, word := range words {
			if len(text)-i >= len(word) && text[i]|0x20 == word[0] && strings.EqualFold(text[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}

// hasWord tells whether text holds a word that no letter stands beside.
func hasWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(word)
		if (i == 0 || !isWordByte(text[i-1])) && (end == len(text) || !isWordByte(text[end])) {
			return true
		}
		from = end
	}
}

// readCall reads "call 11: ...". The number is the bridge's own, and belongs to the
// leg that was configured with it last.
func readCall(r *Record, h *host, message string) {
	digits, rest, found := strings.Cut(message[len("call "):], ":")
	number, err := strconv.ParseUint(digits, 10, 32)
	if !found || err != nil {
		return
	}
	rest = skipBlanks(rest)
	r.putInt(names.SyslogCall, int64(number))
	if leg, isConfigured := cutGUID(rest, "configured - API call leg "); isConfigured {
		r.Kind = KindCallLegIDs
		h.configure(number, leg)
	}
	h.putCall(r, number)
	if leg, isDestroyed := cutGUID(rest, "destroying API call leg "); isDestroyed {
		r.Kind = KindCallLegIDs
		r.putText(names.CallLegID, leg)
		h.putLeg(r, leg)
		h.destroy(number)
		h.leaveConference(leg)
	}
	switch {
	case strings.HasPrefix(rest, "outgoing ") && strings.Contains(rest, "SIP call to "):
		r.Kind = KindOutgoing
		remote, behind := cutQuoted(rest)
		r.putAddress(names.CallLegRemoteParty, remote)
		if space, isLast := strings.CutPrefix(behind, ` from space "`); isLast {
			r.putClean(names.CoSpaceName, strings.TrimSuffix(space, `"`))
		}
	case strings.HasPrefix(rest, "incoming ") && strings.Contains(rest, "SIP call from "):
		r.Kind = KindIncoming
		remote, behind := cutQuoted(rest)
		r.putAddress(names.CallLegRemoteParty, remote)
		if strings.HasPrefix(behind, " to local URI ") {
			local, _ := cutQuoted(behind)
			r.putAddress(names.CallLegLocalAddress, local)
		}
	case strings.HasPrefix(rest, "SIP call ringing"):
		r.Kind = KindRinging
	case strings.HasPrefix(rest, "falling back to unencrypted control connection"):
		r.Kind = KindFallback
	}
}

// readConferenceIDs reads `API "9999" Space GUID: a <--> Call Correlator GUID: b<-->
// Internal GUID: c`.
func readConferenceIDs(r *Record, h *host, message string) {
	at := strings.LastIndex(message, `" Space GUID:`)
	if at < 0 {
		return
	}
	space, behind := takeGUID(message[at+len(`" Space GUID:`):])
	correlator, behind := takeGUID(after(behind, "Call Correlator GUID:"))
	internal, _ := takeGUID(after(behind, "Internal GUID:"))
	if internal == "" {
		return
	}
	r.Kind = KindConferenceIDs
	if from := len(`API "`); at > from {
		r.putClean(names.ConferenceName, message[from:at])
	}
	r.putText(names.CoSpaceID, space)
	r.putText(names.CallCorrelator, correlator)
	r.putText(names.ConferenceID, internal)
	h.rememberConference(internal, conferenceIDs{space, correlator})
}

// readLegIDs reads "API call leg a in call b (API call c)".
func readLegIDs(r *Record, h *host, message string) {
	leg, behind := takeGUID(after(message, "API call leg "))
	internal, behind := takeGUID(after(behind, "in call "))
	call, _ := takeGUID(after(behind, "(API call "))
	if leg == "" || internal == "" && call == "" {
		return
	}
	r.Kind = KindCallLegIDs
	h.enterConference(leg, internal, call)
	r.putText(names.CallLegID, leg)
	h.putLeg(r, leg)
}

// readParticipant reads `participant "uri" joined space id (name)`. A name may hold
// quotes and parentheses.
func readParticipant(r *Record, h *host, message string) {
	kind, verb := KindJoin, `" joined space `
	at := strings.Index(message, verb)
	if at < 0 {
		kind, verb = KindLeave, `" left space `
		at = strings.Index(message, verb)
	}
	if at < 0 {
		return
	}
	space, behind := takeGUID(message[at+len(verb):])
	if space == "" {
		return
	}
	r.Kind = kind
	r.putAddress(names.ParticipantURI, message[len(`participant "`):at])
	r.putText(names.CoSpaceID, space)
	r.putClean(names.CoSpaceName, inParentheses(behind))
	h.putRoom(r, space)
}

// readConference reads `conference "name": unencrypted call legs now present`.
func readConference(r *Record, message string) {
	at := strings.LastIndex(message, `": unencrypted call legs`)
	if at < 0 {
		return
	}
	r.Kind = KindUnencrypted
	r.putClean(names.ConferenceName, message[len(`conference "`):at])
}

// readAudit reads `192.0.2.226: API user "tms" modified space id (name)`.
func readAudit(r *Record, h *host, message string) {
	address, rest, found := strings.Cut(message, `: API user "`)
	if !found || address == "" || strings.ContainsAny(address, " \t") || len(address) > maxHeaderField {
		return
	}
	user, rest, found := strings.Cut(rest, `" `)
	if !found {
		return
	}
	verb, what := cutWord(rest)
	switch verb {
	case "created":
		what = strings.TrimPrefix(skipBlanks(what), "new ")
	case "modified", "deleted":
	default:
		return
	}
	object, id, behind, found := cutObject(what)
	if !found {
		return
	}
	r.Kind = KindAudit
	r.putText(names.ClientAddress, address)
	r.putClean(names.UserName, user)
	r.putText(names.APIVerb, verb)
	r.putText(names.APIObjectType, object)
	r.putText(names.APIObjectID, id)
	if key := idKeyOf(object); key != "" {
		r.putText(key, id)
	}
	if call, isLeg := cutGUID(behind, ", call "); isLeg {
		r.putText(names.CallID, call)
		h.rememberLeg(id, call)
	} else {
		r.putClean(names.APIObjectName, inParentheses(behind))
	}
	h.rememberAudit(id, user)
}

// cutObject divides "call leg profile id (name)" at its id. The name of an object
// that has a type and a number, "object type 29", is both.
func cutObject(what string) (object, id, behind string, found bool) {
	what = skipBlanks(what)
	for i := range len(what) {
		if i > 0 && what[i-1] != ' ' {
			continue
		}
		if id, behind := takeGUID(what[i:]); id != "" {
			object = strings.TrimRight(what[:i], " ")
			if object == "" || len(object) > maxObject || !isPlainObject(object) {
				return "", "", "", false
			}
			return object, id, behind, true
		}
	}
	return "", "", "", false
}

// maxObject is the longest type of an object.
const maxObject = 64

func isPlainObject(object string) bool {
	for i := range len(object) {
		if c := object[i]; !isWordByte(c) && c != ' ' {
			return false
		}
	}
	return true
}

// idKeyOf returns the attribute that call detail records have for an object's id, ""
// if they have none.
func idKeyOf(object string) string {
	switch object {
	case "call":
		return names.CallID
	case "call leg":
		return names.CallLegID
	case "space", "coSpace", "cospace":
		return names.CoSpaceID
	case "tenant":
		return names.TenantID
	case "participant":
		return names.ParticipantID
	default:
		return ""
	}
}

// readCommand reads "User admin from 192.0.2.33:63290 issued command < text>: result".
// All of another message behind the name of a secret may be one: the command line has
// secrets without a sign in front of them.
func readCommand(r *Record, message string) {
	head, rest, found := strings.Cut(message, " issued command <")
	end := strings.LastIndex(rest, ">")
	user, isUser := strings.CutPrefix(head, "User ")
	if !found || end < 0 || !isUser {
		text, had := cleanCommand(message)
		r.Text, r.Redacted = text, had
		return
	}
	r.Kind = KindCommand
	user, address, _ := strings.Cut(user, " from ")
	command, had := cleanCommand(strings.TrimSpace(rest[:end]))
	r.Redacted = r.Redacted || had
	result := strings.TrimSpace(strings.TrimPrefix(rest[end+1:], ":"))
	r.putClean(names.UserName, user)
	if host, port, hasPort := splitPort(address); hasPort {
		r.putText(names.ClientAddress, host)
		r.putInt(names.ClientPort, port)
	} else {
		r.putClean(names.ClientAddress, address)
	}
	r.putText(names.CommandText, command)
	r.putClean(names.CommandResult, result)
	cleaned, _ := clean(user + ": ")
	r.Text = "command of user " + cleaned + command
	if result, had = clean(result); result != "" {
		r.Text += " (" + result + ")"
		r.Redacted = r.Redacted || had
	}
}

func splitPort(address string) (host string, port int64, ok bool) {
	at := strings.LastIndexByte(address, ':')
	if at <= 0 || strings.ContainsAny(address, " \t") {
		return "", 0, false
	}
	n, err := strconv.ParseUint(address[at+1:], 10, 16)
	return strings.Trim(address[:at], "[]"), int64(n), err == nil
}

// readWebApp reads "WebApp Audit : Session: id : Participant Pat performed action of
// join call".
func readWebApp(r *Record, message string) {
	session, behind := takeGUID(after(message, "Session:"))
	rest := after(behind, "Participant ")
	at := strings.LastIndex(rest, " performed action of ")
	if session == "" || at < 0 {
		return
	}
	r.Kind = KindWebApp
	r.putText(names.WebAppSession, session)
	r.putClean(names.WebAppParticipant, rest[:at])
	r.putClean(names.WebAppAction, strings.TrimSpace(rest[at+len(" performed action of "):]))
}
