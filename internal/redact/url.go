// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// scanUserInfo redacts the user information of a URL whose scheme ends at colon.
func (f *finder) scanUserInfo(colon int) {
	from, ok := f.authority(colon)
	if !ok {
		_, f.position = f.at(colon)
		return
	}
	f.position = from
	first, _ := f.atOrZero(from)
	end, at, port := from, -1, -1
	for end < len(f.text) {
		c, next := f.at(end)
		if authorityEnds[c] && !f.isPlus(end, c) {
			break
		}
		switch {
		case c == '@':
			at = end // the last @, because a password may contain one
		case c == ':' && port < 0:
			port = next
		}
		end = next
	}
	switch {
	case at >= 0:
		f.addSecret(from, at, Mark)
	case first != '[' && f.isCutPassword(port, end):
		f.addSecret(from, end, Mark)
	}
}

// isCutPassword reports whether the text between a host's colon and the end of the text is
// a password whose @ was cut off, rather than a port.
func (f *finder) isCutPassword(from, end int) bool {
	if from < 0 || end < len(f.text) {
		return false
	}
	for from < end {
		c, next := f.at(from)
		if c < '0' || c > '9' {
			return true
		}
		from = next
	}
	return false
}

// authority returns the offset of a URL's authority, behind "://".
func (f *finder) authority(colon int) (from int, ok bool) {
	_, i := f.at(colon)
	for range 2 {
		c, next := f.atOrZero(i)
		if c != '/' {
			return 0, false
		}
		i = next
	}
	return i, true
}

// scanStreamKey redacts everything behind the host of a stream's URL.
func (f *finder) scanStreamKey(colon int) {
	from, ok := f.authority(colon)
	if !ok {
		return
	}
	path := f.skipTo(from, authorityEnds)
	f.addSecret(path, f.skipTo(path, urlEnds), "/"+Mark)
}

// scanSIP redacts the password of a SIP URI and keeps the user. The password ends before
// the last @ of the URI without its parameters.
func (f *finder) scanSIP(colon int) {
	if _, ok := f.authority(colon); ok {
		f.scanUserInfo(colon)
		return
	}
	_, i := f.at(colon)
	f.position = i
	if i < f.sipSearchedTo {
		return
	}
	first, _ := f.atOrZero(i)
	password, at := -1, -1
	for i < len(f.text) {
		c, next := f.at(i)
		if urlEnds[c] && !f.isPlus(i, c) || at >= 0 && (c == ';' || c == '?' || c == '/') {
			break
		}
		switch {
		case c == ':' && password < 0:
			password = next
		case c == '@' && password < 0:
			return // a user and no password
		case c == '@':
			at = i
		}
		i = next
	}
	switch {
	case at >= 0:
		f.addSecret(password, at, Mark)
	case first != '[' && f.isCutPassword(password, i):
		f.addSecret(password, i, Mark)
	default:
		f.sipSearchedTo = i
	}
}
