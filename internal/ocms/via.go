// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "strings"

// MaxHops of one Via are read; a request with more is a loop (Max-Forwards is 70).
const MaxHops = 128

// Hop is one value of Via: where a request passed (RFC 3261, 20.42).
type Hop struct {
	Text      string
	Transport string // UDP, TCP, TLS, ...
	Host      string // without brackets
	Port      int    // 0 if it has none
	Branch    string
	Received  string // the address that the request came from, if it is another one
}

// ParseVia appends the hops of a value, the topmost first. OCMS joins them with a
// semicolon, with a blank or without; a stack may hand over several as one, with
// commas. Only "SIP/" behind those begins a hop: the other semicolons are those of
// parameters. It is not ok if a hop could not be read.
func ParseVia(value string, hops []Hop) (all []Hop, more, ok bool) {
	ok = true
	for rest := strings.TrimSpace(value); rest != ""; {
		if len(hops) == MaxHops {
			return hops, true, ok
		}
		var text string
		text, rest = cutHop(rest)
		hop, good := parseHop(text)
		hops = append(hops, hop)
		ok = ok && good
	}
	return hops, false, ok && len(hops) > 0
}

const hopStart = "SIP/"

// TopHop returns the first hop of a value.
func TopHop(value string) (hop Hop, ok bool) {
	text, _ := cutHop(strings.TrimSpace(value))
	return parseHop(text)
}

// cutHop cuts in front of the second hop.
func cutHop(text string) (hop, rest string) {
	for i := 1; i < len(text); {
		n := strings.Index(text[i:], hopStart)
		if n < 0 {
			break
		}
		i += n
		before := strings.TrimRight(text[:i], " \t\r\n")
		if end := len(before) - 1; end > 0 && (before[end] == ';' || before[end] == ',') {
			return before[:end], text[i:]
		}
		i += len(hopStart)
	}
	return text, ""
}

// parseHop reads SIP/2.0/<transport> <host>[:<port>];<parameters>.
func parseHop(text string) (hop Hop, ok bool) {
	hop.Text = text
	rest, ok := strings.CutPrefix(text, hopStart)
	if !ok {
		return hop, false
	}
	_, rest, hasTransport := strings.Cut(rest, "/")
	blank := strings.IndexAny(rest, " \t\r\n")
	if !hasTransport || blank < 0 {
		return hop, false
	}
	hop.Transport = rest[:blank]
	by, parameters, _ := strings.Cut(rest[blank+1:], ";")
	hop.Host, hop.Port, ok = parseHostPort(by)
	for parameters != "" {
		var one string
		one, parameters = cutParameter(parameters)
		name, value, _ := strings.Cut(strings.TrimSpace(one), "=")
		switch {
		case strings.EqualFold(name, "branch"):
			hop.Branch = value
		case strings.EqualFold(name, "received"):
			hop.Received = value
		}
	}
	return hop, ok && hop.Host != "" && hop.Transport != ""
}
