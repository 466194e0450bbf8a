// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// Address is Text for the address of a party, such as a value of remoteParty. In
// an address user:password@host is recognized without a scheme too: Call Bridges
// leave "sip:" out. In other text the word before a colon may be anything (an id of
// a SIP call, a label), so Text recognizes a password by its scheme, or in an
// element that [IsAddress] knows.
func Address(text string) string {
	if !MayHoldSecret(text) {
		return text
	}
	return replaced(text, newSpans(text, true))
}

// addressNames are elements of a leg whose value is the address of a party.
var addressNames = [...]string{"remoteparty", "originalremoteparty", "localaddress"}

// IsAddress tells whether an element of this name holds an address, in any case of
// letters.
func IsAddress(name string) bool {
	for _, known := range addressNames {
		if len(name) == len(known) && equalLower(name, known) {
			return true
		}
	}
	return false
}

// bareSchemes stand before an address. All but mailto, xmpp, im and pres may be
// followed by a user with a password, which name takes; RFC 3966 gives tel no user,
// but dial plans prefix whole SIP addresses with it. A user with the name of a
// scheme keeps a password.
var bareSchemes = [...]string{"sip", "sips", "h323", "tel", "mailto", "xmpp", "im", "pres"}

// isAddressElement tells whether a tag is the start tag of an element that holds
// an address.
func (f *finder) isAddressElement(n tagName) bool {
	for _, known := range addressNames {
		if behind, ok := f.hasName(n.local, known); ok && behind == n.end {
			return true
		}
	}
	return false
}

// hasName is hasText in any case of letters.
func (f *finder) hasName(i int, name string) (behind int, ok bool) {
	for k := range len(name) {
		c, next := f.look(i)
		if lower(c) != name[k] {
			return i, false
		}
		i = next
	}
	return i, true
}

// bare takes the password of an address without a scheme, which begins at i. An
// address that the end of the text may have cut off loses what follows its user.
func (f *finder) bare(i int, mayBeCut bool) {
	i, _ = f.skipBlanks(i)
	if behind, ok := f.hasText(i, "<![CDATA["); ok {
		i = behind
	}
	password, ok := f.bareUser(i)
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
		f.found(password, at, Mark)
	case mayBeCut && f.cutPassword(password, i):
		f.found(password, i, Mark)
	}
}

// bareUser returns where the password behind the user at i begins.
func (f *finder) bareUser(i int) (password int, ok bool) {
	begin := i
	for i < len(f.text) {
		c, next := f.at(i)
		if bareUserEnds[c] && !f.isPlus(i, c) {
			if after, _ := f.look(next); c != ':' || i == begin || after == '/' {
				return 0, false
			}
			for _, scheme := range bareSchemes {
				if behind, ok := f.hasName(begin, scheme); ok && behind == i {
					return 0, false
				}
			}
			return next, true
		}
		i = next
	}
	return 0, false
}

// bareUserEnds end the user of an address. "a=b:c" and "a/b:c" are no users.
var bareUserEnds = charset(blanks + `"'<>:@=&/?[`)
