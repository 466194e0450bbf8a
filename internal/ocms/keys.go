// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

// Key is a documented attribute (E05480-02, tables C-2 to C-4).
type Key uint8

// The documented attributes. Unknown is any other attribute.
const (
	Unknown Key = iota
	CallID
	ContentLength
	ContentType
	CreationTime
	CSeq
	From
	Media
	Method
	RequestURI
	Service
	StatusCode
	TimeZoneOffset
	To
	Via
	KeyCount
)

var keyNames = [KeyCount]string{
	CallID: "Call-ID", ContentLength: "Content-Length", ContentType: "Content-Type", CreationTime: "CreationTime",
	CSeq: "CSeq", From: "From", Media: "MEDIA", Method: "Method", RequestURI: "RequestUri", Service: "Service",
	StatusCode: "StatusCode", TimeZoneOffset: "TimeZoneOffset", To: "To", Via: "Via",
}

// String returns the attribute's name as OCMS writes it, "" for Unknown.
func (k Key) String() string { return keyNames[k] }

// creationTimeWithBlank is how table C-4 spells CreationTime.
const creationTimeWithBlank = "Creation Time"

// KeyOf returns the documented attribute with a name, or Unknown.
func KeyOf(name string) Key {
	switch name {
	case "To":
		return To
	case "Via":
		return Via
	case "From":
		return From
	case "CSeq":
		return CSeq
	case "MEDIA":
		return Media
	case "Method":
		return Method
	case "Call-ID":
		return CallID
	case "Service":
		return Service
	case "RequestUri":
		return RequestURI
	case "StatusCode":
		return StatusCode
	case "Content-Type":
		return ContentType
	case "CreationTime", creationTimeWithBlank:
		return CreationTime
	case "Content-Length":
		return ContentLength
	case "TimeZoneOffset":
		return TimeZoneOffset
	default:
		return Unknown
	}
}

// mayHaveQuotes lists the attributes whose values may hold quoted strings and angle
// brackets, within which a comma does not separate. Call-ID is not among them: it may
// hold a single quote or bracket (RFC 3261, word).
var mayHaveQuotes = [KeyCount]bool{To: true, From: true, Via: true, ContentType: true, Unknown: true}

// hasUserPart lists the attributes whose values have a user part, in which ",x=1" is
// legal.
var hasUserPart = [KeyCount]bool{To: true, From: true, RequestURI: true}
