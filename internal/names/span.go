// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Attributes of a log record that is shaped like a span. Trace id, span id and
// flags are the record's own, the end is its timestamp.
const (
	SpanName = "span.name"
	// SpanKind is one of the SpanKind… values; absent means internal.
	SpanKind = "span.kind"
	// SpanParentID is the parent's span id in hex; absent on a root.
	SpanParentID = "span.parent_id"
	// SpanStart is an Int, nanoseconds since 1970.
	SpanStart = "span.start_unix_nano"
	// SpanStatus is one of the SpanStatus… values; absent means unset.
	SpanStatus = "span.status"
	// SpanLinks is a slice of maps with SpanLinkTraceID, SpanLinkSpanID,
	// SpanLinkReason and any further attributes of the link.
	SpanLinks = "span.links"

	SpanLinkTraceID = "trace_id"
	SpanLinkSpanID  = "span_id"
	// SpanLinkReason says why the link exists; it stays an attribute of the link.
	SpanLinkReason = "reason"

	// RecordEventName holds a log record's EventName where that field does not exist, as on
	// a span.
	RecordEventName = "event.name"
)

// Values of [SpanKind].
const (
	SpanKindServer   = "server"
	SpanKindClient   = "client"
	SpanKindInternal = "internal"
	SpanKindProducer = "producer"
	SpanKindConsumer = "consumer"
)

// Values of [SpanStatus]. The message of an error is in [ErrorType].
const (
	SpanStatusUnset = "unset"
	SpanStatusOK    = "ok"
	SpanStatusError = "error"
)
