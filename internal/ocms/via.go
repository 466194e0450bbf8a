// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"math"
	"strings"
)

// MaxHops is the largest number of hops that are decoded of one Via; a request with more
// is in a loop (Max-Forwards is 70).
const MaxHops = 128

// Hop is one value of Via: a host that forwarded the request (RFC 3261, 20.42).
type Hop struct {
	Text      string
	Transport string // UDP, TCP, TLS, ...
	Host      string // without brackets
	Port      int    // 0 if absent
	// Parameters is the text behind the host and its semicolon. Parameter decodes it.
	Parameters string
}

// Parameter returns the value of the first parameter with this name, in lower case, such as
// "branch" or "received"; "" without one.
func (h *Hop) Parameter(name string) string {
	for all := (parameterReader{rest: h.Parameters}); all.rest != ""; {
		if found, value := all.nextPair(); equalName(found, name) {
			return value
		}
	}
	return ""
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
	for i := 1; ; i++ {
		n := strings.IndexByte(text[i:], hopStart[0])
		if n < 0 {
			return text, ""
		}
		i += n
		if len(text)-i < len(hopStart) || text[i:i+len(hopStart)] != hopStart {
			continue
		}
		end := i - 1
		for end > 0 && isBlank(text[end]) {
			end--
		}
		if end > 0 && (text[end] == ';' || text[end] == ',') {
			return text[:end], text[i:]
		}
	}
}

// parse parses SIP/2.0/<transport> <host>[:<port>];<parameters>.
func (h *Hop) parse(text string) (ok bool) {
	h.Text = text
	const common = "SIP/2.0/"
	rest, ok := text, true
	if len(text) >= len(common) && text[:len(common)] == common {
		rest = text[len(common):]
	} else if rest, ok = strings.CutPrefix(text, hopStart); ok {
		_, rest, ok = strings.Cut(rest, "/")
	}
	blank := 0
	for blank < len(rest) && !isBlank(rest[blank]) {
		blank++
	}
	if !ok || blank == len(rest) {
		return false
	}
	h.Transport = rest[:blank]
	return h.parseSentBy(rest[blank+1:]) && h.Host != "" && h.Transport != ""
}

// parseSentBy parses <host>[:<port>];<parameters>. One loop finds the ends of host and port,
// unless the host has brackets or blanks.
func (h *Hop) parseSentBy(text string) (ok bool) {
	hostEnd := indexSeparator(text)
	if hostEnd > 0 && hostEnd < len(text) && text[0] != '[' && isVisibleASCII(text[0]) && isVisibleASCII(text[hostEnd-1]) {
		end, port, ok := hostEnd, 0, true
		if text[hostEnd] == ':' {
			for end++; end < len(text) && text[end]-'0' <= 9 && port <= math.MaxUint16; end++ {
				port = 10*port + int(text[end]-'0')
			}
			ok = end > hostEnd+1 && port <= math.MaxUint16
		}
		if ok && end < len(text) && text[end] == ';' {
			h.Host, h.Port, h.Parameters = text[:hostEnd], port, text[end+1:]
			return true
		}
	}
	text, h.Parameters, _ = strings.Cut(text, ";")
	h.Host, h.Port, ok = parseHostPort(text)
	return ok
}

// branch returns the parameter branch. It is nearly always the first one, which is checked
// first.
func (h *Hop) branch() string {
	const first = "branch="
	if all := h.Parameters; len(all) >= len(first) && all[:len(first)] == first {
		value := all[len(first):]
		if end := indexParameterEnd(value); end == len(value) || value[end] == ';' {
			return trimSpace(value[:end])
		}
	}
	return h.Parameter("branch")
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
