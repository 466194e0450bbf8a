// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

// Flags describe what is wrong or ambiguous in a line.
type Flags uint32

// The flags. Where an event has one, its line is the authority.
const (
	// Ambiguous: a value contains text that looks like another attribute, or ends
	// where its address is incomplete.
	Ambiguous Flags = 1 << iota
	// DuplicateKey: a documented attribute occurs more than once; the first one is
	// decoded.
	DuplicateKey
	// UnbalancedQuote: a quote or bracket is never closed; behind it, a comma
	// separates only in front of a documented key.
	UnbalancedQuote
	// TooManyAttributes: the line has more than MaxAttributes; the value of the last
	// one contains the rest of the line.
	TooManyAttributes
	// MethodMismatch: Method, CSeq and Service name different methods.
	MethodMismatch
	// CodeMismatch: StatusCode and Service name different codes.
	CodeMismatch
	// KindMismatch: a request has a StatusCode, or a response a RequestUri.
	KindMismatch
	// InvalidText: the line has bytes that are not UTF-8.
	InvalidText
	// BadCreationTime: CreationTime is absent or not a time.
	BadCreationTime
	// BadTimeZoneOffset: TimeZoneOffset is not a number of minutes, or absent although
	// CreationTime is local.
	BadTimeZoneOffset
	// BadStatusCode: StatusCode is not a code from 100 to 699.
	BadStatusCode
	// BadContentLength: Content-Length is not a number.
	BadContentLength
	// BadCSeq: CSeq is not a number and a method.
	BadCSeq
	// BadFrom: From has no URI.
	BadFrom
	// BadTo: To has no URI.
	BadTo
	// BadRequestURI: RequestUri is not a URI.
	BadRequestURI
	// BadVia: a hop is not SIP/2.0/<transport>, host and parameters.
	BadVia
	// BadMedia: a stream has no type, port or protocol.
	BadMedia
	// TooManyParts: Via has more than MaxHops or MEDIA more than MaxStreams.
	TooManyParts
	flagCount = iota
)

// AllFlags has every flag set.
const AllFlags Flags = 1<<flagCount - 1

var flagNames = [flagCount]string{
	"ambiguous", "duplicate_key", "unbalanced_quote", "too_many_attributes", "method_mismatch", "code_mismatch", "kind_mismatch",
	"invalid_text", "bad_creation_time", "bad_time_zone_offset", "bad_status_code", "bad_content_length", "bad_cseq", "bad_from",
	"bad_to", "bad_request_uri", "bad_via", "bad_media", "too_many_parts",
}

// Has reports whether any of the wanted flags is set.
func (f Flags) Has(wanted Flags) bool { return f&wanted != 0 }

// AppendNames appends the names of the set flags.
func (f Flags) AppendNames(names []string) []string {
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
