// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// parseMessage sets kind, text and fields of a record from its message. It knows the
// patterns of the format; any other message is a KindLine.
func parseMessage(r *Record, h *bridge, message string) {
	message = strings.TrimRight(strings.TrimLeft(message, " \t"), " \t\r\n")
	switch {
	case r.Header.Tag == "cli":
		parseCommand(r, message)
	case strings.HasPrefix(message, "call "):
		parseCall(r, h, message)
	case strings.HasPrefix(message, `API "`):
		parseConferenceIDs(r, h, message)
	case strings.HasPrefix(message, "API call leg "):
		parseLegIDs(r, h, message)
	case strings.HasPrefix(message, `participant "`):
		parseParticipant(r, h, message)
	case strings.HasPrefix(message, `conference "`):
		parseConference(r, message)
	case strings.HasPrefix(message, "WebApp Audit"):
		parseWebApp(r, message)
	default:
		parseAudit(r, h, message)
	}
	if r.Text == "" {
		r.setText(message)
	}
	if r.Kind == KindLine {
		r.Kind = detectFault(&r.Header, r.Severity, message)
	}
}

// setText sets the text of a record to a message without secrets.
func (r *Record) setText(message string) {
	text, had := removeSecrets(message)
	r.Text = text
	r.Redacted = r.Redacted || had
}

// putWithoutSecrets adds a field with a text from the wire without secrets.
func (r *Record) putWithoutSecrets(key, value string) {
	value, had := removeSecrets(value)
	r.Redacted = r.Redacted || had
	r.putText(key, value)
}

// detectFault returns the kind of the fault that a message indicates, or KindLine.
func detectFault(h *Header, severity Severity, message string) Kind {
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

// isC2WDown reports whether a message says that the link from Call Bridge to Web Bridge is
// not up.
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

// containsFold reports whether text contains one of the words, without regard to case. The
// words are in lower case.
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

// hasWord reports whether text contains word without word bytes beside it.
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

// parseCall parses "call 11: ...". The number is local to the bridge, and identifies the
// leg that was configured with it last.
func parseCall(r *Record, h *bridge, message string) {
	digits, rest, found := strings.Cut(message[len("call "):], ":")
	number, err := strconv.ParseUint(digits, 10, 32)
	if !found || err != nil {
		return
	}
	rest = skipBlanks(rest)
	r.putInt(names.SyslogCall, int64(number))
	if leg, isConfigured := cutGUID(rest, "configured - API call leg "); isConfigured {
		r.Kind = KindCallLegIDs
		h.setLegOfNumber(number, leg)
	}
	h.putIDsOfNumber(r, number)
	if leg, isDestroyed := cutGUID(rest, "destroying API call leg "); isDestroyed {
		r.Kind = KindCallLegIDs
		r.putText(names.CallLegID, leg)
		h.putIDsOfLeg(r, leg)
		h.removeNumber(number)
		h.leaveConference(leg)
	}
	switch {
	case strings.HasPrefix(rest, "outgoing ") && strings.Contains(rest, "SIP call to "):
		r.Kind = KindOutgoing
		remote, remainder := cutQuoted(rest)
		r.putAddress(names.CallLegRemoteParty, remote)
		if space, isLast := strings.CutPrefix(remainder, ` from space "`); isLast {
			r.putWithoutSecrets(names.CoSpaceName, strings.TrimSuffix(space, `"`))
		}
	case strings.HasPrefix(rest, "incoming ") && strings.Contains(rest, "SIP call from "):
		r.Kind = KindIncoming
		remote, remainder := cutQuoted(rest)
		r.putAddress(names.CallLegRemoteParty, remote)
		if strings.HasPrefix(remainder, " to local URI ") {
			local, _ := cutQuoted(remainder)
			r.putAddress(names.CallLegLocalAddress, local)
		}
	case strings.HasPrefix(rest, "SIP call ringing"):
		r.Kind = KindRinging
	case strings.HasPrefix(rest, "falling back to unencrypted control connection"):
		r.Kind = KindFallback
	}
}

// parseConferenceIDs parses `API "9999" Space GUID: a <--> Call Correlator GUID: b<-->
// Internal GUID: c`.
func parseConferenceIDs(r *Record, h *bridge, message string) {
	at := strings.LastIndex(message, `" Space GUID:`)
	if at < 0 {
		return
	}
	space, remainder := parseGUID(message[at+len(`" Space GUID:`):])
	correlator, remainder := parseGUID(after(remainder, "Call Correlator GUID:"))
	internal, _ := parseGUID(after(remainder, "Internal GUID:"))
	if internal == "" {
		return
	}
	r.Kind = KindConferenceIDs
	if from := len(`API "`); at > from {
		r.putWithoutSecrets(names.ConferenceName, message[from:at])
	}
	r.putText(names.CoSpaceID, space)
	r.putText(names.CallCorrelator, correlator)
	r.putText(names.ConferenceID, internal)
	h.setConference(internal, conferenceIDs{space, correlator})
}

// parseLegIDs parses "API call leg a in call b (API call c)".
func parseLegIDs(r *Record, h *bridge, message string) {
	leg, remainder := parseGUID(after(message, "API call leg "))
	internal, remainder := parseGUID(after(remainder, "in call "))
	call, _ := parseGUID(after(remainder, "(API call "))
	if leg == "" || internal == "" && call == "" {
		return
	}
	r.Kind = KindCallLegIDs
	h.enterConference(leg, internal, call)
	r.putText(names.CallLegID, leg)
	h.putIDsOfLeg(r, leg)
}

// parseParticipant parses `participant "uri" joined space id (name)`. A name may contain
// quotes and parentheses.
func parseParticipant(r *Record, h *bridge, message string) {
	kind, verb := KindJoin, `" joined space `
	at := strings.Index(message, verb)
	if at < 0 {
		kind, verb = KindLeave, `" left space `
		at = strings.Index(message, verb)
	}
	if at < 0 {
		return
	}
	space, remainder := parseGUID(message[at+len(verb):])
	if space == "" {
		return
	}
	r.Kind = kind
	r.putAddress(names.ParticipantURI, message[len(`participant "`):at])
	r.putText(names.CoSpaceID, space)
	r.putWithoutSecrets(names.CoSpaceName, inParentheses(remainder))
	h.putIDsOfSpace(r, space)
}

// parseConference parses `conference "name": unencrypted call legs now present`.
func parseConference(r *Record, message string) {
	at := strings.LastIndex(message, `": unencrypted call legs`)
	if at < 0 {
		return
	}
	r.Kind = KindUnencrypted
	r.putWithoutSecrets(names.ConferenceName, message[len(`conference "`):at])
}

// parseAudit parses `192.0.2.226: API user "tms" modified space id (name)`.
func parseAudit(r *Record, h *bridge, message string) {
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
	object, id, remainder, found := cutObject(what)
	if !found {
		return
	}
	r.Kind = KindAudit
	r.putText(names.ClientAddress, address)
	r.putWithoutSecrets(names.UserName, user)
	r.putText(names.APIVerb, verb)
	r.putText(names.APIObjectType, object)
	r.putText(names.APIObjectID, id)
	if key := attributeOfID(object); key != "" {
		r.putText(key, id)
	}
	if call, isLeg := cutGUID(remainder, ", call "); isLeg {
		r.putText(names.CallID, call)
		h.setCallOfLeg(id, call)
	} else {
		r.putWithoutSecrets(names.APIObjectName, inParentheses(remainder))
	}
	h.addAudit(id, user)
}

// cutObject splits "call leg profile id (name)" at its id. The type may contain a number:
// "object type 29".
func cutObject(what string) (object, id, remainder string, found bool) {
	what = skipBlanks(what)
	for i := range len(what) {
		if i > 0 && what[i-1] != ' ' {
			continue
		}
		if id, remainder := parseGUID(what[i:]); id != "" {
			object = strings.TrimRight(what[:i], " ")
			if object == "" || len(object) > maxObject || !isPlainObject(object) {
				return "", "", "", false
			}
			return object, id, remainder, true
		}
	}
	return "", "", "", false
}

// maxObject is the longest type of an object, in bytes.
const maxObject = 64

func isPlainObject(object string) bool {
	for i := range len(object) {
		if c := object[i]; !isWordByte(c) && c != ' ' {
			return false
		}
	}
	return true
}

// attributeOfID returns the attribute that call detail records have for the id of an
// object, or "".
func attributeOfID(object string) string {
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

// parseCommand parses "User admin from 192.0.2.33:63290 issued command < text>: result". Of
// any other message it removes all text behind the name of a secret, because the command
// line marks secrets only by position.
func parseCommand(r *Record, message string) {
	head, rest, found := strings.Cut(message, " issued command <")
	end := strings.LastIndex(rest, ">")
	user, isUser := strings.CutPrefix(head, "User ")
	if !found || end < 0 || !isUser {
		text, had := removeCommandSecrets(message)
		r.Text, r.Redacted = text, had
		return
	}
	r.Kind = KindCommand
	user, address, _ := strings.Cut(user, " from ")
	command, had := removeCommandSecrets(strings.TrimSpace(rest[:end]))
	r.Redacted = r.Redacted || had
	result := strings.TrimSpace(strings.TrimPrefix(rest[end+1:], ":"))
	r.putWithoutSecrets(names.UserName, user)
	if host, port, hasPort := splitPort(address); hasPort {
		r.putText(names.ClientAddress, host)
		r.putInt(names.ClientPort, port)
	} else {
		r.putWithoutSecrets(names.ClientAddress, address)
	}
	r.putText(names.CommandText, command)
	r.putWithoutSecrets(names.CommandResult, result)
	cleaned, _ := removeSecrets(user + ": ")
	r.Text = "command of user " + cleaned + command
	if result, had = removeSecrets(result); result != "" {
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

// parseWebApp parses "WebApp Audit : Session: id : Participant Pat performed action of
// join call".
func parseWebApp(r *Record, message string) {
	session, remainder := parseGUID(after(message, "Session:"))
	rest := after(remainder, "Participant ")
	at := strings.LastIndex(rest, " performed action of ")
	if session == "" || at < 0 {
		return
	}
	r.Kind = KindWebApp
	r.putText(names.WebAppSession, session)
	r.putWithoutSecrets(names.WebAppParticipant, rest[:at])
	r.putWithoutSecrets(names.WebAppAction, strings.TrimSpace(rest[at+len(" performed action of "):]))
}
