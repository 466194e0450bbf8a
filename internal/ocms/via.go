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
	for rest := trimSpace(value); rest != ""; {
		if len(hops) == MaxHops {
			return hops, true, ok
		}
		var text string
		text, rest = cutHop(rest)
		hops = append(hops, Hop{})
		ok = hops[len(hops)-1].parse(text) && ok
	}
	return hops, false, ok && len(hops) > 0
}

const hopStart = "SIP/"

// TopHop returns the first hop of a value.
func TopHop(value string) (hop Hop, ok bool) {
	text, _ := cutHop(strings.TrimSpace(value))
	ok = hop.parse(text)
	return hop, ok
}

// cutHop cuts in front of the second hop.
func cutHop(text string) (hop, rest string) {
	for i := 1; i < len(text); {
		n := strings.Index(text[i:], hopStart)
		if n < 0 {
			break
		}
		i += n
		end := i - 1
		for end > 0 && isBlank(text[end]) {
			end--
		}
		if end > 0 && (text[end] == ';' || text[end] == ',') {
			return text[:end], text[i:]
		}
		i += len(hopStart)
	}
	return text, ""
}

// parse reads SIP/2.0/<transport> <host>[:<port>];<parameters>.
func (h *Hop) parse(text string) (ok bool) {
	h.Text = text
	rest, ok := strings.CutPrefix(text, "SIP/2.0/")
	if !ok {
		if rest, ok = strings.CutPrefix(text, hopStart); ok {
			_, rest, ok = strings.Cut(rest, "/")
		}
	}
	blank := 0
	for blank < len(rest) && !isBlank(rest[blank]) {
		blank++
	}
	if !ok || blank == len(rest) {
		return false
	}
	h.Transport = rest[:blank]
	by, parameters := rest[blank+1:], ""
	if end := strings.IndexByte(by, ';'); end >= 0 {
		by, parameters = by[:end], by[end+1:]
	}
	h.Host, h.Port, ok = parseHostPort(by)
	h.parseParameters(parameters)
	return ok && h.Host != "" && h.Transport != ""
}

// parseParameters reads branch and received. Names are nearly always written in
// lower case and without blanks; those are compared as they stand.
func (h *Hop) parseParameters(text string) {
	for all := newParameters(text); all.text != ""; {
		switch one := all.cut(); {
		case len(one) >= 7 && one[:7] == "branch=":
			h.Branch = trimSpace(one[7:])
		case len(one) >= 9 && one[:9] == "received=":
			h.Received = trimSpace(one[9:])
		case one == "rport" || len(one) >= 6 && one[:6] == "rport=":
		default:
			switch name, value := splitParameter(one); {
			case isName(name, "branch"):
				h.Branch = value
			case isName(name, "received"):
				h.Received = value
			}
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
