// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// colon takes the user information of a URL whose scheme ends at the offset.
func (f *finder) colon(colon int) {
	from, ok := f.authority(colon)
	if !ok {
		_, f.position = f.at(colon)
		return
	}
	f.position = from
	first, _ := f.look(from)
	end, at, port := from, -1, -1
	for end < len(f.text) {
		c, next := f.at(end)
		if authorityEnds[c] && !f.isPlus(end, c) {
			break
		}
		switch {
		case c == '@':
			at = end // the last one: a password may hold an @ itself
		case c == ':' && port < 0:
			port = next
		}
		end = next
	}
	switch {
	case at >= 0:
		f.found(from, at, Mark)
	case first != '[' && f.cutPassword(port, end):
		f.found(from, end, Mark)
	}
}

// cutPassword tells whether what follows the colon of a host at the end of the text
// is no port, but a password whose @ was cut off.
func (f *finder) cutPassword(from, end int) bool {
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

// authority returns where the authority of a URL begins, behind "://".
func (f *finder) authority(colon int) (from int, ok bool) {
	_, i := f.at(colon)
	for range 2 {
		c, next := f.look(i)
		if c != '/' {
			return 0, false
		}
		i = next
	}
	return i, true
}

// streamKey takes all that follows the host of a URL of a stream.
func (f *finder) streamKey(colon int) {
	from, ok := f.authority(colon)
	if !ok {
		return
	}
	path := f.skipTo(from, authorityEnds)
	f.found(path, f.skipTo(path, urlEnds), "/"+Mark)
}

// sip takes the password of a SIP URI: the user stays. The password ends before
// the last @ of the URI without its parameters.
func (f *finder) sip(colon int) {
	if _, ok := f.authority(colon); ok {
		f.colon(colon)
		return
	}
	_, i := f.at(colon)
	f.position = i
	if i < f.noAt {
		return
	}
	first, _ := f.look(i)
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
		f.found(password, at, Mark)
	case first != '[' && f.cutPassword(password, i):
		f.found(password, i, Mark)
	default:
		f.noAt = i
	}
}
