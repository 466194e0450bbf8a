// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

// Flags say what of a line could not be read, or not be told apart.
type Flags uint32

// The flags. The line of an event with any of them is the authority.
const (
	// Ambiguous: a value holds what looks like another attribute, or an attribute
	// ends where its value is not complete.
	Ambiguous Flags = 1 << iota
	// DuplicateKey: a documented attribute occurs more than once; the first counts.
	DuplicateKey
	// UnbalancedQuote: a quote or bracket has no end; behind it only documented
	// keys separate.
	UnbalancedQuote
	// TooManyAttributes: the last attribute's value holds the rest of the line.
	TooManyAttributes
	// MethodMismatch: Method, CSeq and Service name different methods.
	MethodMismatch
	// CodeMismatch: StatusCode and Service name different codes.
	CodeMismatch
	// KindMismatch: a request has a StatusCode, or a response a RequestUri.
	KindMismatch
	// InvalidText: the line has bytes that are not UTF-8.
	InvalidText
	// BadCreationTime: absent or unreadable.
	BadCreationTime
	// BadTimeZoneOffset: unreadable, or absent where CreationTime is local.
	BadTimeZoneOffset
	// BadStatusCode: no code from 100 to 699.
	BadStatusCode
	// BadContentLength: no number.
	BadContentLength
	// BadCSeq: not a number and a method.
	BadCSeq
	// BadFrom: no URI.
	BadFrom
	// BadTo: no URI.
	BadTo
	// BadRequestURI: no URI.
	BadRequestURI
	// BadVia: a hop that is not SIP/2.0/..., host and parameters.
	BadVia
	// BadMedia: a media line without type, port or protocol.
	BadMedia
	// TooManyParts: Via or MEDIA has more parts than are read.
	TooManyParts
	flagCount = iota
)

// AllFlags are all of them.
const AllFlags Flags = 1<<flagCount - 1

var flagNames = [flagCount]string{
	"ambiguous", "duplicate_key", "unbalanced_quote", "too_many_attributes", "method_mismatch", "code_mismatch", "kind_mismatch",
	"invalid_text", "bad_creation_time", "bad_time_zone_offset", "bad_status_code", "bad_content_length", "bad_cseq", "bad_from",
	"bad_to", "bad_request_uri", "bad_via", "bad_media", "too_many_parts",
}

// Has tells whether any of the wanted flags is set.
func (f Flags) Has(wanted Flags) bool { return f&wanted != 0 }

// Names appends the names of the set flags.
func (f Flags) Names(names []string) []string {
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
