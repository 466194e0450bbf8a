// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

// result is the result of converting one log record.
type result uint8

const (
	converted result = iota // zero: the record has no fault
	skipped                 // the record has no span.* attribute

	// The record has span.* attributes and is not a valid span. The connector guesses nothing:
	// a span with an invented time or parent is worse than a missing one.
	traceIDMissing
	spanIDMissing
	startMissing
	startInvalid
	endMissing
	endBeforeStart
	nameInvalid
	kindUnknown
	statusUnknown
	parentIDInvalid
	parentIsSelf

	// The record is a span, but at least one of its links is invalid. The span is made without
	// that link, because losing the span would lose more.
	linkInvalid

	results
)

// resultInfo describes the results: the attributes of connector_logtospan_records, and the
// log's explanation, which must not contain values of the record.
var resultInfo = [results]struct{ outcome, reason, explanation string }{
	converted:       {"converted", "", ""},
	skipped:         {"skipped", "", ""},
	traceIDMissing:  {"invalid", "trace_id_missing", "the record has no trace id"},
	spanIDMissing:   {"invalid", "span_id_missing", "the record has no span id"},
	startMissing:    {"invalid", "start_missing", "span.start_unix_nano is missing"},
	startInvalid:    {"invalid", "start_invalid", "span.start_unix_nano is not a positive whole number, as Int or decimal text"},
	endMissing:      {"invalid", "end_missing", "the record has no timestamp, which is the end of the span"},
	endBeforeStart:  {"invalid", "end_before_start", "the record's timestamp, the end of the span, is before span.start_unix_nano"},
	nameInvalid:     {"invalid", "name_invalid", "span.name is not a text, or it is empty and there is no event name in its place"},
	kindUnknown:     {"invalid", "kind_unknown", "span.kind is none of server, client, internal, producer, consumer"},
	statusUnknown:   {"invalid", "status_unknown", "span.status is none of unset, ok, error"},
	parentIDInvalid: {"invalid", "parent_id_invalid", "span.parent_id is not a span id of 16 hex digits"},
	parentIsSelf:    {"invalid", "parent_is_self", "span.parent_id is the span's own id"},
	linkInvalid:     {"converted", "link_invalid", "span.links has something that is not a map with trace_id and span_id in hex; the span was made without it"},
}

// resultCounts counts the records of a batch by result.
type resultCounts [results]int64
