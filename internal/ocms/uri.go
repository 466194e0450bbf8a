// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"math"
	"strings"

	"github.com/legato-otel/legato/internal/scan/wordscan"
)

// URI is a parsed SIP URI (RFC 3261, 19.1.1). A URI of another scheme has only Text and
// Scheme.
type URI struct {
	// Text is the whole URI.
	Text string
	// Scheme is in lower case for sip and sips, as written for others.
	Scheme string
	// User is the user part without password.
	User string
	// Host is without the brackets of IPv6.
	Host string
	Port int // 0 if absent
}

// ParseURI parses a URI. ok is false without a scheme, or if the host or port of a SIP
// URI cannot be parsed.
func ParseURI(text string) (u URI, ok bool) {
	ok = u.parse(text)
	return u, ok
}

func (u *URI) parse(text string) (ok bool) {
	u.Text = text
	const common = "sip:"
	if n := len(common); len(text) >= n && text[:n] == common {
		u.Scheme = text[:n-1]
		return u.parseParts(text[n:])
	}
	var rest string
	if u.Scheme, rest, ok = cutScheme(text); !ok || u.Scheme != "sip" && u.Scheme != "sips" {
		return ok && rest != ""
	}
	return u.parseParts(rest)
}

// parseParts parses [user[:password]@]host[:port][;parameters][?headers]. The last @
// ends the user part.
func (u *URI) parseParts(text string) (ok bool) {
	// password is the offset of the first colon, colon of the first one behind the
	// last @.
	password, at, colon, end := -1, -1, -1, len(text)
	for start := 0; start < len(text); start += wordscan.Size {
		var w uint64 // the compiler inlines wordscan.Load here, but not loadUpToWord
		if start <= len(text)-wordscan.Size {
			w = wordscan.Load(text, start)
		} else {
			w = loadUpToWord(text, start)
		}
		for marked := markSeparators(w); marked != 0; marked &= marked - 1 {
			switch i := start + firstMarked(marked); text[i] {
			case '@':
				at, colon, end = i, -1, len(text)
			case ':':
				if password < 0 {
					password = i
				}
				if colon < 0 {
					colon = i
				}
			case ';', '?':
				end = min(end, i)
			}
		}
	}
	if at >= 0 {
		u.User = text[:at]
		if password >= 0 && password < at {
			u.User = text[:password]
		}
	}
	host := text[at+1 : end]
	switch {
	case host == "":
		return false
	case host[0] == '[' || !isVisibleASCII(host[0]) || !isVisibleASCII(host[len(host)-1]):
		u.Host, u.Port, ok = parseHostPort(host)
		return ok && u.Host != ""
	case colon < 0 || colon > end:
		u.Host = host
		return true
	default:
		u.Host = text[at+1 : colon]
		u.Port, ok = parsePort(text[colon+1 : end])
		return ok && u.Host != ""
	}
}

// cutScheme splits a URI at its first colon. It returns the schemes sip and sips in
// lower case.
func cutScheme(text string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(text, ":")
	if !ok || scheme == "" || !isScheme(scheme) {
		return "", "", false
	}
	for _, known := range [...]string{"sip", "sips"} {
		if strings.EqualFold(scheme, known) {
			return known, rest, true
		}
	}
	return scheme, rest, true
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

// parseHostPort parses host, host:port, [address] or [address]:port.
func parseHostPort(text string) (host string, port int, ok bool) {
	text = trimSpace(text)
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
	for i := range len(text) {
		if text[i] == ':' {
			port, ok = parsePort(text[i+1:])
			return text[:i], port, ok
		}
	}
	return text, 0, true
}

func parsePort(text string) (port int, ok bool) {
	n, ok := parseDigits(text, math.MaxUint16)
	if !ok {
		n, ok = parseDigits(strings.TrimSpace(text), math.MaxUint16)
	}
	return int(n), ok //nolint:gosec // at most 65535
}

// parseDigits parses a decimal number without sign, at most maximum, which is not above
// MaxInt64. maximum is a constant at each call, so that no division remains.
func parseDigits(text string, maximum uint64) (n uint64, ok bool) {
	for i := range len(text) {
		digit := uint64(text[i] - '0')
		if digit > 9 || n > maximum/10 {
			return 0, false
		}
		n = 10*n + digit
	}
	if n > maximum {
		return 0, false
	}
	return n, text != ""
}
