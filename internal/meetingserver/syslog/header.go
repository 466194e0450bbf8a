// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"
	"time"
)

// Form is the format of the beginning of a line.
type Form uint8

// The forms. FormUnknown is a line without a date. FormDamaged is a line with an
// unreadable date but a readable facility and severity.
const (
	FormUnknown Form = iota
	FormDamaged
	FormBSD    // "Jul  3 15:01:22.811"
	FormISO    // "2024-03-05T16:50:25.736", with or without a zone
	FormExport // the web admin's "2024-03-06  12:36:05.737  Info  call 49: ..."

	formVersioned // RFC 5424, to which a relay may convert any other form
)

// Header is the part of a line in front of the message. A missing part is "" or zero;
// a missing Priority is -1.
type Header struct {
	Form Form
	// Priority is the number in angle brackets: 8 times the facility plus the severity.
	Priority int
	// Facility and Severity are from the text "user.info", else from Priority.
	Facility, Severity string
	// Time is in the zone of the line, else in the configured zone.
	Time time.Time
	// Host is the name of the writer. Container is the short id of its container, if any.
	Host, Container string
	// Tag is the name of the process, such as "host:server", PID its number.
	Tag, PID string
	// Level is the word in front of the message, as written: "INFO".
	Level string
}

// headerParser parses headers.
type headerParser struct {
	location *time.Location
}

// maxHeaderField is the longest host, tag or level, in bytes: host names have at most 255.
// A longer word belongs to the message.
const maxHeaderField = 255

// parse splits a line into header and message. The message keeps its leading blanks. A
// line of an unknown form is all message.
func (p *headerParser) parse(line string, now time.Time) (h Header, message string) {
	h.Priority = -1
	rest := cutEditorNumber(line)
	rest, h.Priority = cutPriority(rest)
	h.Facility, h.Severity = splitPriority(h.Priority)
	afterDate, timestamp, form := p.cutDate(rest, now)
	if form == FormUnknown {
		if remainder, facility, severity, found := findFacility(rest); found {
			h.Form, h.Facility, h.Severity = FormDamaged, facility, severity
			return h, h.cutSender(remainder)
		}
		return h, rest
	}
	h.Form, h.Time = form, timestamp
	if form == formVersioned {
		h.Form = FormISO
		return h, h.cutVersioned(afterDate)
	}
	if word, _ := cutWord(afterDate); form == FormExport && isLevelInAnyCase(word) {
		return h, h.cutLevel(afterDate)
	}
	if remainder, facility, severity, found := cutFacility(afterDate); found {
		h.Facility, h.Severity = facility, severity
		afterDate = remainder
	}
	return h, h.cutSender(afterDate)
}

// cutSender parses "host [container] tag[pid]: LEVEL :" and returns the message.
func (h *Header) cutSender(rest string) string {
	word, remainder := cutWord(rest)
	if !isTag(word) && word != "" && len(word) <= maxHeaderField {
		h.Host, rest = word, remainder
		word, remainder = cutWord(rest)
	}
	if isContainer(word) {
		if next, afterTag := cutWord(remainder); isTag(next) {
			h.Container, word, remainder = word, next, afterTag
		}
	}
	if !isTag(word) {
		return h.cutLevel(rest)
	}
	h.Tag, h.PID = splitTag(word)
	return h.cutLevel(remainder)
}

// cutVersioned parses "host tag pid message-id structured-data" of RFC 5424, where "-" is
// a missing part, and returns the message.
func (h *Header) cutVersioned(rest string) string {
	for _, to := range [...]*string{&h.Host, &h.Tag, &h.PID, nil} {
		word, remainder := cutWord(rest)
		if len(word) > maxHeaderField {
			return rest
		}
		if rest = remainder; to != nil && word != "-" {
			*to = strings.TrimSuffix(word, ":")
		}
	}
	return h.cutLevel(strings.TrimPrefix(cutStructuredData(skipBlanks(rest)), " "))
}

// cutStructuredData removes "-" or "[id name=\"value\"][...]" from the front.
func cutStructuredData(rest string) string {
	if remainder, none := strings.CutPrefix(rest, "-"); none {
		return remainder
	}
	quoted := false
	for i := 0; i < len(rest) && rest[0] == '['; i++ {
		switch c := rest[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted && !strings.HasPrefix(rest[i+1:], "["):
			return rest[i+1:]
		}
	}
	return rest
}

// isTag reports whether a word is a tag: it ends in a colon.
func isTag(word string) bool {
	return len(word) > 1 && len(word) <= maxHeaderField && word[len(word)-1] == ':'
}

// splitTag splits "postgres[54639]:".
func splitTag(word string) (tag, pid string) {
	tag = word[:len(word)-1]
	open := strings.IndexByte(tag, '[')
	if open <= 0 || tag[len(tag)-1] != ']' || !isDigits(tag[open+1:len(tag)-1]) {
		return tag, ""
	}
	return tag[:open], tag[open+1 : len(tag)-1]
}

// isContainer reports whether a word is the id of a container, short or long.
func isContainer(word string) bool {
	if len(word) != 12 && len(word) != 64 {
		return false
	}
	for i := range len(word) {
		if c := word[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// cutLevel parses "INFO    :" in front of a message; the colon may be missing.
func (h *Header) cutLevel(rest string) string {
	word, remainder := cutWord(rest)
	colon := strings.HasSuffix(word, ":")
	name := strings.TrimSuffix(word, ":")
	if _, known := severityByLevel[name]; !known && (h.Form != FormExport || !isLevelInAnyCase(name)) {
		return rest
	}
	h.Level = name
	if !colon {
		if after := skipBlanks(remainder); strings.HasPrefix(after, ":") {
			remainder = after[1:]
		}
	}
	return remainder
}

// severityByLevel are the words that processes write in front of a message.
var severityByLevel = map[string]Severity{
	"TRACE": SeverityDebug, "DEBUG": SeverityDebug, "INFO": SeverityInfo, "NOTICE": SeverityInfo, "WARNING": SeverityWarn, "WARN": SeverityWarn,
	"ERROR": SeverityError, "ERR": SeverityError, "SEVERE": SeverityError, "FATAL": SeverityFatal, "CRITICAL": SeverityFatal,
}

// isLevelInAnyCase is for exports of the web admin, which writes "Info".
func isLevelInAnyCase(name string) bool {
	_, known := severityByLevel[strings.ToUpper(name)]
	return known
}

// cutEditorNumber removes "Line 217708: ", which editors put in front of search results.
func cutEditorNumber(line string) string {
	rest, found := strings.CutPrefix(skipBlanks(line), "Line ")
	if !found {
		return line
	}
	number, remainder := cutWord(rest)
	if isTag(number) && isDigits(number[:len(number)-1]) {
		return remainder
	}
	return line
}

// maxPriority is facility 23, severity 7.
const maxPriority = 23*8 + 7

// cutPriority parses "<14>".
func cutPriority(line string) (rest string, priority int) {
	rest = skipBlanks(line)
	if !strings.HasPrefix(rest, "<") {
		return line, -1
	}
	end := strings.IndexByte(rest[:min(len(rest), 5)], '>')
	if end < 2 || !isDigits(rest[1:end]) {
		return line, -1
	}
	for _, c := range []byte(rest[1:end]) {
		priority = priority*10 + int(c-'0')
	}
	if priority > maxPriority {
		return line, -1
	}
	return rest[end+1:], priority
}

var facilities = [...]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

var severities = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func splitPriority(priority int) (facility, severity string) {
	if priority < 0 {
		return "", ""
	}
	return facilities[priority/8], severities[priority%8]
}

// cutFacility parses "user.info".
func cutFacility(rest string) (remainder, facility, severity string, found bool) {
	word, remainder := cutWord(rest)
	facility, severity, found = strings.Cut(word, ".")
	if !found {
		return rest, "", "", false
	}
	facility, known := parseFacility(facility)
	severity, knownSeverity := parseSeverity(severity)
	return remainder, facility, severity, known && knownSeverity
}

func parseFacility(word string) (string, bool) {
	for _, facility := range facilities {
		if word == facility {
			return facility, true
		}
	}
	return "", false
}

func parseSeverity(word string) (string, bool) {
	switch word { // deprecated names of syslog
	case "error":
		return "err", true
	case "warn":
		return "warning", true
	case "panic":
		return "emerg", true
	}
	for _, severity := range severities {
		if word == severity {
			return severity, true
		}
	}
	return "", false
}

// maxDamagedWords is the largest number of words of a damaged date that are skipped in
// the search for a facility.
const maxDamagedWords = 5

// findFacility searches for "user.info" behind an unreadable date.
func findFacility(rest string) (remainder, facility, severity string, found bool) {
	for range maxDamagedWords {
		if remainder, facility, severity, found = cutFacility(rest); found {
			return remainder, facility, severity, true
		}
		if _, rest = cutWord(rest); rest == "" {
			break
		}
	}
	return "", "", "", false
}

// cutWord returns the first word and the text behind it, with its leading blanks.
func cutWord(text string) (word, remainder string) {
	text = skipBlanks(text)
	for i := range len(text) {
		if isBlank(text[i]) {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

func skipBlanks(text string) string {
	for i := range len(text) {
		if !isBlank(text[i]) {
			return text[i:]
		}
	}
	return ""
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
