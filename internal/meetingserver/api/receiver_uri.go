// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// receiverURI is the URI of a CDR receiver in the form in which URIs are
// compared. Servers show a URI in other letters than they were given: they change
// the case of scheme and host, write or leave out the default port, add white
// space or a slash, and escape characters more or less often.
type receiverURI struct {
	// target is scheme, host, port and path: the endpoint that is posted to.
	target string
	// query is the query's decoded pairs, in order.
	query string
	// user is the user information. Servers may hide it.
	user string
}

// maxUnescape bounds how often a text is unescaped. Each system that a URI passes
// through may have escaped it once more.
const maxUnescape = 3

// parseReceiverURI normalizes a URI; ok is false if the text is none.
func parseReceiverURI(text string) (normal receiverURI, ok bool) {
	text = withoutSpace(untilStable(text, unescapeXML))
	if !strings.Contains(text, "://") {
		text = untilStable(text, unescapePercent)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return receiverURI{}, false
	}
	path := withoutSpace(untilStable(u.EscapedPath(), unescapePercent))
	scheme := strings.ToLower(u.Scheme)
	normal.target = scheme + "://" + normalHost(scheme, u) + strings.TrimRight(path, "/")
	normal.query = normalQuery(u.RawQuery)
	if u.User != nil {
		normal.user = u.User.String()
	}
	return normal, true
}

// same tells whether two URIs are one registration. Another query is another
// registration: Collectors behind one address are told apart by it.
func (u receiverURI) same(other receiverURI) bool {
	return u.target == other.target && u.query == other.query
}

// normalHost returns host and port of a URL with this scheme, without the
// scheme's default port.
func normalHost(scheme string, u *url.URL) string {
	host, port := strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), strings.TrimLeft(u.Port(), "0")
	if address, err := netip.ParseAddr(host); err == nil {
		host = address.String()
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return host
	}
	return host + ":" + port
}

// normalQuery decodes the pairs of a query and sorts them.
func normalQuery(raw string) string {
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key == "" && value == "" {
			continue
		}
		decode := func(text string) string {
			return withoutSpace(untilStable(strings.ReplaceAll(text, "+", " "), unescapePercent))
		}
		pairs = append(pairs, url.QueryEscape(decode(key))+"="+url.QueryEscape(decode(value)))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func untilStable(text string, unescape func(string) string) string {
	for range maxUnescape {
		next := unescape(text)
		if next == text {
			break
		}
		text = next
	}
	return text
}

// unescapePercent leaves text with a broken escape as it is.
func unescapePercent(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// unescapeXML knows the entities of XML only: those of HTML may lack their
// semicolon and would take "&copy=1" for a sign.
func unescapeXML(text string) string { return xmlEntities.Replace(text) }

var xmlEntities = strings.NewReplacer(
	"&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'",
	"&#38;", "&", "&#x26;", "&", "&#X26;", "&", "&#58;", ":", "&#x3A;", ":", "&#x3a;", ":",
	"&#47;", "/", "&#x2F;", "/", "&#x2f;", "/", "&#63;", "?", "&#x3F;", "?", "&#x3f;", "?",
	"&#61;", "=", "&#x3D;", "=", "&#x3d;", "=",
)

// withoutSpace removes white space and control characters: a URI has none.
func withoutSpace(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}
