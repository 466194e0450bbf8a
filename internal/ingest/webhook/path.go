// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"fmt"
	"net/url"
	"strings"
)

// CheckPath returns what is wrong with a configured path. The error shows of it
// plain words alone, and neither query nor fragment: people put secrets there.
func CheckPath(path string) error {
	shown := showWords(path, false)
	switch {
	case strings.ContainsAny(path, "?#"):
		return fmt.Errorf("path must start with / and have no query or fragment, got %q with one: leave it out, every query is accepted", shown)
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("path must start with / and have no query or fragment, got %q", shown)
	}
	if _, err := url.PathUnescape(path); err != nil {
		return fmt.Errorf("path must have two hexadecimal digits after each %%, got %q: write %% itself as %%25", shown)
	}
	return nil
}

// MaskPath returns of a path what may be logged whenever a stranger asks. The
// default path is no secret. Of any other the last segment may be one, and any
// segment that is not a short plain word: of those nothing is shown.
func MaskPath(path, defaultPath string) string {
	if path == defaultPath {
		return path
	}
	return showWords(path, true)
}

// masked stands for a segment that is not shown.
const masked = "***"

func showWords(path string, maskLast bool) string {
	if n := strings.IndexAny(path, "?#"); n >= 0 {
		path = path[:n]
	}
	segments := strings.Split(path, "/")
	last := len(strings.Split(strings.TrimRight(path, "/"), "/")) - 1
	for i, segment := range segments {
		if segment != "" && (maskLast && i == last || !isWord(segment)) {
			segments[i] = masked
		}
	}
	return strings.Join(segments, "/")
}

func isWord(segment string) bool {
	const longest = 12
	return len(segment) <= longest && strings.Trim(segment, "abcdefghijklmnopqrstuvwxyz") == ""
}

// path is a path to compare others with. Escapes of one character are equal,
// whichever way they are written, and so is a slash at the end: people register
// /cdr/ for /cdr. A mux would redirect instead, and a sender need not follow.
type path struct {
	plain     string // as a request has it that needs no escapes
	canonical string
}

func newPath(configured string) path {
	p := path{canonical: canonical(configured)}
	if plain, err := url.PathUnescape(configured); err == nil && plain == configured {
		p.plain = plain
	}
	return p
}

func (p *path) matches(u *url.URL) bool {
	if u.RawPath == "" && u.Path == p.plain {
		return true
	}
	return canonical(u.EscapedPath()) == p.canonical
}

// canonical writes each segment's escapes in one way. An escaped slash does not
// become one that separates.
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
