// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "strings"

// MaxHops is the largest number of hops that are decoded of one Via; a request with more
// is in a loop (Max-Forwards is 70).
const MaxHops = 128

// Hop is one value of Via: a host that forwarded the request (RFC 3261, 20.42).
type Hop struct {
	Text      string
	Transport string // UDP, TCP, TLS, ...
	Host      string // without brackets
	Port      int    // 0 if absent
	Branch    string
	Received  string // source address of the request, if it differs from Host
}

// ParseVia appends the hops of a value, the topmost first. OCMS joins hops with a
// semicolon and possibly a blank, SIP stacks with commas. A separator in front of "SIP/"
// begins a hop; other semicolons begin parameters. ok is false if a hop could not be
// parsed, truncated is true beyond MaxHops.
func ParseVia(value string, hops []Hop) (all []Hop, truncated, ok bool) {
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

// cutHop splits a value in front of its second hop.
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

// parse parses SIP/2.0/<transport> <host>[:<port>];<parameters>.
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

// parseParameters sets Branch and Received. Names in lower case without blanks, which
// nearly all stacks write, are compared first.
func (h *Hop) parseParameters(text string) {
	for all := newParameterReader(text); all.rest != ""; {
		switch one := all.nextText(); {
		case len(one) >= 7 && one[:7] == "branch=":
			h.Branch = trimSpace(one[7:])
		case len(one) >= 9 && one[:9] == "received=":
			h.Received = trimSpace(one[9:])
		case one == "rport" || len(one) >= 6 && one[:6] == "rport=":
		default:
			switch name, value := splitParameter(one); {
			case equalName(name, "branch"):
				h.Branch = value
			case equalName(name, "received"):
				h.Received = value
			}
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
