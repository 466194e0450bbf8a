// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"fmt"
	"net/url"
	"strings"
)

// CheckPath returns an error if a configured path is invalid. The error shows only plain
// words of the path, because people put secrets into the rest.
func CheckPath(path string) error {
	maskedPath := maskWords(path, false)
	switch {
	case strings.ContainsAny(path, "?#"):
		return fmt.Errorf("path must start with / and have no query or fragment, got %q with one: leave it out, every query is accepted", maskedPath)
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("path must start with / and have no query or fragment, got %q", maskedPath)
	}
	if _, err := url.PathUnescape(path); err != nil {
		return fmt.Errorf("path must have two hexadecimal digits after each %%, got %q: write %% itself as %%25", maskedPath)
	}
	return nil
}

// MaskPath returns a path for the log. The default path is no secret. In any other path it
// masks the last segment and each segment that is not a short plain word, because they may
// be secrets.
func MaskPath(path, defaultPath string) string {
	if path == defaultPath {
		return path
	}
	return maskWords(path, true)
}

// mask replaces a segment.
const mask = "***"

func maskWords(path string, maskLast bool) string {
	if n := strings.IndexAny(path, "?#"); n >= 0 {
		path = path[:n]
	}
	segments := strings.Split(path, "/")
	last := len(strings.Split(strings.TrimRight(path, "/"), "/")) - 1
	for i, segment := range segments {
		if segment != "" && (maskLast && i == last || !isWord(segment)) {
			segments[i] = mask
		}
	}
	return strings.Join(segments, "/")
}

func isWord(segment string) bool {
	const longest = 12
	return len(segment) <= longest && strings.Trim(segment, "abcdefghijklmnopqrstuvwxyz") == ""
}

// path is the configured path. It compares equal to each way of escaping it, and to itself
// with a slash at the end, because people register /cdr/ for /cdr. A mux would redirect
// instead, and a sender may not follow.
type path struct {
	unescaped string // "" if the path has escapes
	canonical string
}

func newPath(configured string) path {
	result := path{canonical: canonical(configured)}
	if plain, err := url.PathUnescape(configured); err == nil && plain == configured {
		result.unescaped = plain
	}
	return result
}

func (p *path) matchesURL(u *url.URL) bool {
	if u.RawPath == "" && u.Path == p.unescaped {
		return true
	}
	return canonical(u.EscapedPath()) == p.canonical
}

// canonical returns a path with each segment escaped in one way. An escaped slash stays
// escaped.
func canonical(escaped string) string {
	if escaped != "/" {
		escaped = strings.TrimSuffix(escaped, "/")
	}
	segments := strings.Split(escaped, "/")
	for i, segment := range segments {
		if text, err := url.PathUnescape(segment); err == nil {
			segments[i] = url.PathEscape(text)
		}
	}
	return strings.Join(segments, "/")
}
