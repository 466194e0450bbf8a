// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// Address is Text for the address of a party, such as a value of remoteParty. It also
// recognizes user:password@host without a scheme, because Call Bridges omit "sip:". In other
// text the word before a colon can be anything (a SIP call id, a label). Text therefore
// recognizes a password by its scheme, or in an element that [IsAddress] knows.
func Address(text string) string {
	if !MayHoldSecret(text) {
		return text
	}
	return replaceSecrets(text, newSecrets(text, true))
}

// addressNames are the elements of a leg whose value is the address of a party.
var addressNames = [...]string{"remoteparty", "originalremoteparty", "localaddress"}

// IsAddress reports whether an element with this name holds an address, in any case of
// letters.
func IsAddress(name string) bool {
	for _, known := range addressNames {
		if len(name) == len(known) && equalLower(name, known) {
			return true
		}
	}
	return false
}

// bareSchemes may precede an address. scanName handles a user with a password behind all of
// them except mailto, xmpp, im and pres. RFC 3966 gives tel no user, but dial plans prefix
// whole SIP addresses with it. The password of a user named like a scheme is not
// recognized.
var bareSchemes = [...]string{"sip", "sips", "h323", "tel", "mailto", "xmpp", "im", "pres"}

// isAddressElement reports whether a start tag is that of an element with an address.
func (f *finder) isAddressElement(n tagName) bool {
	for _, known := range addressNames {
		if behind, ok := f.hasTextFold(n.local, known); ok && behind == n.end {
			return true
		}
	}
	return false
}

// hasTextFold is hasText in any case of letters.
func (f *finder) hasTextFold(i int, name string) (behind int, ok bool) {
	for k := range len(name) {
		c, next := f.atOrZero(i)
		if lower(c) != name[k] {
			return i, false
		}
		i = next
	}
	return i, true
}

// scanBareAddress redacts the password of the address without a scheme at i. If the end of
// the text may have cut off the address, it redacts everything after the user.
func (f *finder) scanBareAddress(i int, mayBeCut bool) {
	i, _ = f.skipBlanks(i)
	if behind, ok := f.hasText(i, "<![CDATA["); ok {
		i = behind
	}
	password, ok := f.skipBareUser(i)
	if !ok {
		return
	}
	at := -1
	for i = password; i < len(f.text); {
		c, next := f.at(i)
		if urlEnds[c] && !f.isPlus(i, c) || at >= 0 && (c == ';' || c == '?' || c == '/') {
			break
		}
		if c == '@' {
			at = i
		}
		i = next
	}
	switch {
	case at >= 0:
		f.addSecret(password, at, Mark)
	case mayBeCut && f.isCutPassword(password, i):
		f.addSecret(password, i, Mark)
	}
}

// skipBareUser returns the offset of the password behind the user at i.
func (f *finder) skipBareUser(i int) (password int, ok bool) {
	begin := i
	for i < len(f.text) {
		c, next := f.at(i)
		if bareUserEnds[c] && !f.isPlus(i, c) {
			if after, _ := f.atOrZero(next); c != ':' || i == begin || after == '/' {
				return 0, false
			}
			for _, scheme := range bareSchemes {
				if behind, ok := f.hasTextFold(begin, scheme); ok && behind == i {
					return 0, false
				}
			}
			return next, true
		}
		i = next
	}
	return 0, false
}

// bareUserEnds end the user of an address. "a=b:c" and "a/b:c" have no user.
var bareUserEnds = charset(blanks + `"'<>:@=&/?[`)
