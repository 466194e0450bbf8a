// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// OCMSServiceName is the default service.name of an OCMS.
const OCMSServiceName = "oracle-ocms"

// Attributes of accounting events. The keys below sip. are those of Packetbeat. Names that
// callstitch reads are in ocms.go.
const (
	// OCMSService is the Log4j category, as written.
	OCMSService = OCMS + ".service"
	// OCMSLogger and OCMSKind (request or response) are parts of the category.
	OCMSLogger = OCMS + ".logger"
	OCMSKind   = OCMS + ".kind"
	// OCMSCreationTime and OCMSTimeZoneOffset are as written, because the time zone of
	// the first is not documented.
	OCMSCreationTime   = OCMS + ".creation_time"
	OCMSTimeZoneOffset = OCMS + ".time_zone_offset"
	// OCMSFrom and OCMSTo are the header fields as written.
	OCMSFrom = OCMS + ".from"
	OCMSTo   = OCMS + ".to"
	// OCMSViaHops is the number of hops, and OCMSViaBranch that of the topmost.
	OCMSViaHops   = OCMS + ".via.hop_count"
	OCMSViaBranch = OCMS + ".via.branch"
	// OCMSMediaLines and OCMSMediaTypes are slices, one element for each stream.
	OCMSMediaLines = OCMS + ".media.lines"
	OCMSMediaTypes = OCMS + ".media.types"
	// OCMSFlags is a slice of the parts that could not be read or are ambiguous.
	OCMSFlags = OCMS + ".flags"
	// OCMSAttributePrefix is that of additional attributes.
	OCMSAttributePrefix = OCMS + ".attribute"
	// OCMSRecordPart numbers the records of one long line from 1 to OCMSRecordParts.
	OCMSRecordPart  = OCMS + ".record.part"
	OCMSRecordParts = OCMS + ".record.parts"

	SIPContentType   = "sip.content_type"
	SIPContentLength = "sip.content_length"
	SIPVia           = "sip.via.original"
	SIPFromName      = "sip.from.display_info"
	SIPFromURIPrefix = "sip.from.uri"
	SIPToName        = "sip.to.display_info"
	SIPToURIPrefix   = "sip.to.uri"
	SIPURIPrefix     = "sip.uri"
)

// Parts of a SIP URI, below SIPURIPrefix, SIPFromURIPrefix and SIPToURIPrefix.
const (
	URIOriginal = "original"
	URIScheme   = "scheme"
	URIUser     = "username"
	URIHost     = "host"
	URIPort     = "port"
)

// Attributes of log records in general.
const (
	LogFileName       = "log.file.name"
	LogRecordOffset   = "log.file.record_offset"
	LogRecordOriginal = "log.record.original"
	// LogRecordUID is the same whenever the same line is read again.
	LogRecordUID = "log.record.uid"
)

// Events of OCMS.
const (
	// EventOCMSEvent is an event that an application made from a map.
	EventOCMSEvent = OCMS + ".event"
	// EventOCMSMalformed has a line as its body that is not an event.
	EventOCMSMalformed = OCMS + ".record.malformed"
	// EventOCMSLong has a line as its body that is too long for an attribute, in addition
	// to its event.
	EventOCMSLong = OCMS + ".record.long"
)

// Metric names, counted from accounting events.
const (
	MetricOCMSRequest        = OCMS + ".request"
	MetricOCMSResponse       = OCMS + ".response"
	MetricOCMSInviteAttempt  = OCMS + ".invite.attempt"
	MetricOCMSInviteAnswered = OCMS + ".invite.answered"
	MetricOCMSInviteFailed   = OCMS + ".invite.failed"
	MetricOCMSInviteRinging  = OCMS + ".invite.ringing.delay"
	MetricOCMSInviteSetup    = OCMS + ".invite.setup.duration"
	MetricOCMSDialogDuration = OCMS + ".dialog.duration"
)

// Metric attributes.
const (
	KeySIPMethod = "sip.method"
	KeySIPCode   = "sip.code"
	KeySIPClass  = "sip.code.class"
	KeyOutcome   = "outcome"
)
