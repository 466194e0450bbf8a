// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"strconv"
	"strings"
)

// URI is a SIP URI (RFC 3261, 19.1.1) in its parts. Of any other scheme only Text
// and Scheme are set.
type URI struct {
	// Text is all of it.
	Text string
	// Scheme in lower case for sip and sips, as written for others.
	Scheme string
	// User without a password.
	User string
	// Host without brackets.
	Host string
	Port int // 0 if it has none
}

// ParseURI reads a URI. It is not ok if there is no scheme.
func ParseURI(text string) (u URI, ok bool) {
	u.Text = text
	colon := strings.IndexByte(text, ':')
	if colon <= 0 || !isScheme(text[:colon]) {
		return u, false
	}
	u.Scheme = text[:colon]
	switch {
	case strings.EqualFold(u.Scheme, "sip"):
		u.Scheme = "sip"
	case strings.EqualFold(u.Scheme, "sips"):
		u.Scheme = "sips"
	default:
		return u, len(text) > colon+1
	}
	rest := text[colon+1:]
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		u.User, _, _ = strings.Cut(rest[:at], ":")
		rest = rest[at+1:]
	}
	if end := strings.IndexAny(rest, ";?"); end >= 0 {
		rest = rest[:end]
	}
	u.Host, u.Port, ok = parseHostPort(rest)
	return u, ok && u.Host != ""
}

func isScheme(text string) bool {
	if !isLetter(text[0]) {
		return false
	}
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// parseHostPort reads host, host:port, [address] or [address]:port.
func parseHostPort(text string) (host string, port int, ok bool) {
	text = strings.TrimSpace(text)
	if rest, bracketed := strings.CutPrefix(text, "["); bracketed {
		host, rest, ok = strings.Cut(rest, "]")
		if !ok {
			return "", 0, false
		}
		if rest == "" {
			return host, 0, true
		}
		text, ok = strings.CutPrefix(rest, ":")
		if !ok {
			return host, 0, false
		}
		port, ok = parsePort(text)
		return host, port, ok
	}
	host, digits, hasPort := strings.Cut(text, ":")
	if !hasPort {
		return text, 0, true
	}
	port, ok = parsePort(digits)
	return host, port, ok
}

func parsePort(text string) (port int, ok bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	return int(n), err == nil
}
