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

// receiverURI is a normalized URI of a CDR receiver. Servers rewrite a URI: they change the
// case of scheme and host, add or remove the default port, add white space or a slash, and
// escape characters more or less often.
type receiverURI struct {
	// target is scheme, host, port and path.
	target string
	// query has the decoded and sorted pairs of the query.
	query string
	// user is the user information, which servers may hide.
	user string
}

// maxUnescape is how often a text is unescaped at most: each system on the way may have escaped
// it once more.
const maxUnescape = 3

// parseReceiverURI normalizes a URI. ok is false if the text is not an absolute URL.
func parseReceiverURI(text string) (normal receiverURI, ok bool) {
	text = withoutSpace(unescapeRepeatedly(text, unescapeXML))
	if !strings.Contains(text, "://") {
		text = unescapeRepeatedly(text, unescapePercent)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return receiverURI{}, false
	}
	path := withoutSpace(unescapeRepeatedly(u.EscapedPath(), unescapePercent))
	scheme := strings.ToLower(u.Scheme)
	normal.target = scheme + "://" + normalHost(scheme, u) + strings.TrimRight(path, "/")
	normal.query = normalQuery(u.RawQuery)
	if u.User != nil {
		normal.user = u.User.String()
	}
	return normal, true
}

// matches reports whether two URIs are the same registration. Another query is another
// registration: it distinguishes Collectors behind one address.
func (u receiverURI) matches(other receiverURI) bool {
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
			return withoutSpace(unescapeRepeatedly(strings.ReplaceAll(text, "+", " "), unescapePercent))
		}
		pairs = append(pairs, url.QueryEscape(decode(key))+"="+url.QueryEscape(decode(value)))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func unescapeRepeatedly(text string, unescape func(string) string) string {
	for range maxUnescape {
		next := unescape(text)
		if next == text {
			break
		}
		text = next
	}
	return text
}

// unescapePercent returns text with a broken escape unchanged.
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
