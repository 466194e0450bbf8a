// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "strings"

// IsLoggingXML tells whether a line is of a file that java.util.logging writes, as
// release 10g R3 does (E12656): XML, with one element a line.
func IsLoggingXML(line string) bool {
	line = strings.TrimLeft(line, "\ufeff \t")
	if !strings.HasPrefix(line, "<") {
		return false
	}
	name := strings.TrimPrefix(line[1:], "/")
	if end := strings.IndexAny(name, "> /\t\r\n"); end >= 0 {
		name = name[:end]
	}
	switch name {
	case "?xml", "!DOCTYPE", "log", "record", "date", "millis", "nanos", "sequence", "logger", "level", "class", "method", "thread",
		"message", "key", "catalog", "param", "exception", "frame", "line":
		return true
	default:
		return false
	}
}

// SyslogHeader is what of a syslog header is read.
type SyslogHeader struct {
	// Text is all in front of the event.
	Text string
	// Host is the sender by its own name, "" if the header has none: Log4j writes
	// one only if its appender's Header is set.
	Host string
}

// maxHeader bounds where the event begins, in bytes.
const maxHeader = 1024

// CutSyslogHeader cuts what a syslog appender and relays put in front of an
// event: a priority, a date, a host, a tag (RFC 3164), or RFC 5424's fields. The
// event begins with the first word that has the form key=, outside the brackets of
// structured data. Without such a word there is no event, and the line is as it was.
func CutSyslogHeader(text string) (header SyslogHeader, line string) {
	start := 0
	if strings.HasPrefix(text, "<") {
		if end := strings.IndexByte(text, '>'); end > 0 && end <= len("<191") {
			start = end + 1
		}
	}
	at, depth := start, 0
	for {
		if _, ok := nameAt(text, at); ok && depth == 0 {
			header = SyslogHeader{Text: text[:at], Host: hostOf(text[start:at])}
			return header, text[at:]
		}
		for {
			if at++; at >= len(text) || at > maxHeader {
				return SyslogHeader{}, text
			}
			if c := text[at-1]; c == '[' {
				depth++
			} else if c == ']' && depth > 0 {
				depth--
			} else if c == ' ' {
				break
			}
		}
	}
}

// hostOf returns the host of a header without its priority: the word behind the
// date. "Jun 10 09:00:03 host", "1 2024-06-10T09:00:03Z host app - - -".
func hostOf(header string) string {
	words := strings.Fields(header)
	for i, word := range words {
		isTime := strings.Count(word, ":") >= 2 && word[0] >= '0' && word[0] <= '9'
		if isTime && i+1 < len(words) && words[i+1] != "-" {
			return strings.TrimSuffix(words[i+1], ":")
		}
	}
	return ""
}
