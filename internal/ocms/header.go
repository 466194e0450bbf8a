// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "strings"

// IsLoggingXML reports whether a line comes from an XML log of java.util.logging, which
// release 10g R3 writes (E12656): one element per line.
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

// SyslogHeader is the part of a syslog message in front of the event.
type SyslogHeader struct {
	// Text is the whole header.
	Text string
	// Host is the host name in the header, or "": Log4j writes one only if the
	// appender's Header is set.
	Host string
}

// maxHeaderBytes is the longest header that is searched for the event, in bytes.
const maxHeaderBytes = 1024

// CutSyslogHeader separates an event from the header that syslog appenders and relays
// put in front of it: priority, date, host and tag (RFC 3164), or the fields of
// RFC 5424. The event begins with the first word of the form key= outside the brackets
// of structured data. Without such a word, line is the whole text.
func CutSyslogHeader(text string) (header SyslogHeader, line string) {
	start := 0
	if strings.HasPrefix(text, "<") {
		if end := strings.IndexByte(text, '>'); end > 0 && end <= len("<191") {
			start = end + 1
		}
	}
	at, depth := start, 0
	for {
		if _, ok := parseNameAt(text, at); ok && depth == 0 {
			header = SyslogHeader{Text: text[:at], Host: findHost(text[start:at])}
			return header, text[at:]
		}
		for {
			if at++; at >= len(text) || at > maxHeaderBytes {
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

// findHost returns the word behind the date of a header without priority, such as
// "Jun 10 09:00:03 host" and "1 2024-06-10T09:00:03Z host app - - -".
func findHost(header string) string {
	words := strings.Fields(header)
	for i, word := range words {
		isTime := strings.Count(word, ":") >= 2 && word[0] >= '0' && word[0] <= '9'
		if isTime && i+1 < len(words) && words[i+1] != "-" {
			return strings.TrimSuffix(words[i+1], ":")
		}
	}
	return ""
}
